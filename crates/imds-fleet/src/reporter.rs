//! Reports why a command failed, on stderr.

#![allow(clippy::print_stderr, reason = "the one place that reports errors")]

use std::error::Error as _;

use imds_model::printable;

use crate::commands::End;
use crate::error::Error;

/// Reports the failure, and returns the end that it is. A reader that went away is none.
pub fn report(error: &Error) -> End {
    if let Error::File { source, .. } = error
        && source.kind() == std::io::ErrorKind::BrokenPipe
    {
        return End::Clean;
    }
    // What others wrote may be in it: names of files, answers of services.
    let shown = |text: String| printable::escape_lines(&text).into_owned();
    eprintln!("error: {}", shown(error.to_string()));
    if let Error::NoCredentials { cause, .. } = error {
        eprintln!("caused by: {}", shown(cause.clone()));
    }
    let mut source = error.source();
    while let Some(cause) = source {
        eprintln!("caused by: {}", shown(cause.to_string()));
        source = cause.source();
    }
    if let Some(hint) = error.hint() {
        eprintln!("hint: {}", shown(hint));
    }
    End::of(error)
}

/// Reports that the program cannot start.
pub fn cannot_start(error: &std::io::Error) -> End {
    eprintln!("error: cannot start\ncaused by: {error}");
    End::Incomplete
}
