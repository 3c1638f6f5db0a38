//! Idle connections, kept for the next request.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fd::AsFd;

use crate::clock::Moment;

/// How long an idle connection is kept. A firewall or a proxy forgets one that nothing is sent
/// over, and the first request over such a connection is lost.
const KEEP: Duration = Duration::from_secs(30);

/// A connection to one of the endpoints.
#[derive(Debug)]
pub(crate) struct Connection<S> {
    pub(super) stream: S,
    pub(super) endpoint: usize,
}

#[derive(Debug)]
struct Idle<S> {
    connection: Connection<S>,
    since: Moment,
    /// The process that put it here: after a fork the connection is the parent's.
    process: u32,
}

/// The idle connections of one client.
#[derive(Debug)]
pub(super) struct Pool<S>(Mutex<Vec<Idle<S>>>);

impl<S> Default for Pool<S> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<S: AsFd> Pool<S> {
    fn idle(&self) -> MutexGuard<'_, Vec<Idle<S>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a connection that can carry a request: it is young, this process's, and nothing has
    /// come over it, neither an end nor bytes that would be taken for the next answer.
    pub(super) fn take(&self, now: Moment) -> Option<Connection<S>> {
        let mut idle = self.idle();
        while let Some(Idle { connection, since, process }) = idle.pop() {
            if now - since < KEEP && process == std::process::id() && is_quiet(&connection.stream) {
                return Some(connection);
            }
        }
        None
    }

    pub(super) fn put(&self, connection: Connection<S>, now: Moment) {
        self.idle().push(Idle { connection, since: now, process: std::process::id() });
    }

    /// Drops every idle connection.
    pub(super) fn clear(&self) {
        self.idle().clear();
    }
}

fn is_quiet(stream: &impl AsFd) -> bool {
    // An end counts as something to read, on every system.
    let at_once = Timespec { tv_sec: 0, tv_nsec: 0 };
    poll(&mut [PollFd::new(stream, PollFlags::IN)], Some(&at_once)) == Ok(0)
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;
    use std::os::unix::net::UnixStream;

    use super::*;

    fn at(seconds: u64) -> Moment {
        Moment::since_boot(Duration::from_secs(seconds))
    }

    fn with_one() -> (Pool<UnixStream>, UnixStream) {
        let (ours, theirs) = UnixStream::pair().unwrap();
        let pool = Pool::default();
        pool.put(Connection { stream: ours, endpoint: 0 }, at(100));
        (pool, theirs)
    }

    #[test]
    fn a_quiet_young_connection_is_used_once() {
        let (pool, _theirs) = with_one();
        assert!(pool.take(at(129)).is_some());
        assert!(pool.take(at(129)).is_none());
    }

    #[test]
    fn an_old_a_closed_and_a_talking_connection_are_dropped() {
        let (pool, _theirs) = with_one();
        assert!(pool.take(at(130)).is_none());
        let (pool, theirs) = with_one();
        drop(theirs);
        assert!(pool.take(at(100)).is_none());
        let (pool, mut theirs) = with_one();
        theirs.write_all(b"HTTP/1.1 408 Request Timeout\r\n\r\n").unwrap();
        assert!(pool.take(at(100)).is_none());
        let (pool, _theirs) = with_one();
        pool.clear();
        assert!(pool.take(at(100)).is_none());
    }

    #[test]
    fn a_connection_of_another_process_is_dropped() {
        let (pool, _theirs) = with_one();
        pool.idle()[0].process += 1;
        assert!(pool.take(at(100)).is_none());
    }
}
