//! Waiting for the next thing to do: a signal to stop, a child that ended, a poll's answer, or the
//! time.

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

#[cfg(unix)]
use unix as system;
#[cfg(windows)]
use windows as system;

pub(super) use system::{Signals, Wake};

use crate::exit::Exit;
use crate::report::Failure;

pub(super) fn cannot(error: std::io::Error) -> Failure {
    Failure::told(Exit::Unexpected, "cannot listen for signals").caused_by(error)
}
