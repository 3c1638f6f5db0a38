//! The command `imds-trace`: shows which processes of this machine talk to the EC2 instance
//! metadata service, by IMDSv1 or IMDSv2.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::panic))]

mod cli;
mod commands;
mod endpoint;
mod failure;
mod host;
mod manual;
mod output;
mod report;
mod trace;
mod who;

use std::io::Write as _;
use std::process::ExitCode;

use clap::FromArgMatches as _;

fn main() -> ExitCode {
    let matches = manual::PROGRAM.command().get_matches();
    let cli = cli::Cli::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    match commands::run(cli) {
        Ok(code) => code,
        Err(failure) if failure.is_reader_gone() => ExitCode::SUCCESS,
        Err(failure) => {
            // Where stderr is gone there is nobody left to tell.
            let _ = std::io::stderr().write_all(failure.report().as_bytes());
            ExitCode::from(failure.code())
        }
    }
}
