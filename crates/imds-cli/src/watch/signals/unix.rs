//! By poll(2), with signals as bytes on sockets.

use std::io::{self, ErrorKind, Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec};
use signal_hook::consts::{SIGCHLD, SIGINT, SIGTERM};
use signal_hook::low_level::pipe;

use super::cannot;
use crate::exit::Exit;
use crate::report::Failure;

/// Signals, as bytes on sockets: the handler writes one, the loop reads it.
pub(in crate::watch) struct Signals {
    stop: UnixStream,
    child: UnixStream,
    woken: UnixStream,
    wake: Wake,
}

/// Ends the wait from another thread.
#[derive(Debug)]
pub(in crate::watch) struct Wake(UnixStream);

impl Wake {
    /// Another one for the same wait.
    pub(in crate::watch) fn another(&self) -> io::Result<Self> {
        self.0.try_clone().map(Self)
    }

    /// Ends the wait; whether there is still anybody to wait.
    pub(in crate::watch) fn ring(&self) -> bool {
        // A socket that is full wakes the loop already.
        let is_full =
            |error: io::Error| matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted);
        (&self.0).write(&[0]).map_or_else(is_full, |_| true)
    }
}

impl Signals {
    /// Takes SIGTERM and SIGINT over from now on, and listens for the end of children.
    pub(in crate::watch) fn register() -> Result<Self, Failure> {
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
            Ok(Self { stop, child, woken, wake: Wake(wake) })
        };
        registered().map_err(cannot)
    }

    /// What ends the wait.
    pub(in crate::watch) fn wake(&self) -> &Wake {
        &self.wake
    }

    /// Waits for a signal, or at most for the duration; whether to stop. The end of a child is a
    /// signal, too.
    pub(in crate::watch) fn wait(&self, at_most: Duration, _children: bool) -> Result<bool, Failure> {
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

/// Whether there was anything to read.
fn drained(mut socket: &UnixStream) -> bool {
    let mut buffer = [0; 64];
    let mut any = false;
    while socket.read(&mut buffer).is_ok_and(|length| length > 0) {
        any = true;
    }
    any
}
