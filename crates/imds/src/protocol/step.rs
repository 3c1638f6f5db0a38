//! The language between the call, which decides, and a driver, which does.

use std::io;

use crate::clock::Moment;
use crate::notify::Epoch;

/// What the driver is to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Let time pass, at most until the moment, and less where the signal moves on from its epoch.
    Wait { on: Option<(NotifyName, Epoch)>, until: Moment },
    /// Take an idle connection where one is left and `fresh` does not forbid it, or make one; then
    /// tell [`Event::Connected`].
    Connect { fresh: bool, until: Moment },
    /// Send the outgoing bytes; then tell [`Event::Sent`].
    Send { until: Moment },
    /// Receive some bytes; then tell [`Event::Received`].
    Receive { until: Moment },
    /// Keep the connection for another request, or drop it.
    Release { reusable: bool },
    /// The result is there.
    Done,
}

impl Step {
    /// Returns when the step ends, at the latest; `None` for one that takes no time.
    pub(crate) fn until(self) -> Option<Moment> {
        match self {
            Self::Wait { until, .. }
            | Self::Connect { until, .. }
            | Self::Send { until }
            | Self::Receive { until } => Some(until),
            Self::Release { .. } | Self::Done => None,
        }
    }
}

/// What waiting threads and tasks are woken by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NotifyName {
    /// The client's token flight has ended.
    FlightEnded,
    /// One of the client's requests is through.
    PermitReleased,
}

/// What the driver has done.
#[derive(Debug)]
pub(crate) enum Event<'a> {
    /// There is a connection to the endpoint of this index.
    Connected { endpoint: usize, reused: bool },
    /// The bytes are sent.
    Sent,
    /// Bytes came; none means that the service closed the connection.
    Received(&'a [u8]),
    /// The step failed.
    Failed(io::Error),
}
