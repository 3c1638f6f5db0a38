//! A file checked: its texts, one after the other, the embedded ones after those that hold them.

mod languages;

use crate::extract::kind::{self, Kind};
use crate::extract::{needles, packed};
use crate::fix::Style;
use crate::rules::finding::{Finding, Unread};
use crate::suppress::Suppressions;
use crate::text::limits;
use crate::text::lines::Lines;
use crate::text::mapped::Mapped;

/// How to check.
#[derive(Clone, Copy, Debug, Default)]
pub struct Settings {
    /// What a fix is written as.
    pub style: Style,
}

/// A text to check.
#[derive(Debug)]
pub struct Text {
    /// The text.
    pub mapped: Mapped,
    /// What it is read as.
    pub kind: Kind,
    /// What it is in, if not the file itself.
    pub label: Option<String>,
    /// How many texts it is in.
    pub depth: usize,
}

/// What was found in a file.
#[derive(Debug, Default)]
pub struct Checked {
    /// The file as text; empty if it is none.
    pub text: String,
    /// Findings, in the order of the file.
    pub findings: Vec<Finding>,
    /// Findings that a comment suppresses, with its reason.
    pub suppressed: Vec<(Finding, String)>,
    /// What was not checked.
    pub unread: Vec<Unread>,
}

/// Results of one text, before they are put together.
#[derive(Debug, Default)]
pub(crate) struct Results {
    pub(crate) findings: Vec<Finding>,
    pub(crate) unread: Vec<Unread>,
    pub(crate) inner: Vec<Text>,
}

/// Checks a file. A kind that its name does not give follows from its first bytes.
#[must_use]
pub fn check(path: &str, bytes: &[u8], settings: Settings) -> Checked {
    let Some(kind) = kind::by_name(path).filter(|kind| *kind != Kind::Json || !bytes.is_empty()) else {
        return kind::by_content(bytes).map_or_else(Checked::default, |kind| check_as(kind, bytes, settings));
    };
    // cloud-config is mostly called `.yaml`.
    let kind = match (kind, kind::by_content(bytes)) {
        (Kind::Yaml | Kind::Shell | Kind::ShellTemplate, Some(content)) if content != Kind::Shell => content,
        (kind, _) => kind,
    };
    check_as(kind, bytes, settings)
}

/// Checks a file of a known kind.
#[must_use]
pub fn check_as(kind: Kind, bytes: &[u8], settings: Settings) -> Checked {
    let packages = matches!(
        kind,
        Kind::Manifest(_)
            | Kind::Shell
            | Kind::ShellTemplate
            | Kind::Dockerfile
            | Kind::CloudConfig
            | Kind::Mime
            | Kind::Yaml
            | Kind::Hcl
    );
    if kind == Kind::Gzip && bytes.starts_with(&[0x1f, 0x8b]) {
        return gzip_file(bytes, settings);
    }
    let wide = utf16(bytes);
    let bytes = wide.as_deref().map_or(bytes, str::as_bytes);
    if kind != Kind::Base64 && !needles::any(bytes, packages) {
        return Checked::default();
    }
    let unread =
        |reason: String| Checked { unread: vec![Unread { span: 0..0, reason }], ..Checked::default() };
    if bytes.len() as u64 > limits::FILE_BYTES {
        return unread(format!("larger than {} bytes", limits::FILE_BYTES));
    }
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(error) => return unread(format!("no UTF-8 at byte {}", error.valid_up_to())),
    };
    if wide.is_some() {
        return unread("UTF-16: convert it to UTF-8".to_owned());
    }
    let first = Text { mapped: Mapped::whole(text.clone()), kind, label: None, depth: 0 };
    check_texts(text, first, settings)
}

/// The text of a file in UTF-16, which Windows' editors write.
fn utf16(bytes: &[u8]) -> Option<String> {
    let read: fn([u8; 2]) -> u16 = match bytes.get(..2)? {
        [0xff, 0xfe] => u16::from_le_bytes,
        [0xfe, 0xff] => u16::from_be_bytes,
        _ => return None,
    };
    let units: Vec<u16> =
        bytes.chunks_exact(2).filter_map(|pair| Some(read(pair.try_into().ok()?))).collect();
    Some(String::from_utf16_lossy(&units))
}

/// A compressed file: its findings stand at its beginning, and say in which line of the expanded
/// text they are.
fn gzip_file(bytes: &[u8], settings: Settings) -> Checked {
    // Most compressed files are no user data: their first bytes say so.
    let Some(kind) = packed::gunzip_head(bytes).and_then(|head| kind::by_content(&head)) else {
        return Checked::default();
    };
    match packed::gunzip(bytes) {
        Ok(expanded) => {
            let outer = Mapped::whole(String::new());
            let mapped = Mapped::decoded(&outer, 0..0, expanded);
            let label = Some("compressed data".to_owned());
            check_texts(String::new(), Text { mapped, kind, label, depth: 1 }, settings)
        }
        Err(reason) => Checked { unread: vec![Unread { span: 0..0, reason }], ..Checked::default() },
    }
}

fn check_texts(text: String, first: Text, settings: Settings) -> Checked {
    let lines = Lines::of(&text);
    let suppressions = Suppressions::of(&text, &lines);
    let mut checked = Checked { text, ..Checked::default() };
    let mut waiting = vec![first];
    while let Some(next) = waiting.pop() {
        if next.depth > limits::EMBEDDING {
            let span = next.mapped.origin(0..next.mapped.text().len());
            let reason = format!("embedded more than {} deep", limits::EMBEDDING);
            checked.unread.push(Unread { span, reason });
            continue;
        }
        let reason = |finding: &Finding| {
            let first = lines.line(finding.span.start);
            let last = lines.line(finding.span.end.max(finding.span.start + 1) - 1);
            suppressions.reason(finding.rule, first, last).map(str::to_owned)
        };
        let results = languages::check(&next, settings, &|finding| reason(finding).is_some());
        for mut finding in results.findings {
            finding.within = finding.within.or_else(|| next.label.clone());
            match reason(&finding) {
                Some(reason) => checked.suppressed.push((finding, reason)),
                None => checked.findings.push(finding),
            }
        }
        checked.unread.extend(results.unread);
        waiting.extend(results.inner);
    }
    checked.findings.extend(suppressions.malformed);
    finish(&mut checked);
    checked
}

/// Puts the findings in order; what was found twice, by two readings of one text, is there once.
fn finish(checked: &mut Checked) {
    let key = |finding: &Finding| (finding.span.start, finding.span.end, finding.rule, finding.inner_line);
    checked.findings.sort_by_key(key);
    checked.findings.dedup_by(|later, kept| {
        let same = key(later) == key(kept);
        if same && kept.edits.is_empty() {
            kept.edits.append(&mut later.edits);
        }
        same
    });
    checked.suppressed.sort_by_key(|(finding, _)| key(finding));
    checked.suppressed.dedup_by(|(later, _), (kept, _)| key(later) == key(kept));
    checked.unread.sort_by_key(|unread| unread.span.start);
    checked.unread.dedup();
}
