//! Signals that end `imds serve` and `imds emulate`, as PID 1 too: there the kernel delivers only
//! those that a process handles.

use std::io::Read as _;
use std::os::fd::AsFd as _;
use std::os::unix::net::UnixStream;

use rustix::event::{PollFd, PollFlags, Timespec};
use signal_hook::consts::{SIGCHLD, SIGHUP, SIGINT, SIGTERM};
use signal_hook::low_level::pipe;

use super::Woken;
use crate::exit::Exit;
use crate::report::Failure;

/// Handled signals, each as bytes on a socket of its own.
pub(in crate::commands) struct StopSignals {
    stop: [(i32, UnixStream); 3],
    child: UnixStream,
}

impl StopSignals {
    /// Handles SIGTERM, SIGHUP and SIGINT from now on, and listens for the end of children.
    pub(in crate::commands) fn register() -> Result<Self, Failure> {
        let stream = |signal| -> std::io::Result<UnixStream> {
            let (read, write) = UnixStream::pair()?;
            read.set_nonblocking(true)?;
            pipe::register(signal, write)?;
            Ok(read)
        };
        let registered = || -> std::io::Result<Self> {
            let stop = [(SIGTERM, stream(SIGTERM)?), (SIGHUP, stream(SIGHUP)?), (SIGINT, stream(SIGINT)?)];
            Ok(Self { stop, child: stream(SIGCHLD)? })
        };
        registered()
            .map_err(|error| Failure::told(Exit::Unexpected, "cannot handle signals").caused_by(error))
    }

    /// Waits for a signal, for the end of a child, for the other thing to end, or for the
    /// milliseconds.
    pub(in crate::commands) fn wait<T>(
        &self,
        other: Option<&Ending<T>>,
        millis: Option<i64>,
    ) -> Result<Woken, Failure> {
        let timeout =
            millis.map(|millis| Timespec { tv_sec: millis / 1000, tv_nsec: (millis % 1000) * 1_000_000 });
        let mut all: Vec<PollFd<'_>> =
            self.stop.iter().map(|(_, stream)| PollFd::new(stream, PollFlags::IN)).collect();
        all.push(PollFd::new(&self.child, PollFlags::IN));
        if let Some(other) = other {
            all.push(PollFd::from_borrowed_fd(other.ended.as_fd(), PollFlags::IN));
        }
        match rustix::event::poll(&mut all, timeout.as_ref()) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(errno) => {
                return Err(Failure::told(Exit::Unexpected, "cannot wait for signals").caused_by(errno));
            }
        }
        let other_is_ready = other.is_some() && all.last().is_some_and(|one| !one.revents().is_empty());
        for (signal, stream) in &self.stop {
            if drained(stream) {
                return Ok(Woken::Signal(*signal));
            }
        }
        drained(&self.child);
        Ok(if other_is_ready { Woken::Other } else { Woken::Look })
    }
}

/// Whether there was anything to read.
fn drained(mut socket: &UnixStream) -> bool {
    let mut buffer = [0; 64];
    let mut any = false;
    while socket.read(&mut buffer).is_ok_and(|length| length > 0) {
        any = true;
    }
    any
}

/// Something that ends on another thread, as a descriptor that can be read once it has.
pub(in crate::commands) struct Ending<T> {
    ended: UnixStream,
    thread: std::thread::JoinHandle<T>,
}

impl<T: Send + 'static> Ending<T> {
    /// Waits for `work` on a thread of its own.
    pub(in crate::commands) fn of(
        _signals: &StopSignals,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<Self, Failure> {
        let started = || -> std::io::Result<Self> {
            let (ended, end) = UnixStream::pair()?;
            let thread = std::thread::Builder::new().spawn(move || {
                let result = work();
                drop(end);
                result
            })?;
            Ok(Self { ended, thread })
        };
        started().map_err(|error| Failure::told(Exit::Unexpected, "cannot start a thread").caused_by(error))
    }

    /// What it came to; `None` if it panicked, which was printed already.
    pub(in crate::commands) fn result(self) -> Option<T> {
        self.thread.join().ok()
    }
}
