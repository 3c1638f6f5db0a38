//! What the manual pages, the help and the shell completions say beyond the declaration.

use clap::{Arg, CommandFactory as _};
use imds_model::env;
use imds_model::lifecycle::TargetLifecycleState;
use imds_usage::{Entry, Manual, Program, Values};

use crate::cli::Cli;
use crate::failure::Failure;

/// The program, by what is said here.
pub(crate) const PROGRAM: Program =
    Program { declaration: Cli::command, version: imds_usage::version!(), manual, values };

/// Returns the manual page of a subcommand in roff; that of the program, without one.
pub(crate) fn page(subcommand: &[String]) -> Result<String, Failure> {
    PROGRAM.page(subcommand).map_err(|unknown| {
        let shown = imds_model::printable::brief(&unknown.name);
        let message = format!("cannot find a manual page: there is no subcommand `{shown}`");
        Failure::usage(message).hint("`imds-lifecycle --help` lists them")
    })
}

fn manual(subcommand: &str) -> Manual<'static> {
    let is_run = matches!(subcommand, "" | "run");
    Manual {
        environment: if is_run { ENVIRONMENT } else { COLOUR },
        files: if is_run { FILES } else { &[("none", "It reads and writes no file.")] },
        exit_status: EXIT_STATUS,
        examples: examples(subcommand),
        see_also: if subcommand.is_empty() { &["imds"] } else { &[] },
    }
}

const COLOUR: &[Entry<'static>] = &[("NO_COLOR", "If set, help and errors are not coloured.")];

const ENVIRONMENT: &[Entry<'static>] = &[
    ("STATE_DIRECTORY", "Directory of the journal, as systemd sets it by StateDirectory=."),
    (
        "RUNTIME_DIRECTORY",
        "Directory in which credentials are cached while an action is worked on, as systemd sets it by \
         RuntimeDirectory=. Without it none are cached.",
    ),
    ("NOTIFY_SOCKET", "Socket of systemd, to which the daemon reports that it is ready and alive."),
    (env::ENDPOINT, "Endpoint URL of the metadata service."),
    (env::ENDPOINT_MODE, "Endpoint mode: IPv4, IPv6, or auto."),
    (env::CACHE_DIR, "Directory of the session token store."),
    ("HTTPS_PROXY, NO_PROXY", "Proxy of the calls to Auto Scaling; never of the metadata service."),
    ("AWS_CA_BUNDLE", "Certificates that the AWS API is trusted by, instead of the usual ones."),
    (
        "IMDS_LIFECYCLE_STATE, IMDS_LIFECYCLE_TRANSITION, IMDS_LIFECYCLE_GROUP, IMDS_LIFECYCLE_HOOK, \
         IMDS_LIFECYCLE_CAUSE, IMDS_INSTANCE_ID, IMDS_REGION, IMDS_DEADLINE, IMDS_SECONDS_LEFT",
        "Set for the command that the daemon runs.",
    ),
    ("NO_COLOR", "If set, help and errors are not coloured."),
];

const FILES: &[Entry<'static>] = &[
    ("/var/lib/imds-lifecycle/", "The journal, by which an action is resumed; see --state."),
    ("/etc/imds/lifecycle.conf", "COMMAND and OPTIONS of the unit imds-lifecycle.service."),
    ("/etc/imds/lifecycle-poweroff.conf", "OPTIONS of the unit imds-lifecycle-poweroff.service."),
];

const EXIT_STATUS: &[Entry<'static>] = &[
    ("0", "It was stopped, or what was asked for is printed."),
    ("1", "Anything unexpected."),
    ("2", "A command line or a group that cannot be worked with."),
];

fn examples(subcommand: &str) -> &'static [Entry<'static>] {
    match subcommand {
        "" | "run" => &[
            ("imds-lifecycle run --exec /usr/local/bin/drain", "Drain before the instance is terminated"),
            (
                "imds-lifecycle run --spot --exec /usr/local/bin/drain --on 'InService=/usr/local/bin/warm-up'",
                "Warm up at launch, and drain for a Spot interruption too",
            ),
            (
                "imds-lifecycle run --exec /usr/local/bin/drain --dry-run",
                "Say what would be done, and change nothing",
            ),
        ],
        "completions" => &[("source <(imds-lifecycle completions bash)", "Complete in this Bash")],
        "man" => &[("imds-lifecycle man run | man -l -", "Show the manual page of the daemon")],
        _ => &[],
    }
}

/// What an argument takes, where the declaration does not show it.
fn values(_: &[&str], argument: &Arg) -> Option<Values> {
    let name = argument.get_value_names().and_then(|names| names.first())?;
    match name.as_str() {
        "DIRECTORY" => Some(Values::Directories),
        "PROGRAM" | "COMMAND" => Some(Values::Command),
        "STATE=COMMAND" => Some(Values::Words(
            TargetLifecycleState::ALL
                .iter()
                .map(|state| (format!("{}=", state.as_str()), "target lifecycle state".to_owned()))
                .collect(),
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
        let mut command = Cli::command();
        command.build();
        let shown = command.find_subcommand("run").unwrap_or(&command);
        let page = PROGRAM.page(&["run".to_owned()]).unwrap();
        for argument in shown.get_arguments().filter(|argument| argument.get_long().is_some()) {
            let long = argument.get_long().unwrap().replace('-', "\\-");
            assert!(page.contains(&format!("\\fB\\-\\-{long}\\fR")), "{long}: {page}");
        }
        assert_eq!(PROGRAM.page(&["nothing".to_owned()]).unwrap_err().name, "nothing");
    }
}
