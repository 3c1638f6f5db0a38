//! The command line.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use imds_model::duration;

use crate::driver::Plan;
use crate::failure::Failure;
use crate::machine::{Rules, When};
use crate::record::Verdict;
use crate::resolve::Given;

/// Answer Auto Scaling lifecycle hooks from the instance itself
#[derive(Debug, Parser)]
#[command(name = "imds-lifecycle", version, max_term_width = 100)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

const EXIT_STATUS: &str = "\
Exit status: 0 when it was stopped; 2 where the command line cannot be done; 1 for anything else.";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Run(Box<RunArgs>),
    /// Print the manual page, in roff
    Man,
    /// Print the completions for a shell
    Completions {
        /// The shell
        #[arg(value_enum)]
        shell: clap_complete::Shell,
    },
    #[command(hide = true)]
    KeepHook(KeepArgs),
}

/// Watch the target lifecycle state, and act on it until stopped
///
/// When the state comes up, its command is run; while it runs, Auto Scaling is sent heartbeats; when it has ended, the
/// lifecycle action is completed: CONTINUE where the command succeeded. The command has IMDS_LIFECYCLE_STATE and
/// IMDS_INSTANCE_ID.
///
/// Killed or restarted in the middle of an action, it goes on where it was: the command is not run again, and heartbeats
/// are sent at once. For that it keeps a journal in STATE_DIRECTORY (systemd: StateDirectory=). The credentials that the
/// calls are signed with come from the metadata service. Where RUNTIME_DIRECTORY names a directory (systemd:
/// RuntimeDirectory= with RuntimeDirectoryPreserve=restart), they are kept there while an action is worked on, so that a
/// restart while the metadata service is away does not stop the heartbeats; without one they stop until it is back.
#[derive(Args, Debug)]
#[command(after_long_help = EXIT_STATUS)]
pub(crate) struct RunArgs {
    /// Run this shell command when the instance is to be terminated
    #[arg(long, value_name = "COMMAND")]
    exec: Option<String>,

    /// Run this shell command for that target lifecycle state (can be repeated)
    #[arg(long, value_name = "STATE=COMMAND", value_parser = state_command)]
    on: Vec<(String, String)>,

    /// When to complete the action
    #[arg(long, value_name = "WHEN", value_enum, default_value = "on-exit")]
    complete: When,

    /// What to tell Auto Scaling where the command failed: abandon or continue
    #[arg(long, value_name = "RESULT", value_parser = verdict, default_value = "abandon")]
    on_failure: Verdict,

    /// Auto Scaling group, in place of the one that the instance's tag names
    #[arg(long, value_name = "NAME")]
    group: Option<String>,

    /// Find the group's name in JSON user data by this JMESPath expression, where no tag names it
    #[arg(long, value_name = "EXPRESSION")]
    group_query: Option<String>,

    /// Lifecycle hook, in place of the group's only one for the transition
    #[arg(long, value_name = "NAME")]
    hook: Option<String>,

    /// Find the hook's name in JSON user data by this JMESPath expression
    #[arg(long, value_name = "EXPRESSION", conflicts_with = "hook")]
    hook_query: Option<String>,

    /// Send heartbeats this often, in place of a third of the hook's heartbeat timeout
    #[arg(long, value_name = "DURATION", value_parser = duration::parse_positive)]
    heartbeat: Option<Duration>,

    /// End a command that takes longer than this
    #[arg(long, value_name = "DURATION", value_parser = duration::parse_positive)]
    exec_timeout: Option<Duration>,

    /// Ask for the state this often
    #[arg(long, value_name = "DURATION", value_parser = duration::parse_positive, default_value = "5s")]
    interval: Duration,

    /// Keep the journal in this directory; STATE_DIRECTORY, as systemd sets it, is the usual place
    #[arg(long, value_name = "DIRECTORY", default_value = "/var/lib/imds-lifecycle")]
    state: PathBuf,

    /// Say what would be done: run no command, and change nothing on the disk or in Auto Scaling
    #[arg(long)]
    dry_run: bool,
}

