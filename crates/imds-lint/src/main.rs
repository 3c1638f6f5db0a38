//! The command `imds-lint`.

use std::process::ExitCode;

use clap::Parser;
use imds_lint::cli::Cli;
use imds_lint::commands;

fn main() -> ExitCode {
    ExitCode::from(commands::run(&Cli::parse()))
}
