//! Signals to stop, as bytes on a socket: the handler writes one, the loop reads it.

use std::io::Read as _;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::low_level::pipe;

use crate::failure::{Exit, Failure};

pub(crate) struct Signals(UnixStream);

impl Signals {
    /// Takes SIGTERM, SIGINT and SIGHUP over from now on.
    pub(crate) fn register() -> Result<Self, Failure> {
        let registered = || -> std::io::Result<Self> {
            let (ours, theirs) = UnixStream::pair()?;
            ours.set_nonblocking(true)?;
            for signal in [SIGTERM, SIGINT, SIGHUP] {
                pipe::register(signal, theirs.try_clone()?)?;
            }
            Ok(Self(ours))
        };
        registered().map_err(|error| Failure::new(Exit::Failed, "cannot listen for signals").caused_by(error))
    }

    /// Whether one came.
    pub(crate) fn came(&self) -> bool {
        let mut buffer = [0; 64];
        (&self.0).read(&mut buffer).is_ok_and(|length| length > 0)
    }
}

impl AsFd for Signals {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}
