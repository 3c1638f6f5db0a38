//! The command `imds-lint`.

use std::process::ExitCode;

use clap::FromArgMatches as _;
use imds_lint::cli::Cli;
use imds_lint::{commands, manual};

fn main() -> ExitCode {
    let matches = manual::PROGRAM.command().get_matches();
    let cli = Cli::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    ExitCode::from(commands::run(&cli))
}
