//! The command line.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use imds_model::duration;
use imds_model::lifecycle::TargetLifecycleState;
use imds_watch::command::Command as HookCommand;

use crate::aws::resolve::Given;
use crate::daemon::Plan;
use crate::failure::Failure;
use crate::machine::record::ActionResult;
use crate::machine::{Complete, Rules, When};
use crate::supervisor::{self, HookFiles};

/// Answer Auto Scaling lifecycle hooks from the instance itself
#[derive(Debug, Parser)]
#[command(name = "imds-lifecycle", version = imds_usage::version!(), max_term_width = 100)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

const EXIT_STATUS: &str = "\
Exit status: 0 when it was stopped; 2 for a command line or a group that cannot be worked with; 1 for anything else.";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Run(Box<RunArgs>),
    /// Print a manual page, in roff
    Man {
        /// Subcommand whose page to print; without one, the page of `imds-lifecycle`
        #[arg(value_name = "SUBCOMMAND")]
        subcommand: Vec<String>,
    },
    /// Print the completions for a shell
    Completions {
        /// The shell
        #[arg(value_enum)]
        shell: imds_usage::Shell,
    },
    #[command(hide = true)]
    Supervise(SuperviseArgs),
}

/// Watch the target lifecycle state, and act on it until stopped
///
/// When the state is announced, its command is run; while it runs, Auto Scaling is sent heartbeats;
/// when it has ended, the lifecycle action is completed: CONTINUE if the command succeeded. Behind
/// a load balancer the action opens minutes after the announcement; the daemon completes it then.
/// If the target state changes, the command is ended and its action dropped: a termination does not
/// wait for a launch.
///
/// The command has IMDS_LIFECYCLE_STATE, IMDS_LIFECYCLE_TRANSITION, IMDS_LIFECYCLE_GROUP,
/// IMDS_LIFECYCLE_HOOK, IMDS_LIFECYCLE_CAUSE (lifecycle or spot-interruption), IMDS_INSTANCE_ID,
/// IMDS_REGION, IMDS_DEADLINE (RFC 3339) and IMDS_SECONDS_LEFT in its environment.
///
/// Killed or restarted in the middle of an action, the daemon resumes it: the command is not run
/// again, and heartbeats are sent at once. For that it keeps a journal in STATE_DIRECTORY (systemd:
/// StateDirectory=). If the journal cannot be used, it says so and works without. The credentials
/// that sign the calls come from the metadata service. If RUNTIME_DIRECTORY names a directory
/// (systemd: RuntimeDirectory= with RuntimeDirectoryPreserve=restart), they are cached there while
/// an action is worked on, so that a restart while the metadata service is away does not stop the
/// heartbeats. HTTPS_PROXY, NO_PROXY and AWS_CA_BUNDLE count for the AWS API and never for the
/// metadata service.
#[derive(Args, Debug)]
#[command(after_long_help = EXIT_STATUS)]
pub(crate) struct RunArgs {
    /// Run this shell command when the instance is to be terminated, from service or from a warm
    /// pool
    #[arg(long, value_name = "COMMAND")]
    exec: Option<String>,

    /// Run this shell command for that target lifecycle state (can be repeated)
    #[arg(long, value_name = "STATE=COMMAND", value_parser = state_command)]
    on: Vec<(TargetLifecycleState, String)>,

    /// Run the command of state Terminated for a Spot interruption too; it runs once, whichever
    /// comes first
    #[arg(long)]
    spot: bool,

    /// When to start the command
    #[arg(long, value_name = "WHEN", value_enum, default_value = "announced")]
    when: When,

    /// When to complete the action
    #[arg(long, value_name = "WHEN", value_enum, default_value = "on-exit")]
    complete: Complete,

    /// What to tell Auto Scaling if the command failed
    #[arg(long, value_name = "RESULT", value_enum, default_value = "abandon")]
    on_failure: ActionResult,

    /// Start a failing command up to N times more, with exponential backoff: after at most 5 s,
    /// 10 s, 20 s and so on; by default 0 times, and 2 times with `--complete on-stop`
    #[arg(long, value_name = "N")]
    exec_retries: Option<u32>,

