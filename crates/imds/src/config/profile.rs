//! The AWS config and credentials files, read as the AWS SDKs read them.
//!
//! The rules, as the shared test cases of the SDKs fix them and as botocore reads what they leave
//! open:
//!
//! * A profile is `[default]` or `[profile NAME]` in the config file and `[NAME]` in the
//!   credentials file. `[profile default]` replaces `[default]`, whichever comes first. Sections of
//!   one profile are merged, and the credentials file goes before the config file.
//! * A `#` or `;` at the beginning of a line makes it a comment, and so does one behind a blank in
//!   a value. Behind the bracket of a section it needs no blank.
//! * A line that begins with a blank continues the value above it. Below an empty value it is a
//!   nested property, which concerns another service.
//! * Keys have no case. Of two equal keys the last counts; an empty value is none.
//! * A byte order mark at the beginning is no part of the first line.
//!
//! A line that the SDKs refuse, and with it the whole file, is left out here and reported with its
//! number. Quotation marks around a name are read as botocore reads them; the other SDKs refuse
//! them.

/// Which of the two files a text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FileKind {
    Config,
    Credentials,
}

/// What a file says of one profile.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Profile {
    values: Vec<(String, String)>,
    /// Whether the file has the profile.
    pub(crate) found: bool,
    /// Lines that are left out, by number, and why.
    pub(crate) problems: Vec<(usize, &'static str)>,
}

/// Where the parser is.
enum Place {
    /// Above the first section.
    Top,
    /// In the profile. Whether a value has begun that a further line may continue.
    Inside { can_continue: bool },
    /// In another profile, or in a section of another kind.
    Elsewhere,
}

impl Profile {
    /// Reads what the text of a file says of the profile of this name.
    pub(crate) fn parse(text: &str, kind: FileKind, name: &str) -> Self {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let mut plain = Self::default();
        // `[profile default]`, which replaces `[default]` instead of adding to it.
        let mut prefixed = Self::default();
        let mut problems = Vec::new();
        let (mut place, mut is_prefixed) = (Place::Top, false);
        for (at, line) in text.lines().enumerate() {
            let number = at + 1;
            if line.trim().is_empty() || line.starts_with(['#', ';']) {
                continue;
            }
            if line.starts_with('[') {
                place = match section(line, kind) {
                    Ok(Some((section, prefix))) if section == name => {
                        is_prefixed = prefix && name == "default";
                        let profile = if is_prefixed { &mut prefixed } else { &mut plain };
                        profile.found = true;
                        Place::Inside { can_continue: false }
                    }
                    Ok(_) => Place::Elsewhere,
                    Err(problem) => {
                        problems.push((number, problem));
                        Place::Elsewhere
                    }
                };
                continue;
            }
            let profile = if is_prefixed { &mut prefixed } else { &mut plain };
            let read = match &mut place {
                Place::Top => Err("it stands before the first section"),
                Place::Elsewhere => Ok(()),
                Place::Inside { can_continue } => profile.line(line, can_continue),
            };
            problems.extend(read.err().map(|problem| (number, problem)));
        }
        let mut profile = if prefixed.found { prefixed } else { plain };
        profile.problems = problems;
        profile
    }

    fn line(&mut self, line: &str, can_continue: &mut bool) -> Result<(), &'static str> {
        if line.starts_with([' ', '\t']) {
            let Some((_, value)) = self.values.last_mut().filter(|_| *can_continue) else {
                return Err("it continues nothing");
            };
            // Below an empty value stand the properties of another service.
            if !value.is_empty() {
                value.push('\n');
                value.push_str(line.trim());
            }
            return Ok(());
        }
        *can_continue = false;
        let (key, value) = without_comment(line).split_once('=').ok_or("it has no `=`")?;
        let key = key.trim();
        if key.is_empty() {
            return Err("it has no key before the `=`");
        }
        *can_continue = true;
        self.values.push((key.to_ascii_lowercase(), value.trim().to_owned()));
        Ok(())
    }

    /// Returns the last value of a key, unless that is empty.
    pub(crate) fn get(&self, key: &str) -> Option<&str> {
        let (_, value) = self.values.iter().rev().find(|(known, _)| known == key)?;
        Some(value.as_str()).filter(|value| !value.is_empty())
    }
}

