//! What the manual pages, the help and the shell completions say beyond the declaration.

use clap::{Arg, CommandFactory as _};
use imds_usage::{Entry, Manual, Program, Values};

use crate::cli::Cli;
use crate::rules::catalogue;

/// The program, by what is said here.
pub const PROGRAM: Program =
    Program { declaration: Cli::command, version: imds_usage::version!(), manual, values };

fn manual(subcommand: &str) -> Manual<'static> {
    Manual {
        environment: &[("NO_COLOR", "If set, help and errors are not coloured.")],
        files: match subcommand {
            "" => FILES,
            _ => &[("none", "It reads and writes no file.")],
        },
        exit_status: EXIT_STATUS,
        examples: examples(subcommand),
        see_also: if subcommand.is_empty() { &["imds"] } else { &[] },
    }
}

const FILES: &[Entry<'static>] = &[
    (".gitignore, .ignore", "Files that they leave out are not checked, unless --no-ignore is given."),
    ("the FILE of --baseline", "Findings that are known, as --write-baseline wrote them."),
];

const EXIT_STATUS: &[Entry<'static>] = &[
    ("0", "No findings; with --fix, none are left."),
    ("1", "Findings."),
    ("2", "Wrong usage, or input that could not be read or parsed."),
];

fn examples(subcommand: &str) -> &'static [Entry<'static>] {
    match subcommand {
        "" => &[
            ("imds-lint", "Check everything below this directory"),
            ("imds-lint --diff user-data.sh", "Show how a script would be rewritten"),
            ("imds-lint --fix --style curl scripts/", "Rewrite a directory to IMDSv2 by curl"),
            ("imds-lint --output sarif . > imds-lint.sarif", "Write a report for code scanning"),
            ("imds-lint --write-baseline baseline.json", "Begin with a tree that has many findings"),
        ],
        "rules" => &[("imds-lint rules", "List what is found, why it matters, and the fix")],
        "completions" => &[("source <(imds-lint completions bash)", "Complete in this Bash")],
        "man" => &[("imds-lint man rules | man -l -", "Show the manual page of a subcommand")],
        _ => &[],
    }
}

/// What an argument takes, where the declaration does not show it.
fn values(_: &[&str], argument: &Arg) -> Option<Values> {
    let name = argument.get_value_names().and_then(|names| names.first())?;
    match name.as_str() {
        "RULE" => Some(Values::Words(
            catalogue::RULES.iter().map(|rule| (rule.id.to_owned(), rule.title.to_owned())).collect(),
        )),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_has_a_page_with_all_sections_and_examples_that_parse() {
        let problems = PROGRAM.problems();
        assert!(problems.is_empty(), "{}", problems.join("\n"));
    }

    #[test]
    fn the_page_has_every_option() {
        let page = PROGRAM.page(&[]).unwrap();
        for part in ["\\-\\-fix", "\\-\\-baseline", "\\-\\-stdin\\-name"] {
            assert!(page.contains(part), "{part} in {page}");
        }
        assert_eq!(PROGRAM.page(&["nothing".to_owned()]).unwrap_err().name, "nothing");
    }
}
