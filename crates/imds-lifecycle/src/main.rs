//! The command `imds-lifecycle`: answers Auto Scaling lifecycle hooks from the instance itself.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::panic))]

mod aws;
mod cli;
mod counts;
mod daemon;
mod failure;
mod journal;
mod machine;
mod manual;
mod supervisor;

use std::io::Write as _;
use std::process::ExitCode;

use clap::FromArgMatches as _;
use imds::Environment as _;

use cli::{Cli, Command};
use failure::Failure;

fn main() -> ExitCode {
    let mut out = imds_stdout::stdout();
    let mut print = |text: String| {
        out.write_all(text.as_bytes())
            .map_err(|error| Failure::new("cannot write to stdout").caused_by(&error))
    };
    let matches = manual::PROGRAM.command().get_matches();
    let result = match Cli::from_arg_matches(&matches).unwrap_or_else(|error| error.exit()).command {
        Command::Run(args) => run(*args),
        Command::Man { subcommand } => manual::page(&subcommand).and_then(print),
        Command::Completions { shell } => print(manual::PROGRAM.completions(shell)),
        Command::Supervise(args) => return args.run().into(),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            // If stderr is gone there is nobody left to tell.
            let _ = std::io::stderr().write_all(failure.report().as_bytes());
            ExitCode::from(failure.code())
        }
    }
}

fn run(args: cli::RunArgs) -> Result<(), Failure> {
    let given = |name| imds::SystemEnvironment.path_variable(name);
    let plan = args.plan(given("STATE_DIRECTORY"), given("RUNTIME_DIRECTORY"))?;
    daemon::run(plan)
}

/// Tells what happens, on stderr, where systemd's journal takes it from.
fn say(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}