/// Returns the profile that a section line names, and whether by the word `profile`; `None` for a
/// section of another kind.
fn section(line: &str, kind: FileKind) -> Result<Option<(&str, bool)>, &'static str> {
    let (inner, behind) = line[1..].split_once(']').ok_or("the section has no `]`")?;
    let behind = behind.trim_start();
    if !behind.is_empty() && !behind.starts_with(['#', ';']) {
        return Err("the section has text behind its `]`");
    }
    let inner = inner.trim();
    let prefixed = inner.strip_prefix("profile").filter(|rest| rest.starts_with([' ', '\t']));
    let (name, prefix) = match (kind, prefixed) {
        (FileKind::Config, Some(rest)) => (rest.trim(), true),
        (FileKind::Config, None) if inner == "default" => (inner, false),
        (FileKind::Config, None) => {
            let is_other_kind = ["sso-session", "services", "plugins", "preview"]
                .iter()
                .any(|kind| inner.split_whitespace().next() == Some(kind));
            return if is_other_kind { Ok(None) } else { Err("a profile is named `[profile NAME]` here") };
        }
        (FileKind::Credentials, Some(_)) => return Err("a profile is named `[NAME]` here"),
        (FileKind::Credentials, None) => (inner, false),
    };
    let quoted = |mark: char| name.strip_prefix(mark)?.strip_suffix(mark);
    let name = quoted('"').or_else(|| quoted('\'')).unwrap_or(name);
    if name.is_empty() { Err("the section has no name") } else { Ok(Some((name, prefix))) }
}

/// Returns the line without a comment, which begins behind a blank.
fn without_comment(line: &str) -> &str {
    let begins = line
        .char_indices()
        .zip(line.char_indices().skip(1))
        .find(|((_, before), (_, mark))| matches!(before, ' ' | '\t') && matches!(mark, '#' | ';'));
    begins.map_or(line, |((at, _), _)| &line[..at])
}

#[cfg(test)]
mod tests {
    use super::*;
    use FileKind::{Config, Credentials};
    use proptest::prelude::*;