    /// End a command that takes longer than this; by default until Auto Scaling itself would end
    /// the action: 100 times the hook's heartbeat timeout, at most 48 hours
    #[arg(long, value_name = "DURATION", value_parser = duration::parse_positive)]
    exec_timeout: Option<Duration>,

    /// Run commands by this program, which is given `-c COMMAND`, instead of /bin/sh
    #[arg(long, value_name = "PROGRAM")]
    shell: Option<PathBuf>,

    /// Auto Scaling group, instead of the one that the instance's tag names
    #[arg(long, value_name = "NAME")]
    group: Option<String>,

    /// Find the group's name in JSON user data by this JMESPath expression, if no tag names it
    #[arg(long, value_name = "EXPRESSION")]
    group_query: Option<String>,

    /// Lifecycle hook, instead of the group's only one for the transition (can be repeated: served
    /// in order)
    #[arg(long, value_name = "NAME")]
    hook: Vec<String>,

    /// Find the hook's name in JSON user data by this JMESPath expression
    #[arg(long, value_name = "EXPRESSION", conflicts_with = "hook")]
    hook_query: Option<String>,

    /// Send heartbeats this often, instead of a third of the hook's heartbeat timeout
    #[arg(long, value_name = "DURATION", value_parser = duration::parse_positive)]
    heartbeat: Option<Duration>,

    /// Poll interval
    #[arg(long, value_name = "DURATION", value_parser = duration::parse_positive, default_value = "5s")]
    interval: Duration,

    /// When the machine goes down, wait this long for the command and for the action to open
    #[arg(long, value_name = "DURATION", value_parser = duration::parse_positive, default_value = "6m")]
    stop_timeout: Duration,

    /// Keep the journal in this directory; STATE_DIRECTORY, as systemd sets it, is the usual place
    #[arg(long, value_name = "DIRECTORY", default_value = DIRECTORY)]
    state: PathBuf,

    /// Serve metrics in the OpenMetrics format on this address
    #[arg(long, value_name = "ADDRESS")]
    metrics: Option<SocketAddr>,

    /// Say what would be done: run no command, and change nothing on the disk or in Auto Scaling
    #[arg(long)]
    dry_run: bool,
}

const DIRECTORY: &str = "/var/lib/imds-lifecycle";

/// Run a command once and keep its result
#[derive(Args, Debug)]
pub(crate) struct SuperviseArgs {
    directory: PathBuf,
    number: u64,
    #[arg(long, value_parser = duration::parse)]
    limit: Duration,
    #[arg(long)]
    shell: Option<PathBuf>,
    #[arg(last = true)]
    command: String,
}

impl SuperviseArgs {
    /// Returns the exit code.
    pub(crate) fn run(&self) -> u8 {
        let command = HookCommand::new(&self.command);
        let command = match &self.shell {
            Some(shell) => command.shell(shell),
            None => command,
        };
        supervisor::supervise(&self.directory, &HookFiles::new(self.number), &command, self.limit)
    }
}

