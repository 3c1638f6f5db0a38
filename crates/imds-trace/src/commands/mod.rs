//! The subcommands.

mod advise;
mod trace;

use std::io::{self, Write as _};
use std::process::ExitCode;

use crate::cli::{Cli, Command};
use crate::failure::{Exit, Failure};
use crate::manual;

/// Runs what the command line says.
pub(crate) fn run(cli: Cli) -> Result<ExitCode, Failure> {
    let printed = match cli.command {
        None => return trace::run(cli.trace),
        Some(Command::Advise(args)) => return advise::run(&args).map(|()| ExitCode::SUCCESS),
        Some(Command::Man { subcommand }) => {
            let page = manual::PROGRAM.page(&subcommand).map_err(|unknown| {
                let shown = imds_model::printable::brief(&unknown.name);
                let message = format!("cannot find a manual page: there is no subcommand `{shown}`");
                Failure::new(Exit::Usage, message).hint("`imds-trace --help` lists them")
            })?;
            imds_stdout::stdout().write_all(page.as_bytes())
        }
        Some(Command::Completions { shell }) => {
            imds_stdout::stdout().write_all(manual::PROGRAM.completions(shell).as_bytes())
        }
    };
    match printed {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::new(Exit::Failed, "cannot write to stdout").caused_by(error))
        }
        _ => Ok(ExitCode::SUCCESS),
    }
}
