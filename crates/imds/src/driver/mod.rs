//! The I/O of a call: a driver does what the protocol asks for and holds no rule of its own.

pub(crate) mod blocking;
#[cfg(feature = "tokio")]
pub(crate) mod tokio;

use std::time::Duration;

/// Head start of the first endpoint over the second in the mode `auto`.
const HEAD_START: Duration = Duration::from_millis(150);
/// Most bytes of one receive: a page, because each further page that a short-lived process touches
/// costs it more than another system call.
pub(crate) const RECEIVE: usize = 4 * 1024;
/// The winner of the race in the mode `auto` while no race was run.
const UNDECIDED: usize = usize::MAX;
