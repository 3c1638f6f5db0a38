//! Waiting for the emulated command, with the emulator beside it.

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

#[cfg(unix)]
pub(super) use unix::{Tie, supervise};
#[cfg(windows)]
pub(super) use windows::{Tie, supervise};

/// How long the command may take to end after a signal before it is killed, in milliseconds.
const GRACE_MILLIS: i64 = 10_000;
/// The note if the emulator ends first.
const LOST: &str = "the emulator has lost its port: the command is ended";
