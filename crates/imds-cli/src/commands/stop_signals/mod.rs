//! What ends `imds serve` and `imds emulate`: signals, or the events of a console.

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

#[cfg(unix)]
use unix as system;
#[cfg(windows)]
use windows as system;

pub(super) use system::{Ending, StopSignals};

/// Why a wait ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Woken {
    /// This signal came.
    Signal(i32),
    /// A child ended, or the time is over.
    Look,
    /// What was waited for beside it has ended.
    Other,
}
