//! How a request ended: an answer, or why there is none. Requests, classification and body streams
//! share it.

use std::fmt;
use std::io;
use std::time::Duration;

use crate::clock::Moment;
use crate::protocol::http::{Answer, Decoder};
use crate::protocol::rate_limit::Permit;

/// Why no answer came.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Nothing listens, or there is no way there: final, nothing will come of asking again at once.
    CannotConnect(io::Error),
    /// The connection could not be made, or was lost.
    Lost(io::Error),
    /// No connection in time.
    ConnectTimeout,
    /// A connection, but no answer in time.
    Stalled,
    /// An answer that ends before its length.
    Truncated,
    /// Not an answer of HTTP.
    Malformed(&'static str),
    /// A body over the limit.
    TooLarge,
    /// The deadline passed while waiting for a permit.
    NoPermit,
}

impl Failure {
    pub(crate) fn reason(&self) -> &'static str {
        match self {
            Self::CannotConnect(_) => "cannot connect",
            Self::Lost(_) => "connection lost",
            Self::ConnectTimeout => "no connection in time",
            Self::Stalled => "no answer in time",
            Self::Truncated => "answer cut short",
            Self::Malformed(_) => "no HTTP answer",
            Self::TooLarge => "answer too large",
            Self::NoPermit => "no permit in time",
        }
    }
}

/// How it ended.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) result: Result<Answer, Failure>,
    /// How often it was sent, or tried to be.
    pub(crate) attempts: u32,
    /// The endpoint that the last attempt went to.
    pub(crate) endpoint: usize,
    /// What the last answer's `Retry-After` asked for.
    pub(crate) retry_after: Option<Duration>,
    /// When the last attempt was begun: a token's life is counted from there.
    pub(crate) begun: Moment,
}

/// The rest of an answer whose head has come.
pub(crate) struct RemainingBody {
    pub(crate) decoder: Decoder,
    /// Its permit, held as long as this exists.
    pub(crate) _permit: Option<Permit>,
    pub(crate) endpoint: usize,
}

impl fmt::Debug for RemainingBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RemainingBody").finish_non_exhaustive()
    }
}
