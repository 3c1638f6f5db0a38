//! The I/O of a call: a driver does what the protocol asks for and holds no rule of its own.

mod addresses;
pub(crate) mod blocking;
mod pool;
#[cfg(feature = "tokio")]
pub(crate) mod tokio;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// Head start of the first endpoint over the second in the mode `auto`.
const HEAD_START: Duration = Duration::from_millis(150);
/// Most bytes of one receive: a page, because each further page that a short-lived process touches
/// costs it more than another system call.
const RECEIVE: usize = 4 * 1024;

/// The endpoint that is connected to: with the mode `auto` the winner of the last race.
#[derive(Debug)]
struct Winner {
    /// The endpoint that won, or [`UNDECIDED`](Self::UNDECIDED).
    index: AtomicUsize,
    /// The endpoint that the next race begins with.
    first: AtomicUsize,
}

impl Default for Winner {
    fn default() -> Self {
        Self { index: AtomicUsize::new(Self::UNDECIDED), first: AtomicUsize::new(0) }
    }
}

impl Winner {
    const UNDECIDED: usize = usize::MAX;

    /// Returns the endpoint to connect to, of this many; `None` if they have to race.
    fn get(&self, endpoints: usize) -> Option<usize> {
        match self.index.load(Ordering::Relaxed) {
            _ if endpoints == 1 => Some(0),
            Self::UNDECIDED => None,
            index => Some(index),
        }
    }

    fn set(&self, index: usize) {
        self.index.store(index, Ordering::Relaxed);
    }

    /// Returns the endpoint that the race begins with.
    fn first(&self) -> usize {
        self.first.load(Ordering::Relaxed)
    }

    /// Forgets the winner: it can no longer be reached, or no longer answers. The other endpoint
    /// begins the next race.
    fn lost(&self, index: usize, endpoints: usize) {
        self.index.store(Self::UNDECIDED, Ordering::Relaxed);
        self.first.store((index + 1) % endpoints.max(1), Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_winner_is_kept_until_it_is_lost() {
        let winner = Winner::default();
        assert_eq!((winner.get(1), winner.get(2), winner.first()), (Some(0), None, 0));
        winner.set(0);
        assert_eq!(winner.get(2), Some(0));
        winner.lost(0, 2);
        assert_eq!((winner.get(2), winner.first()), (None, 1));
        winner.lost(1, 2);
        assert_eq!(winner.first(), 0);
    }
}
