//! `imds aws-cli run`: what the alias runs.
//!
//! The AWS CLI takes its global options out of the command line before an alias sees it, wherever
//! they stand, abbreviations too (`argparse`): `aws imds get PATH --query x` reaches the alias
//! without `--query x`. They are still in the command line of the AWS CLI's own process, which is
//! read here.

use std::ffi::OsString;
use std::path::Path;

/// The AWS CLI's global options (`awscli/data/cli.json`, 1.46 and 2.9), and whether a value
/// follows.
const GLOBAL: [(&str, bool); 17] = [
    ("--debug", false),
    ("--endpoint-url", true),
    ("--no-verify-ssl", false),
    ("--no-paginate", false),
    ("--output", true),
    ("--query", true),
    ("--profile", true),
    ("--region", true),
    ("--color", true),
    ("--no-sign-request", false),
    ("--ca-bundle", true),
    ("--cli-read-timeout", true),
    ("--cli-connect-timeout", true),
    ("--cli-binary-format", true),
    ("--no-cli-pager", false),
    ("--cli-auto-prompt", false),
    ("--no-cli-auto-prompt", false),
];

/// How many processes may stand between the AWS CLI and this one: the shell that runs the alias,
/// and a wrapper.
const MOST_ANCESTORS: usize = 4;

/// A command line of `imds`, made from one of the AWS CLI.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Translated {
    /// Subcommand and arguments.
    pub(super) words: Vec<OsString>,
    pub(super) query: Option<OsString>,
    pub(super) output: Option<OsString>,
}

/// Returns the words that the AWS CLI was called with, from the command lines of this process's
/// ancestors.
pub(super) fn command_line_of_parent() -> Option<Vec<OsString>> {
    let mut process = String::from("self");
    for _ in 0..MOST_ANCESTORS {
        let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
        process = status.lines().find_map(|line| line.strip_prefix("PPid:"))?.trim().to_owned();
        let bytes = std::fs::read(format!("/proc/{process}/cmdline")).ok()?;
        if let Some(words) = words_of_aws(&bytes) {
            return Some(words);
        }
    }
    None
}

/// The words behind `aws` in a command line of `/proc`.
fn words_of_aws(bytes: &[u8]) -> Option<Vec<OsString>> {
    use std::os::unix::ffi::OsStringExt as _;
    let mut words: Vec<OsString> =
        bytes.split(|byte| *byte == 0).map(|word| OsString::from_vec(word.to_vec())).collect();
    // Each word ends with NUL, so the last piece is empty.
    words.pop();
    let at = words.iter().take(4).position(|word| {
        let name = Path::new(word).file_name().unwrap_or_default();
        name == "aws" || name == "aws.py" || name == "awscli"
    })?;
    Some(words.split_off(at + 1))
}

/// Translates the words behind `aws`; `None` if they do not call the alias, or not with these
/// arguments.
pub(super) fn translate(words: &[OsString], received: &[OsString]) -> Option<Translated> {
    let mut translated = Translated::default();
    let mut is_behind = false;
    let mut rest = words.iter().peekable();
    let mut seen = received.iter().peekable();
    while let Some(word) = rest.next() {
        let text = word.to_string_lossy();
        let name = text.split('=').next().unwrap_or_default();
        if let Some((global, takes_value)) = global(name) {
            let value = match text.split_once('=') {
                Some((_, value)) => Some(OsString::from(value)),
                None if takes_value => rest.next().cloned(),
                None => None,
            };
            translated.take(global, value);
        } else if !is_behind && text.starts_with('-') {
            return None;
        } else if !is_behind {
            if word != "imds" {
                return None;
            }
            is_behind = true;
        } else if word == "--" {
            // Some versions of Python drop it on the way to the alias.
            seen.next_if(|received| *received == "--");
            translated.words.push(word.clone());
            translated.words.extend(rest.by_ref().cloned());
            seen.by_ref().for_each(drop);
        } else {
            if seen.next() != Some(word) {
                return None;
            }
            translated.words.push(word.clone());
        }
    }
    if !is_behind || seen.next().is_some() {
        return None;
    }
    translated.help();
    Some(translated)
}

impl Translated {
    /// Without the parent's command line: the arguments as they came.
    pub(super) fn of(received: &[OsString]) -> Self {
        let mut translated = Self { words: received.to_vec(), ..Self::default() };
        translated.help();
        translated
    }

