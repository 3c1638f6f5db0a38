//! The command `imds-lifecycle`: answers Auto Scaling lifecycle hooks from the instance itself.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::panic))]

mod api;
mod cli;
mod credentials;
mod details;
mod driver;
mod failure;
mod journal;
mod keeper;
mod kept;
mod machine;
mod manual;
mod record;
mod resolve;

use std::io::Write as _;
use std::process::ExitCode;

use clap::Parser as _;
use imds::Environment as _;

use cli::{Cli, Command};
use failure::Failure;

fn main() -> ExitCode {
    let mut out = std::io::stdout();
    let unwritten = |error| Failure::new("cannot write to stdout").caused_by(&error);
    let result = match Cli::parse().command {
        Command::Run(args) => run(*args),
        Command::Man => manual::page(&mut out).map_err(unwritten),
        Command::Completions { shell } => manual::completions(shell, &mut out).map_err(unwritten),
        Command::KeepHook(args) => {
            let files = keeper::HookFiles::new(&args.directory, args.number);
            keeper::keep(&files, &args.command, args.timeout)
                .map_err(|error| Failure::new("cannot keep the command's result").caused_by(&error))
        }
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            // Where stderr is gone there is nobody left to tell.
            let _ = std::io::stderr().write_all(failure.report().as_bytes());
            ExitCode::from(failure.code())
        }
    }
}

fn run(args: cli::RunArgs) -> Result<(), Failure> {
    let given = |name| imds::SystemEnvironment.path_variable(name);
    let plan = args.plan(given("STATE_DIRECTORY"), given("RUNTIME_DIRECTORY"))?;
    driver::run_to_the_end(plan)
}

/// Tells what happens, on stderr, where systemd's journal takes it from.
fn say(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}
