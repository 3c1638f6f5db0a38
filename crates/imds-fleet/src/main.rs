//! Finds, judges and safely changes the instance metadata options of a fleet of EC2 instances.

#![cfg_attr(test, allow(clippy::unwrap_used))]
#![allow(unreachable_pub, reason = "a program: `pub` marks what other modules may use")]
#![allow(clippy::print_stderr, reason = "the one place that reports errors")]

mod aws;
mod change;
mod checkpoint;
mod cli;
mod clock;
mod commands;
mod counts;
mod error;
mod inventory;
mod output;
mod report;
mod rules;
mod scan;
mod shell;
mod source;
mod usage;

use std::error::Error as _;
use std::process::ExitCode;

use crate::cli::Cli;
use crate::commands::End;
use crate::error::Error;
use clap::Parser;
use imds_model::printable;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("error: cannot start\ncaused by: {error}");
            return ExitCode::from(End::Incomplete.status());
        }
    };
    let end = runtime.block_on(commands::run(&cli.command)).unwrap_or_else(|error| report(&error));
    ExitCode::from(end.status())
}

fn report(error: &Error) -> End {
    if let Error::File { source, .. } = error
        && source.kind() == std::io::ErrorKind::BrokenPipe
    {
        return End::Clean;
    }
    // What others wrote may be in it: names of files, answers of services.
    let shown = |text: String| printable::escape_lines(&text).into_owned();
    eprintln!("error: {}", shown(error.to_string()));
    if let Error::NoCredentials { cause, .. } = error {
        eprintln!("caused by: {}", shown(cause.clone()));
    }
    let mut source = error.source();
    while let Some(cause) = source {
        eprintln!("caused by: {}", shown(cause.to_string()));
        source = cause.source();
    }
    if let Some(hint) = error.hint() {
        eprintln!("hint: {}", shown(hint));
    }
    End::of(error)
}
