//! Waiting for the next thing to do: a signal to stop, a child that ended, a poll's answer, or the
//! time.

use std::io::Read as _;
use std::os::unix::net::UnixStream;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec};
use signal_hook::consts::{SIGCHLD, SIGINT, SIGTERM};
use signal_hook::low_level::pipe;

use crate::exit::Exit;
use crate::report::Failure;

/// Signals, as bytes on sockets: the handler writes one, the loop reads it.
pub(super) struct Signals {
    stop: UnixStream,
    child: UnixStream,
    woken: UnixStream,
    wake: UnixStream,
}

impl Signals {
    /// Takes SIGTERM and SIGINT over from now on, and listens for the end of children.
    pub(super) fn register() -> Result<Self, Failure> {
        let registered = || -> std::io::Result<Self> {
            let (stop, on_stop) = UnixStream::pair()?;
            let (child, on_child) = UnixStream::pair()?;
            let (woken, wake) = UnixStream::pair()?;
            woken.set_nonblocking(true)?;
            wake.set_nonblocking(true)?;
            stop.set_nonblocking(true)?;
            child.set_nonblocking(true)?;
            pipe::register(SIGTERM, on_stop.try_clone()?)?;
            pipe::register(SIGINT, on_stop)?;
            pipe::register(SIGCHLD, on_child)?;
            Ok(Self { stop, child, woken, wake })
        };
        registered().map_err(cannot)
    }

    /// A byte written here ends the wait.
    pub(super) const fn wake(&self) -> &UnixStream {
        &self.wake
    }

    /// Waits for a signal, or at most for the duration; whether to stop.
    pub(super) fn wait(&self, at_most: Duration) -> Result<bool, Failure> {
        let timeout = Timespec::try_from(at_most).unwrap_or(Timespec { tv_sec: 3_600, tv_nsec: 0 });
        let mut all = [&self.stop, &self.child, &self.woken].map(|socket| PollFd::new(socket, PollFlags::IN));
        match rustix::event::poll(&mut all, Some(&timeout)) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(errno) => {
                return Err(Failure::told(Exit::Unexpected, "cannot wait for signals").caused_by(errno));
            }
        }
        drained(&self.child);
        drained(&self.woken);
        Ok(drained(&self.stop))
    }
}

pub(super) fn cannot(error: std::io::Error) -> Failure {
    Failure::told(Exit::Unexpected, "cannot listen for signals").caused_by(error)
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
