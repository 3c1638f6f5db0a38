//! The text of the AWS CLI's alias file, with and without our alias in it.
//!
//! The AWS CLI reads the file with Python's `configparser.RawConfigParser`: a second `[toplevel]`
//! section, or a second `imds` in it, makes the whole file unreadable, and a line that is indented
//! deeper than the option above it continues that option's value. What is written here minds both,
//! and every other line stays byte for byte.

use std::fmt;

/// First line of what we write.
const BEGIN: &str = "# begin imds (written by `imds aws-cli install`, removed by `imds aws-cli uninstall`)";
/// Last line of what we write.
const END: &str = "# end imds";
const SECTION: &str = "[toplevel]";
const NAME: &str = "imds";

/// What an alias file says of us.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    /// No `imds` alias.
    Absent,
    /// Ours, with the command that it runs.
    Installed {
        /// The alias's value without the leading `!`.
        command: String,
    },
    /// Somebody else's `imds` alias.
    Foreign {
        /// Its line, counted from 1.
        line: usize,
    },
}

/// Why the file is left alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum AliasError {
    /// An `imds` alias that we did not write.
    Foreign {
        /// Its line, counted from 1.
        line: usize,
    },
    /// One of our two lines without the other, or more than two.
    Torn {
        /// The line that is there, counted from 1.
        line: usize,
    },
}

impl fmt::Display for AliasError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Foreign { line } => {
                write!(f, "line {line} defines an alias `{NAME}` that `imds aws-cli install` did not write")
            }
            Self::Torn { line } => {
                write!(f, "line {line} marks what `imds aws-cli install` wrote, but once more or alone")
            }
        }
    }
}

impl std::error::Error for AliasError {}

/// What the file says of us.
///
/// # Errors
/// Where our marks do not pair.
pub(crate) fn status(content: &[u8]) -> Result<Status, AliasError> {
    let lines = lines(content);
    let block = block(&lines)?;
    if let Some(line) = foreign(&lines, block) {
        return Ok(Status::Foreign { line });
    }
    let Some((first, last)) = block else { return Ok(Status::Absent) };
    let command = lines[first..=last].iter().find_map(|line| option_value(line)).unwrap_or_default();
    Ok(Status::Installed { command: command.trim_start_matches('!').to_owned() })
}

/// The file with our alias, which runs `command` through the shell.
///
/// # Errors
/// Where an `imds` alias is there that we did not write, or our marks do not pair.
pub(crate) fn install(content: &[u8], command: &str) -> Result<Vec<u8>, AliasError> {
    let bare = uninstall(content)?;
    let lines = lines(&bare);
    if let Some(line) = foreign(&lines, None) {
        return Err(AliasError::Foreign { line });
    }
    let header = header(&lines);
    let indent = header.map_or("", |at| indent_after(&lines, at));
    let mut ours = vec![format!("{indent}{BEGIN}")];
    if header.is_none() {
        ours.push(SECTION.to_owned());
    }
    ours.push(format!("{indent}{NAME} = !{command}"));
    ours.push(format!("{indent}{END}"));
    let at = header.map_or(lines.len(), |at| at + 1);
    Ok(insert(&lines, at, &ours))
}

/// The file without our alias.
///
/// # Errors
/// Where our marks do not pair.
pub(crate) fn uninstall(content: &[u8]) -> Result<Vec<u8>, AliasError> {
    let lines = lines(content);
    let Some((first, last)) = block(&lines)? else { return Ok(content.to_vec()) };
    let mut before = lines[..first].concat();
    let after = &lines[last + 1..];
    if after.is_empty() && !lines[last].ends_with(b"\n") {
        // We were put behind a last line without a line end, which had to be given one.
        strip_line_end(&mut before);
    }
    // Options that were added under a section header of ours since would lose their section.
    let section = lines[first..=last].iter().find(|line| text(line) == SECTION);
    let orphans = after.iter().map(|line| text(line)).find(|text| !is_blank(text));
    if let Some(section) = section.filter(|_| orphans.is_some_and(|text| !text.starts_with('['))) {
        before.extend_from_slice(section);
    }
    before.extend(after.concat());
    Ok(before)
}

/// Lines with their ends.
fn lines(content: &[u8]) -> Vec<&[u8]> {
    content.split_inclusive(|byte| *byte == b'\n').collect()
}

/// A line without indentation and end. Lines that are not UTF-8 are none that we look for.
fn text(line: &[u8]) -> &str {
    std::str::from_utf8(line).unwrap_or("?").trim()
}

fn is_blank(text: &str) -> bool {
    text.is_empty() || text.starts_with(['#', ';'])
}

