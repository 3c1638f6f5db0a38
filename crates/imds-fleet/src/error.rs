//! Why a command could not do its work, as decisions a caller takes.

use crate::aws::fault::{Fault, innermost};

/// A failure of the whole command, as opposed to a gap in a scan.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// No credentials were given.
    NoCredentials(String),
    /// An option, policy, plan or other input is wrong.
    Input(String),
    /// A file could not be read or written.
    File {
        /// Which.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// A file could not be used; the error names it.
    Refused(imds_files::FileError),
    /// An AWS call that everything depends on failed.
    Call(Fault),
    /// AWS calls in several accounts and Regions failed.
    Calls(Vec<String>),
    /// The work was stopped on purpose before its end.
    Stopped(String),
}

impl Error {
    pub(crate) fn no_credentials(error: &dyn std::error::Error) -> Self {
        Self::NoCredentials(innermost(error))
    }

    pub(crate) fn file(path: &std::path::Path, source: std::io::Error) -> Self {
        Self::File { path: path.display().to_string(), source }
    }

    pub(crate) fn from_file(error: imds_files::FileError) -> Self {
        Self::Refused(error)
    }

    /// What a person can do about it, if there is something general to say.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        use crate::inventory::resource::Reason;
        match self {
            Self::NoCredentials(_) => Some(
                "set `AWS_PROFILE`, or `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`; on an instance say \
                 `--instance-role`",
            ),
            Self::Call(fault) if fault.reason == Reason::Expired => {
                Some("the credentials have expired: sign in again")
            }
            _ => None,
        }
    }
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NoCredentials(_) => f.write_str("no credentials"),
            Self::Input(text) | Self::Stopped(text) => f.write_str(text),
            Self::File { path, .. } => write!(f, "cannot use `{path}`"),
            Self::Refused(error) => error.fmt(f),
            Self::Call(fault) => fault.fmt(f),
            Self::Calls(lines) => {
                write!(f, "{} calls failed:", lines.len())?;
                lines.iter().try_for_each(|line| write!(f, "\n  {line}"))
            }
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::File { source, .. } => Some(source),
            _ => None,
        }
    }
}