    type Case = (&'static str, FileKind, &'static str, &'static str, Option<&'static str>, Problems);
    type Problems = &'static [(usize, &'static str)];

    /// One case: a file, the profile that is asked for, and what its key `k` is; then the problems.
    #[rustfmt::skip]
    const CASES: &[Case] = &[
        ("empty", Config, "", "default", None, &[]),
        ("a value", Config, "[default]\nk = v\n", "default", Some("v"), &[]),
        ("no blanks", Config, "[default]\nk=v", "default", Some("v"), &[]),
        ("line ends of Windows", Config, "[default]\r\nk = v\r\n", "default", Some("v"), &[]),
        ("a byte order mark", Config, "\u{feff}[default]\nk = v\n", "default", Some("v"), &[]),
        ("keys have no case", Config, "[default]\nK = v", "default", Some("v"), &[]),
        ("the last value counts", Config, "[default]\nk = a\nk = v", "default", Some("v"), &[]),
        ("an empty value is none", Config, "[default]\nk = a\nk =", "default", None, &[]),
        ("an equals sign in a value", Config, "[default]\nk = a=b", "default", Some("a=b"), &[]),
        ("tabs", Config, "[profile\tp]\nk\t=\tv\t", "p", Some("v"), &[]),
        ("blanks in the brackets", Config, "[ profile  p ]\nk = v", "p", Some("v"), &[]),
        ("a comment", Config, "# x\n; x\n[default]\n#k = a\nk = v", "default", Some("v"), &[]),
        ("a comment behind a value", Config, "[default]\nk = v # x", "default", Some("v"), &[]),
        ("the other comment", Config, "[default]\nk = v\t; x", "default", Some("v"), &[]),
        ("a comment needs a blank", Config, "[default]\nk = v#x;y", "default", Some("v#x;y"), &[]),
        ("a comment for a value", Config, "[default]\nk = # x", "default", None, &[]),
        ("a comment behind a section", Config, "[default]# x\nk = v", "default", Some("v"), &[]),
        ("the same with a blank", Config, "[default] ; x\nk = v", "default", Some("v"), &[]),
        ("sections are merged", Config, "[default]\nk = v\n[profile p]\nk = a\n[default]\nj = b", "default", Some("v"), &[]),
        ("the prefix wins", Config, "[default]\nk = a\n[profile default]\nk = v", "default", Some("v"), &[]),
        ("in either order", Config, "[profile default]\nk = v\n[default]\nk = a", "default", Some("v"), &[]),
        ("and alone", Config, "[profile default]\nj = v\n[default]\nk = a", "default", None, &[]),
        ("another profile", Config, "[profile p]\nk = v\n[profile q]\nk = a", "p", Some("v"), &[]),
        ("another kind of section", Config, "[sso-session p]\nk = a\n[services p]\nk = b", "p", None, &[]),
        ("a name in quotation marks", Config, "[profile \"two words\"]\nk = v", "two words", Some("v"), &[]),
        ("a nested property", Config, "[default]\ns3 =\n  k = a\nk = v", "default", Some("v"), &[]),
        ("below a comment too", Config, "[default]\ns3 = # x\n  k = a", "default", None, &[]),
        ("a continued value", Config, "[default]\nk = a\n  b # c\n\td", "default", Some("a\nb # c\nd"), &[]),
        ("of another profile", Config, "[profile q]\n  k = a\n[default]\nk = v", "default", Some("v"), &[]),
        ("credentials", Credentials, "[p]\nk = v", "p", Some("v"), &[]),
        ("credentials, default", Credentials, "[default]\nk = v", "default", Some("v"), &[]),
        ("no prefix there", Credentials, "[profile p]\nk = a", "p", None, &[(1, "a profile is named `[NAME]` here")]),
        ("a prefix here", Config, "[p]\nk = a", "p", None, &[(1, "a profile is named `[profile NAME]` here")]),
        ("no key", Config, "[default]\n= a\nk = v", "default", Some("v"), &[(2, "it has no key before the `=`")]),
        ("no equals sign", Config, "[default]\nbroken line\nk = v", "default", Some("v"), &[(2, "it has no `=`")]),
        ("the sign is in a comment", Config, "[default]\nk # = a", "default", None, &[(2, "it has no `=`")]),
        ("before the first section", Config, "k = a\n[default]\nk = v", "default", Some("v"), &[(1, "it stands before the first section")]),
        ("an open section", Config, "[default\nk = a", "default", None, &[(1, "the section has no `]`")]),
        ("text behind a section", Config, "[default] x\nk = a", "default", None, &[(1, "the section has text behind its `]`")]),
        ("a continuation of nothing", Config, "[default]\n  k = a\nk = v", "default", Some("v"), &[(2, "it continues nothing")]),
        ("no name", Config, "[profile ]\nk = a", "default", None, &[(1, "a profile is named `[profile NAME]` here")]),
    ];

    #[test]
    fn files_are_read_as_the_sdks_read_them() {
        for (what, kind, text, name, value, problems) in CASES {
            let profile = Profile::parse(text, *kind, name);
            assert_eq!(profile.get("k"), *value, "{what}: {text:?}");
            assert_eq!(profile.problems, *problems, "{what}: {text:?}");
        }
        assert!(Profile::parse("[profile p]", Config, "p").found);
        assert!(!Profile::parse("[profile p]", Config, "q").found);
    }

    proptest! {
        #[test]
        fn any_text_is_read(text in any::<String>(), tail in "[\\[\\]=#; \\ta-z\\n]{0,80}") {
            for kind in [Config, Credentials] {
                let _ = Profile::parse(&text, kind, "default");
                let _ = Profile::parse(&format!("[default]\n{tail}"), kind, "default");
            }
        }
    }
}
