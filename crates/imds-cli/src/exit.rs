//! The exit codes: the one table that help, man page and README show.

use imds::ErrorKind;

/// How the process ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Exit {
    Unexpected = 1,
    Usage = 2,
    NotFound = 3,
    Unreachable = 4,
    Refused = 5,
    Busy = 6,
    Deadline = 7,
    /// As in a shell: the command of `exec` cannot be run.
    NotRunnable = 126,
    /// As in a shell: the command of `exec` does not exist.
    NoCommand = 127,
}

/// The table, as manual pages show it.
pub(crate) const CODES: &[(&str, &str)] = &[
    ("0", "done"),
    ("1", "anything unexpected"),
    ("2", "usage or configuration"),
    ("3", "the path does not exist (404)"),
    ("4", "the service cannot be reached"),
    ("5", "refused (403, 401 after renewal, or disabled by the environment)"),
    ("6", "busy or failing after retries (429, 5xx)"),
    ("7", "deadline of `wait` passed"),
];

/// The table, as help shows it.
pub(crate) fn help() -> String {
    let rows = CODES.iter().map(|(code, meaning)| format!("\n  {code}  {meaning}"));
    std::iter::once("Exit codes:".to_owned()).chain(rows).collect()
}

impl From<ErrorKind> for Exit {
    fn from(kind: ErrorKind) -> Self {
        match kind {
            ErrorKind::Config | ErrorKind::Path => Self::Usage,
            ErrorKind::NotFound => Self::NotFound,
            ErrorKind::Unreachable => Self::Unreachable,
            ErrorKind::Forbidden | ErrorKind::Unauthorized | ErrorKind::Disabled => Self::Refused,
            ErrorKind::Throttled | ErrorKind::Server => Self::Busy,
            _ => Self::Unexpected,
        }
    }
}
