//! What the program does, one file per subcommand, and how it ends.
#![allow(clippy::print_stderr, reason = "the one place that reports errors")]

mod baseline;
mod lint;
mod rules;

use std::io::{self, Write as _};

use crate::cli::{Cli, Command};
use crate::manual;

/// No findings.
pub const CLEAN: u8 = 0;
/// Findings.
pub const FINDINGS: u8 = 1;
/// A usage error, or input that could not be read or parsed.
pub const UNREAD: u8 = 2;

/// Why the program ends early.
#[derive(Debug)]
pub struct Failure {
    /// What could not be done.
    pub message: String,
    /// What to do.
    pub hint: Option<String>,
}

impl Failure {
    fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), hint: None }
    }
}

fn unknown_page(unknown: &imds_usage::UnknownSubcommand) -> Failure {
    let shown = imds_model::printable::brief(&unknown.name);
    Failure {
        message: format!("cannot find a manual page: there is no subcommand `{shown}`"),
        hint: Some("`imds-lint --help` lists them".to_owned()),
    }
}

/// Runs the program and gives its exit status.
#[must_use]
pub fn run(cli: &Cli) -> u8 {
    let mut out = io::BufWriter::new(imds_stdout::stdout());
    let written = match &cli.command {
        Some(Command::Rules(args)) => rules::run(args, &mut out).map(|()| Ok(CLEAN)),
        Some(Command::Man { subcommand }) => match manual::PROGRAM.page(subcommand) {
            Ok(page) => out.write_all(page.as_bytes()).map(|()| Ok(CLEAN)),
            Err(unknown) => Ok(Err(unknown_page(&unknown))),
        },
        Some(Command::Completions { shell }) => {
            out.write_all(manual::PROGRAM.completions(*shell).as_bytes()).map(|()| Ok(CLEAN))
        }
        None => lint::run(&cli.check, &mut out),
    };
    let ended = written.and_then(|status| out.flush().map(|()| status));
    match ended {
        Ok(Ok(status)) => status,
        Ok(Err(failure)) => {
            eprintln!("error: {}", failure.message);
            if let Some(hint) = failure.hint {
                eprintln!("hint: {hint}");
            }
            UNREAD
        }
        // Nobody reads any more: as `grep | head` does it.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => CLEAN,
        Err(error) => {
            eprintln!("error: cannot write the output: {error}");
            UNREAD
        }
    }
}
