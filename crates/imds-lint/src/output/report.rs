//! A report: findings with their files, lines and columns.

use crate::files::walk::{FileReport, Found};
use crate::rules::catalogue::{RuleId, Severity};
use crate::rules::finding::Finding;
use crate::text::lines::{Lines, Position};

/// A finding and its place.
#[derive(Debug)]
pub struct Entry<'r> {
    /// The number of its file's report.
    pub report: usize,
    /// The file as it is shown.
    pub file: String,
    /// The whole text of the file.
    pub text: &'r str,
    /// The finding.
    pub finding: &'r Finding,
    /// Where it begins.
    pub start: Position,
    /// Where it ends.
    pub end: Position,
    /// Why it is suppressed, if it is.
    pub suppressed: Option<&'r str>,
}

impl<'r> Entry<'r> {
    /// The line that it begins on.
    #[must_use]
    pub fn line_text(&self) -> &'r str {
        let start = self.text.get(..self.finding.span.start).unwrap_or_default();
        let start = start.rfind('\n').map_or(0, |at| at + 1);
        self.text.get(start..).unwrap_or_default().lines().next().unwrap_or_default()
    }
}

/// Input that was not checked.
#[derive(Debug)]
pub struct NotChecked {
    /// The file.
    pub file: String,
    /// The line, where it is a part of a file.
    pub line: Option<usize>,
    /// Why.
    pub reason: String,
}

/// Everything that is reported.
#[derive(Debug)]
pub struct Report<'r> {
    /// Findings, by file and place.
    pub entries: Vec<Entry<'r>>,
    /// Findings that a comment suppresses.
    pub suppressed: Vec<Entry<'r>>,
    /// Input that was not checked.
    pub not_checked: Vec<NotChecked>,
    /// How many files were looked at.
    pub files: usize,
    /// How many findings the baseline covers.
    pub in_baseline: usize,
}

impl<'r> Report<'r> {
    /// The findings of some rules, from a severity on.
    #[must_use]
    pub fn new(found: &'r Found, rules: &[RuleId], severity: Severity) -> Self {
        let wanted = |finding: &Finding| {
            finding.rule().severity >= severity && (rules.is_empty() || rules.contains(&finding.rule))
        };
        let mut report = Self {
            entries: Vec::new(),
            suppressed: Vec::new(),
            not_checked: Vec::new(),
            files: found.files,
            in_baseline: 0,
        };
        for (number, file) in found.reports.iter().enumerate() {
            let lines = Lines::of(&file.checked.text);
            let name = file.path.to_string_lossy().into_owned();
            for finding in file.checked.findings.iter().filter(|finding| wanted(finding)) {
                report.entries.push(entry((number, file), &name, &lines, finding, None));
            }
            for (finding, reason) in file.checked.suppressed.iter().filter(|(finding, _)| wanted(finding)) {
                report.suppressed.push(entry((number, file), &name, &lines, finding, Some(reason)));
            }
            for unread in &file.checked.unread {
                let line = (!unread.span.is_empty()).then(|| lines.line(unread.span.start));
                report.not_checked.push(NotChecked {
                    file: name.clone(),
                    line,
                    reason: unread.reason.clone(),
                });
            }
        }
        for failure in &found.failures {
            report.not_checked.push(NotChecked {
                file: failure.path.to_string_lossy().into_owned(),
                line: None,
                reason: failure.reason.clone(),
            });
        }
        report
    }
}

fn entry<'r>(
    (report, file): (usize, &'r FileReport),
    name: &str,
    lines: &Lines,
    finding: &'r Finding,
    suppressed: Option<&'r String>,
) -> Entry<'r> {
    let text = file.checked.text.as_str();
    Entry {
        report,
        file: name.to_owned(),
        text,
        finding,
        start: lines.position(text, finding.span.start),
        end: lines.position(text, finding.span.end),
        suppressed: suppressed.map(String::as_str),
    }
}
