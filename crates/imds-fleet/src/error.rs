//! Why a command could not do its work, as decisions a caller takes.

use crate::fault::{Fault, innermost};

/// A failure of the whole command, as opposed to a gap in a scan.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// There are no credentials.
    NoCredentials {
        /// Why.
        cause: String,
        /// The command that signs in.
        sign_in: Option<String>,
    },
    /// AWS does not accept the credentials.
    NotAccepted {
        /// What it says.
        fault: Fault,
        /// The command that signs in.
        sign_in: Option<String>,
    },
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
    pub(crate) fn no_credentials(error: &dyn std::error::Error, sign_in: Option<String>) -> Self {
        Self::NoCredentials { cause: innermost(error), sign_in }
    }

    /// What it means that STS does not say who calls.
    pub(crate) fn not_identified(fault: Fault, sign_in: Option<String>) -> Self {
        // "Common errors" (STS API reference), and those of the other services for the same.
        const NOT_ACCEPTED: [&str; 9] = [
            "InvalidClientTokenId",
            "SignatureDoesNotMatch",
            "UnrecognizedClientException",
            "AuthFailure",
            "InvalidAccessKeyId",
            "IncompleteSignature",
            "MissingAuthenticationToken",
            "ExpiredToken",
            "ExpiredTokenException",
        ];
        let expired = fault.reason == crate::inventory::resource::Reason::Expired;
        if expired || fault.code.as_deref().is_some_and(|code| NOT_ACCEPTED.contains(&code)) {
            return Self::NotAccepted { fault, sign_in };
        }
        Self::Call(fault)
    }

    /// What it means that a file that the command line names cannot be used: nothing was begun.
    pub(crate) fn unusable(doing: &str, path: &std::path::Path, source: &std::io::Error) -> Self {
        use std::io::ErrorKind;
        let why = match source.kind() {
            ErrorKind::NotFound => "it does not exist".to_owned(),
            ErrorKind::AlreadyExists => "it exists already; a plan is never overwritten".to_owned(),
            ErrorKind::IsADirectory => "it is a directory".to_owned(),
            ErrorKind::NotADirectory => "a part of the path is not a directory".to_owned(),
            ErrorKind::PermissionDenied => "permission denied".to_owned(),
            _ => source.to_string(),
        };
        Self::Input(format!("cannot {doing} `{}`: {why}", path.display()))
    }

    pub(crate) fn file(path: &std::path::Path, source: std::io::Error) -> Self {
        Self::File { path: path.display().to_string(), source }
    }

    pub(crate) fn from_file(error: imds_files::FileError) -> Self {
        Self::Refused(error)
    }

    /// What it means that a file cannot be opened before anything was begun.
    pub(crate) fn unopened(error: &imds_files::FileError) -> Self {
        match error.io() {
            Some(source) => Self::unusable("open", error.path(), source),
            None => Self::Input(error.to_string()),
        }
    }

    /// What a person can do about it, if there is something general to say.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        use crate::inventory::resource::Reason;
        let expired = |fault: &Fault| fault.reason == Reason::Expired;
        match self {
            Self::NoCredentials { sign_in: Some(command), .. } => Some(format!("run `{command}`")),
            Self::NoCredentials { sign_in: None, .. } => Some(
                "set `AWS_PROFILE`, or `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`; on an instance say \
                 `--instance-role`"
                    .to_owned(),
            ),
            Self::NotAccepted { sign_in: Some(command), fault } if expired(fault) => {
                Some(format!("the credentials have expired: run `{command}`"))
            }
            Self::NotAccepted { fault, .. } | Self::Call(fault) if expired(fault) => {
                Some("the credentials have expired: sign in again".to_owned())
            }
            Self::NotAccepted { .. } => Some(
                "`aws sts get-caller-identity` asks the same: check the access key, the secret key and the clock of \
                 this machine"
                    .to_owned(),
            ),
            _ => None,
        }
    }
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NoCredentials { .. } => f.write_str("no credentials"),
            Self::NotAccepted { fault, .. } => match fault.reason {
                crate::inventory::resource::Reason::Expired => fault.fmt(f),
                _ => write!(f, "AWS does not accept the credentials: {}", fault.gap().message),
            },
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
