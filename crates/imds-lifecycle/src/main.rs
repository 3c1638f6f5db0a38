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
mod machine;
mod record;
mod resolve;

use std::io::Write as _;
use std::process::ExitCode;

use clap::Parser as _;
use imds::Environment as _;

use cli::{Cli, Command};
use failure::Failure;

fn main() -> ExitCode {
    let result = match Cli::parse().command {
        Command::Run(args) => run(*args),
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
    let plan = args.plan(imds::SystemEnvironment.path_variable("STATE_DIRECTORY"))?;
    let imds = imds::AsyncClient::builder().build_async()?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::new("cannot start").caused_by(&error))?;
    tokio::task::LocalSet::new().block_on(&runtime, driver::run(imds, plan))
}

/// Tells what happens, on stderr, where systemd's journal takes it from.
fn say(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}
