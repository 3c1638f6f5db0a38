//! Finds, judges and safely changes the instance metadata options of a fleet of EC2 instances.

#![cfg_attr(test, allow(clippy::unwrap_used))]
#![allow(unreachable_pub, reason = "a program: `pub` marks what other modules may use")]

mod aws;
mod change;
mod checkpoint;
mod cli;
mod clock;
mod commands;
mod counts;
mod error;
mod fault;
mod inventory;
mod manual;
mod output;
mod report;
mod reporter;
mod rules;
mod scan;
mod shell;
mod source;
mod trace;
mod usage;
mod user_data;

use std::process::ExitCode;

use crate::cli::Cli;
use clap::FromArgMatches as _;

fn main() -> ExitCode {
    let matches = manual::PROGRAM.command().get_matches();
    let cli = Cli::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            return ExitCode::from(reporter::cannot_start(&error).status());
        }
    };
    let end = runtime.block_on(commands::run(&cli.command)).unwrap_or_else(|error| reporter::report(&error));
    ExitCode::from(end.status())
}