fn indentation(line: &[u8]) -> usize {
    line.len() - line.trim_ascii_start().len()
}

/// Our block, first and last line: the only marks of the file.
fn block(lines: &[&[u8]]) -> Result<Option<(usize, usize)>, AliasError> {
    let mut marks = (0..lines.len()).filter(|at| matches!(text(lines[*at]), BEGIN | END));
    let torn = |at: usize| Err(AliasError::Torn { line: at + 1 });
    match (marks.next(), marks.next(), marks.next()) {
        (None, ..) => Ok(None),
        (Some(begin), Some(end), None) if (text(lines[begin]), text(lines[end])) == (BEGIN, END) => {
            Ok(Some((begin, end)))
        }
        (_, _, Some(at)) | (Some(at), ..) => torn(at),
    }
}

/// The `[toplevel]` header.
fn header(lines: &[&[u8]]) -> Option<usize> {
    lines.iter().position(|line| text(line) == SECTION)
}

/// An `imds` option in `[toplevel]` outside our block, counted from 1.
fn foreign(lines: &[&[u8]], block: Option<(usize, usize)>) -> Option<usize> {
    let mut section = "";
    // Indentation of the option whose value may go on.
    let mut option: Option<usize> = None;
    for (at, line) in lines.iter().enumerate() {
        let text = text(line);
        if is_blank(text) || option.is_some_and(|indent| indentation(line) > indent) {
            continue;
        }
        if text.starts_with('[') {
            section = text;
            option = None;
            continue;
        }
        option = Some(indentation(line));
        let ours = block.is_some_and(|(first, last)| (first..=last).contains(&at));
        if section == SECTION && !ours && option_value(line).is_some() {
            return Some(at + 1);
        }
    }
    None
}

/// The value of an `imds` option. `configparser` takes `=` or `:`, and names in any case.
fn option_value(line: &[u8]) -> Option<&str> {
    let (name, value) = text(line).split_once(['=', ':'])?;
    name.trim().eq_ignore_ascii_case(NAME).then(|| value.trim())
}

/// The indentation of the first option under a header: ours must not be shallower, or that option
/// would be read as the rest of our value.
fn indent_after<'a>(lines: &[&'a [u8]], header: usize) -> &'a str {
    let line = lines[header + 1..].iter().find(|line| !is_blank(text(line)));
    let indent = line.map_or(&[][..], |line| &line[..indentation(line)]);
    std::str::from_utf8(indent).unwrap_or_default()
}

fn insert(lines: &[&[u8]], at: usize, ours: &[String]) -> Vec<u8> {
    let end: &str = if lines.first().is_some_and(|line| line.ends_with(b"\r\n")) { "\r\n" } else { "\n" };
    let mut content = lines[..at].concat();
    let ends_open = content.last().is_some_and(|byte| *byte != b'\n');
    if ends_open {
        // Behind a lone `\r`, `\n` would make one line end of both, and both would go with us.
        let given = if content.ends_with(b"\r") { "\r\n" } else { end };
        content.extend_from_slice(given.as_bytes());
    }
    content.extend_from_slice(ours.join(end).as_bytes());
    if !ends_open {
        content.extend_from_slice(end.as_bytes());
    }
    content.extend(lines[at..].concat());
    content
}