    fn take(&mut self, global: &str, value: Option<OsString>) {
        let option = match global {
            "--query" => return self.query = value,
            "--output" => return self.output = value,
            "--profile" => "--profile",
            "--endpoint-url" => "--endpoint",
            "--debug" => "--verbose",
            // The others are about HTTPS, signing and paging, of which there is none.
            _ => return,
        };
        self.words.splice(0..0, [Some(option.into()), value].into_iter().flatten());
    }

    /// `aws imds get help` is `imds get --help`, as in the rest of the AWS CLI.
    fn help(&mut self) {
        if self.words.last().is_some_and(|word| word == "help") && !self.words.contains(&"--".into()) {
            self.words.pop();
            self.words.push("--help".into());
        }
    }

    /// The subcommand.
    pub(super) fn subcommand(&self) -> Option<&str> {
        let mut skip = false;
        self.words.iter().filter_map(|word| word.to_str()).find(|word| {
            let is_value = std::mem::replace(&mut skip, matches!(*word, "--profile" | "--endpoint"));
            !is_value && !word.starts_with('-')
        })
    }

    /// The words with these options in front of `--`.
    pub(super) fn with(&self, options: &[OsString]) -> Vec<OsString> {
        let at = self.words.iter().position(|word| word == "--").unwrap_or(self.words.len());
        let mut words = self.words.clone();
        words.splice(at..at, options.iter().cloned());
        words
    }
}

/// The global option of this name, or of which it is the abbreviation of no other.
fn global(name: &str) -> Option<(&'static str, bool)> {
    if !name.starts_with("--") || name.len() < 4 {
        return None;
    }
    if let Some(found) = GLOBAL.iter().find(|(global, _)| *global == name) {
        return Some(*found);
    }
    let mut matching = GLOBAL.iter().filter(|(global, _)| global.starts_with(name));
    matching.next().filter(|_| matching.next().is_none()).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<OsString> {
        text.split_whitespace().map(OsString::from).collect()
    }

    #[test]
    fn globals_are_found_wherever_they_stand() {
        for (typed, received, expected, query, output) in [
            ("imds get a", "get a", "get a", None, None),
            ("imds get a --query x --output json", "get a", "get a", Some("x"), Some("json")),
            ("--output=text imds get a", "get a", "get a", None, Some("text")),
            ("--profile p imds get a", "get a", "--profile p get a", None, None),
            ("imds get a --endpoint http://x", "get a", "--endpoint http://x get a", None, None),
            ("imds get a --endpoint-url http://x", "get a", "--endpoint http://x get a", None, None),
            (
                "imds get a --endpoint-mode IPv6",
                "get a --endpoint-mode IPv6",
                "get a --endpoint-mode IPv6",
                None,
                None,
            ),
            ("imds get a --debug", "get a", "--verbose get a", None, None),
            ("--region eu-west-1 --no-cli-pager imds get a", "get a", "get a", None, None),
            (
                "imds exec a --output json -- env --output x",
                "exec a env --output x",
                "exec a -- env --output x",
                None,
                Some("json"),
            ),
            ("imds exec a -- env", "exec a -- env", "exec a -- env", None, None),
            ("imds get help", "get help", "get --help", None, None),
            ("--profile imds imds get a", "get a", "--profile imds get a", None, None),
        ] {
            let found = translate(&words(typed), &words(received)).unwrap_or_else(|| panic!("{typed}"));
            assert_eq!(found.words, words(expected), "{typed}");
            assert_eq!(
                (found.query, found.output),
                (query.map(OsString::from), output.map(OsString::from)),
                "{typed}"
            );
        }
    }

    #[test]
    fn other_command_lines_are_not_ours() {
        for (typed, received) in [
            ("s3 ls", "get a"),
            ("imds get b", "get a"),
            ("imds get a", "get a b"),
            ("my-alias a", "get a"),
            ("", ""),
        ] {
            assert_eq!(translate(&words(typed), &words(received)), None, "{typed}");
        }
        assert_eq!(words_of_aws(b"python3\0/usr/bin/aws\0imds\0get\0").unwrap(), words("imds get"));
        assert_eq!(words_of_aws(b"sh\0-c\0imds\0"), None);
    }
}