/// Run a command once and keep its result
#[derive(Args, Debug)]
pub(crate) struct KeepArgs {
    pub(crate) directory: PathBuf,
    pub(crate) number: u64,
    #[arg(long, value_parser = duration::parse_positive)]
    pub(crate) timeout: Option<Duration>,
    #[arg(last = true)]
    pub(crate) command: String,
}

impl RunArgs {
    /// What the daemon is to do. The two directories are what systemd gives.
    pub(crate) fn plan(
        self,
        state_directory: Option<PathBuf>,
        runtime_directory: Option<PathBuf>,
    ) -> Result<Plan, Failure> {
        let terminated = self.exec.map(|command| ("Terminated".to_owned(), command));
        let commands: Vec<(String, String)> = terminated.into_iter().chain(self.on).collect();
        let mut states: Vec<String> = commands.iter().map(|(state, _)| state.clone()).collect();
        states.sort();
        states.dedup();
        if states.len() < commands.len() {
            return Err(Failure::usage("a state has two commands")
                .hint("`--exec` is short for `--on Terminated=COMMAND`"));
        }
        if states.is_empty() {
            return Err(Failure::usage("no command is given")
                .hint("`--exec COMMAND` runs one when the instance is to be terminated"));
        }
        let usual = self.state.as_os_str() == "/var/lib/imds-lifecycle";
        let directory = state_directory.filter(|_| usual).unwrap_or(self.state);
        Ok(Plan {
            rules: Rules {
                states,
                complete: self.complete,
                on_failure: self.on_failure,
                heartbeat: self.heartbeat,
            },
            commands,
            given: Given {
                group: self.group,
                hook: self.hook,
                group_query: self.group_query,
                hook_query: self.hook_query,
            },
            interval: self.interval,
            hook_timeout: self.exec_timeout,
            directory,
            runtime_directory,
            dry_run: self.dry_run,
        })
    }
}

fn state_command(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((state, command)) if !state.is_empty() && !command.is_empty() => {
            Ok((state.to_owned(), command.to_owned()))
        }
        _ => Err("it is not of the form `STATE=COMMAND`".to_owned()),
    }
}

fn verdict(text: &str) -> Result<Verdict, String> {
    match text {
        "abandon" => Ok(Verdict::Abandon),
        "continue" => Ok(Verdict::Continue),
        _ => Err("it is none of `abandon`, `continue`".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    fn plan(arguments: &[&str]) -> Result<Plan, String> {
        let words = ["imds-lifecycle", "run"].iter().chain(arguments);
        match Cli::try_parse_from(words).map_err(|error| error.to_string())?.command {
            Command::Run(args) => {
                args.plan(Some("/run/given".into()), None).map_err(|failure| failure.report())
            }
            other => Err(format!("not run: {other:?}")),
        }
    }

    #[test]
    fn the_tree_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn states_and_commands() {
        let plan = plan(&["--exec", "a", "--on", "InService=b=c", "--interval", "250ms"]).unwrap();
        let expected = [("Terminated", "a"), ("InService", "b=c")].map(|(s, c)| (s.to_owned(), c.to_owned()));
        assert_eq!(plan.commands, expected);
        assert_eq!((plan.interval, plan.directory), (Duration::from_millis(250), "/run/given".into()));
    }

    #[test]
    fn wrong_words() {
        for (arguments, told) in [
            (&[][..], "error: no command is given\nhint: `--exec COMMAND` runs one"),
            (
                &["--exec", "a", "--on", "Terminated=b"],
                "error: a state has two commands\nhint: `--exec` is short",
            ),
            (&["--on", "Terminated"], "it is not of the form `STATE=COMMAND`"),
            (&["--exec", "a", "--on-failure", "x"], "it is none of `abandon`, `continue`"),
            (&["--exec", "a", "--heartbeat", "1w"], "`1w` has an unknown unit"),
            (&["--exec", "a", "--heartbeat", "0"], "`0` is zero; it must be at least `1ms`"),
        ] {
            let error = plan(arguments).unwrap_err();
            assert!(error.contains(told), "{error}");
        }
    }
}
