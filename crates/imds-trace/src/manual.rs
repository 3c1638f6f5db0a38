//! What the manual pages, the help and the shell completions say beyond the declaration.

use clap::{Arg, CommandFactory as _};
use imds_usage::{Entry, Manual, Program, Values};

use crate::cli::Cli;

/// The program, by what is said here.
pub(crate) const PROGRAM: Program =
    Program { declaration: Cli::command, version: imds_usage::version!(), manual, values };

fn manual(subcommand: &str) -> Manual<'static> {
    Manual {
        environment: &[("NO_COLOR", "If set, help and errors are not coloured.")],
        files: match subcommand {
            "" => FILES,
            _ => &[("none", "It reads and writes no file but those that its arguments name.")],
        },
        exit_status: EXIT_STATUS,
        examples: examples(subcommand),
        see_also: if subcommand.is_empty() { &["imds"] } else { &[] },
    }
}

const FILES: &[Entry<'static>] = &[
    ("/sys/fs/cgroup", "The cgroup v2 tree, to whose root the programs are attached; see --cgroup."),
    ("/proc", "Processes, below the directory of --host-root."),
    ("/sys/kernel/btf/vmlinux", "The types of the running kernel."),
];

const EXIT_STATUS: &[Entry<'static>] = &[
    ("0", "Done."),
    ("1", "Anything unexpected; with --fail-on-v1, a request by IMDSv1 was seen."),
    ("2", "Wrong usage or configuration."),
    ("4", "This kernel cannot trace: it is too old, or built without what is needed."),
    ("5", "The kernel refuses: missing capabilities, or lockdown."),
    ("6", "With --fail-on-v1: none was seen, but events were lost or requests could not be read."),
];

fn examples(subcommand: &str) -> &'static [Entry<'static>] {
    match subcommand {
        "" => &[
            ("sudo imds-trace", "Show a live table"),
            ("sudo imds-trace --for 24h --output json > trace.jsonl", "Record a day"),
            ("sudo imds-trace --for 1h --summary --v1-only", "Count the requests by IMDSv1, by caller"),
            ("sudo imds-trace --for 10m --fail-on-v1", "Fail a test in which a process uses IMDSv1"),
        ],
        "advise" => &[("imds-trace advise trace.jsonl", "Print what to do about each caller of IMDSv1")],
        "completions" => &[("source <(imds-trace completions bash)", "Complete in this Bash")],
        "man" => &[("imds-trace man advise | man -l -", "Show the manual page of a subcommand")],
        _ => &[],
    }
}

/// What an argument takes, where the declaration does not show it.
fn values(_: &[&str], argument: &Arg) -> Option<Values> {
    let name = argument.get_value_names().and_then(|names| names.first())?;
    match name.as_str() {
        "DIRECTORY" => Some(Values::Directories),
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
        let mut command = Cli::command();
        command.build();
        let shown = command.find_subcommand("none").unwrap_or(&command);
        let page = PROGRAM.page(&[]).unwrap();
        for argument in shown.get_arguments().filter(|argument| argument.get_long().is_some()) {
            let long = argument.get_long().unwrap().replace('-', "\\-");
            assert!(page.contains(&format!("\\fB\\-\\-{long}\\fR")), "{long}: {page}");
        }
        assert_eq!(PROGRAM.page(&["nothing".to_owned()]).unwrap_err().name, "nothing");
    }
}