impl RunArgs {
    /// What the daemon is to do. The two directories are what systemd gives.
    pub(crate) fn plan(
        self,
        state_directory: Option<PathBuf>,
        runtime_directory: Option<PathBuf>,
    ) -> Result<Plan, Failure> {
        use TargetLifecycleState::{Terminated, WarmedTerminated};
        let mut commands = self.on;
        if let Some(command) = self.exec {
            if command.trim().is_empty() {
                return Err(Failure::usage("the command of `--exec` is empty")
                    .hint("a unit takes it from COMMAND in /etc/imds/lifecycle.conf"));
            }
            // One that is given by itself takes precedence in the warm pool.
            if !commands.iter().any(|(state, _)| *state == WarmedTerminated) {
                commands.push((WarmedTerminated, command.clone()));
            }
            commands.push((Terminated, command));
        }
        let mut states: Vec<TargetLifecycleState> = commands.iter().map(|(state, _)| *state).collect();
        states.sort();
        states.dedup();
        if states.len() < commands.len() {
            return Err(Failure::usage("a state has two commands")
                .hint("`--exec` is short for `--on Terminated=COMMAND --on Warmed:Terminated=COMMAND`"));
        }
        if states.is_empty() {
            return Err(Failure::usage("no command is given")
                .hint("`--exec COMMAND` runs one when the instance is to be terminated"));
        }
        if self.spot && !states.contains(&Terminated) {
            return Err(Failure::usage("`--spot` needs a command for state `Terminated`")
                .hint("`--exec COMMAND` gives one"));
        }
        let usual = self.state.as_os_str() == DIRECTORY;
        let directory = state_directory.filter(|_| usual).unwrap_or(self.state);
        let retries = if self.complete == Complete::OnStop { 2 } else { 0 };
        Ok(Plan {
            rules: Rules {
                states: states.iter().map(ToString::to_string).collect(),
                when: self.when,
                complete: self.complete,
                on_failure: self.on_failure,
                retries: self.exec_retries.unwrap_or(retries),
                heartbeat: self.heartbeat,
                time_limit: self.exec_timeout,
                interval: self.interval,
                stop_timeout: self.stop_timeout,
            },
            commands: commands.into_iter().map(|(state, command)| (state.to_string(), command)).collect(),
            shell: self.shell,
            spot: self.spot,
            given: Given {
                group: self.group,
                hooks: self.hook,
                group_query: self.group_query,
                hook_query: self.hook_query,
            },
            directory,
            runtime_directory,
            metrics: self.metrics,
            dry_run: self.dry_run,
        })
    }
}

fn state_command(text: &str) -> Result<(TargetLifecycleState, String), String> {
    let (state, command) = text.split_once('=').ok_or("it is not of the form `STATE=COMMAND`")?;
    let state = state.parse::<TargetLifecycleState>().map_err(|error| error.to_string())?;
    if command.trim().is_empty() {
        return Err(format!("the command for `{state}` is empty"));
    }
    Ok((state, command.to_owned()))
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
        let mut plan = plan(&["--exec", "a", "--on", "InService=b=c", "--interval", "250ms"]).unwrap();
        plan.commands.sort();
        let expected = [("InService", "b=c"), ("Terminated", "a"), ("Warmed:Terminated", "a")];
        assert_eq!(plan.commands, expected.map(|(s, c)| (s.to_owned(), c.to_owned())));
        assert_eq!((plan.rules.interval, plan.directory), (Duration::from_millis(250), "/run/given".into()));
        assert_eq!(plan.rules.retries, 0);
    }

    #[test]
    fn a_shutdown_is_tried_three_times() {
        let retries = |arguments: &[&str]| plan(arguments).unwrap().rules.retries;
        assert_eq!(retries(&["--exec", "a", "--complete", "on-stop"]), 2);
        assert_eq!(retries(&["--exec", "a", "--complete", "on-stop", "--exec-retries", "0"]), 0);
    }

    #[test]
    fn wrong_words() {
        for (arguments, told) in [
            (&[][..], "error: no command is given\nhint: `--exec COMMAND` runs one"),
            (&["--exec", ""], "error: the command of `--exec` is empty"),
            (&["--exec", " \n"], "error: the command of `--exec` is empty"),
            (
                &["--exec", "a", "--on", "Terminated=b"],
                "error: a state has two commands\nhint: `--exec` is short",
            ),
            (&["--on", "Terminated"], "it is not of the form `STATE=COMMAND`"),
            (&["--on", "Terminated="], "the command for `Terminated` is empty"),
            (
                &["--on", "terminated=a"],
                "`terminated` is not a target lifecycle state; the states are `Detached`",
            ),
            (&["--on", "Terminating=a"], "`Terminating` is not a target lifecycle state; the states are"),
            (&["--on", "InService=a", "--spot"], "error: `--spot` needs a command for state `Terminated`"),
            (&["--exec", "a", "--on-failure", "x"], "[possible values: abandon, continue]"),
            (&["--exec", "a", "--heartbeat", "1w"], "has an unknown unit"),
            (&["--exec", "a", "--heartbeat", "0"], "is zero"),
        ] {
            let error = plan(arguments).unwrap_err();
            assert!(error.contains(told), "{error}");
        }
    }
}
