//! The commands, one file each, and what they share.

pub mod apply;
pub mod audit;
mod completions;
pub mod man;
mod next;
pub mod plan;
mod policy;
mod progress;
pub mod report;
pub mod rollback;
pub mod rules;
pub mod scan;
pub mod state;
pub mod usage;

use std::io::Write as _;

use crate::cli::Command;
use crate::error::Error;
use crate::output::written;

/// Runs a command on the standard output.
///
/// # Errors
///
/// Returns an error if it could not do its work.
pub async fn run(command: &Command) -> Result<End, Error> {
    let mut out = std::io::BufWriter::new(imds_stdout::stdout());
    let end = match command {
        Command::State(args) => state::run(args, &mut out).await,
        Command::Audit(args) => audit::run(args, &mut out).await,
        Command::Usage(args) => usage::run(args, &mut out).await,
        Command::Report(args) => report::run(args, &mut out).await,
        Command::Plan(args) => plan::run(args, &mut out).await,
        Command::Apply(args) => apply::run(args, &mut out).await,
        Command::Rollback(args) => rollback::run(args, &mut out).await,
        Command::Rules(args) => rules::run(args, &mut out),
        Command::Policy(args) => policy::run(args, &mut out),
        Command::Completions(args) => completions::run(args, &mut out),
        Command::Man(args) => man::run(args, &mut out),
    };
    // What was found before a failure is worth having, too.
    let flushed = out.flush();
    if flushed.as_ref().is_err_and(|error| error.kind() == std::io::ErrorKind::BrokenPipe) {
        return end;
    }
    end.and_then(|end| written(flushed).map(|()| end))
}

/// How a command ended, for the exit status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// All done, nothing to report.
    Clean,
    /// All done, and there are findings.
    Findings,
    /// Wrong usage or configuration.
    Usage,
    /// Something could not be scanned or done.
    Incomplete,
}

impl End {
    /// The exit status.
    #[must_use]
    pub const fn status(self) -> u8 {
        match self {
            Self::Clean => 0,
            Self::Findings => 1,
            Self::Usage => 2,
            Self::Incomplete => 3,
        }
    }

    /// The end that a failure of the whole command is.
    #[must_use]
    pub const fn of(error: &Error) -> Self {
        match error {
            Error::NoCredentials { .. } | Error::NotAccepted { .. } | Error::Input(_) => Self::Usage,
            _ => Self::Incomplete,
        }
    }
}
