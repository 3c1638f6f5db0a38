//! The commands, one file each, and what they share.

pub mod apply;
pub mod audit;
pub mod gather;
pub mod plan;
pub mod rollback;
pub mod rules;
pub mod state;

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
    /// Every end, in the order of the statuses.
    pub const ALL: [Self; 4] = [Self::Clean, Self::Findings, Self::Usage, Self::Incomplete];

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
    pub const fn of(error: &crate::error::Error) -> Self {
        use crate::error::Error;
        match error {
            Error::NoCredentials(_) | Error::Input(_) => Self::Usage,
            Error::File { .. } | Error::Call(_) | Error::Stopped(_) => Self::Incomplete,
        }
    }
}