fn strip_line_end(content: &mut Vec<u8>) {
    if content.last() == Some(&b'\n') {
        content.pop();
        if content.last() == Some(&b'\r') {
            content.pop();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const COMMAND: &str = "/usr/bin/imds";

    fn installed(content: &str) -> String {
        String::from_utf8(install(content.as_bytes(), COMMAND).unwrap()).unwrap()
    }

    #[test]
    fn a_new_file() {
        assert_eq!(installed(""), format!("{BEGIN}\n[toplevel]\nimds = !/usr/bin/imds\n{END}\n"));
    }

    #[test]
    fn under_the_section_that_is_there() {
        assert_eq!(
            installed("# mine\n[toplevel]\nwhoami = sts get-caller-identity\n\n[command ec2]\n"),
            format!(
                "# mine\n[toplevel]\n{BEGIN}\nimds = !/usr/bin/imds\n{END}\nwhoami = sts \
                 get-caller-identity\n\n[command ec2]\n"
            )
        );
    }

    #[test]
    fn indented_as_the_options_that_follow() {
        assert_eq!(
            installed("[toplevel]\n\n  # note\n  a = b\n"),
            format!("[toplevel]\n  {BEGIN}\n  imds = !/usr/bin/imds\n  {END}\n\n  # note\n  a = b\n")
        );
    }

    #[test]
    fn another_section_only() {
        assert_eq!(
            installed("[command ec2]\nls = describe-instances"),
            format!(
                "[command ec2]\nls = describe-instances\n{BEGIN}\n[toplevel]\nimds = !/usr/bin/imds\n{END}"
            )
        );
    }

    #[test]
    fn line_ends_are_kept() {
        assert_eq!(
            installed("[toplevel]\r\na = b\r\n"),
            format!("[toplevel]\r\n{BEGIN}\r\nimds = !/usr/bin/imds\r\n{END}\r\na = b\r\n")
        );
    }

    #[test]
    fn a_lone_carriage_return_at_the_end_is_kept() {
        for content in ["[command ec2]\r", "[command ec2]\r\na = b\r"] {
            let installed = install(content.as_bytes(), "imds").unwrap();
            assert_eq!(uninstall(&installed).unwrap(), content.as_bytes(), "{content:?}");
        }
    }

    #[test]
    fn again_is_the_same_and_another_command_replaces() {
        let once = installed("[toplevel]\na = b\n");
        assert_eq!(installed(&once), once);
        let moved = install(once.as_bytes(), "/opt/imds").unwrap();
        assert_eq!(status(&moved), Ok(Status::Installed { command: "/opt/imds".to_owned() }));
        assert_eq!(uninstall(&moved).unwrap(), b"[toplevel]\na = b\n");
    }

    #[test]
    fn somebody_elses_alias_is_left_alone() {
        for content in ["[toplevel]\nimds = !curl\n", "[toplevel]\nIMDS: !curl\n"] {
            assert_eq!(install(content.as_bytes(), COMMAND), Err(AliasError::Foreign { line: 2 }));
            assert_eq!(status(content.as_bytes()), Ok(Status::Foreign { line: 2 }));
            assert_eq!(uninstall(content.as_bytes()).unwrap(), content.as_bytes());
        }
        assert_eq!(
            AliasError::Foreign { line: 2 }.to_string(),
            "line 2 defines an alias `imds` that `imds aws-cli install` did not write"
        );
    }

    #[test]
    fn what_only_looks_like_our_alias() {
        for content in [
            "[command ec2]\nimds = x\n",
            "[toplevel]\na = !f() {\n  imds = 1\n }; f\n",
            "[toplevel]\n# imds = !x\n",
            "[toplevel]\nimdsx = !x\n",
        ] {
            assert_eq!(status(content.as_bytes()), Ok(Status::Absent), "{content}");
        }
    }

    #[test]
    fn marks_that_do_not_pair() {
        for (content, line) in [
            (format!("[toplevel]\n{BEGIN}\nimds = !x\n"), 2),
            (format!("[toplevel]\nimds = !x\n{END}\n"), 3),
            (format!("{END}\n{BEGIN}\n"), 1),
            (format!("[toplevel]\n{BEGIN}\nimds = !x\n{END}\n{END}\n"), 5),
            (format!("[toplevel]\n{BEGIN}\nimds = !x\n{END}\n{BEGIN}\nimds = !x\n{END}\n"), 5),
        ] {
            assert_eq!(uninstall(content.as_bytes()), Err(AliasError::Torn { line }));
        }
        assert_eq!(
            AliasError::Torn { line: 3 }.to_string(),
            "line 3 marks what `imds aws-cli install` wrote, but once more or alone"
        );
    }

    #[test]
    fn aliases_added_under_our_section_keep_it() {
        let content = format!("{}a = b\n", installed(""));
        assert_eq!(uninstall(content.as_bytes()).unwrap(), b"[toplevel]\na = b\n");
    }

    fn files() -> impl Strategy<Value = Vec<u8>> {
        let line = prop_oneof![
            Just("[toplevel]"),
            Just("[command ec2]"),
            Just("# a comment"),
            Just("  a = b"),
            Just("whoami = sts get-caller-identity"),
            Just("    continued"),
            Just(""),
            Just("\u{e9}"),
        ];
        (proptest::collection::vec(line, 0..12), any::<bool>(), prop_oneof![Just("\n"), Just("\r\n")])
            .prop_map(|(lines, ended, end)| {
                let mut content = lines.join(end);
                if ended && !content.is_empty() {
                    content.push_str(end);
                }
                content.into_bytes()
            })
    }

    proptest! {
        #[test]
        fn uninstall_undoes_install_byte_for_byte(content in files()) {
            let with = install(&content, COMMAND).unwrap();
            prop_assert_eq!(status(&with), Ok(Status::Installed { command: COMMAND.to_owned() }));
            prop_assert_eq!(install(&with, COMMAND).unwrap(), with.clone());
            prop_assert_eq!(uninstall(&with).unwrap(), content);
        }
    }
}
