//! What one poll of a subject brought.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;

/// One thing that can change by itself: a value, a notice, a leaf of a tree.
#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    /// The path that it was read from.
    pub path: String,
    /// The value as it may be shown: secrets and user data are replaced by what tells two of them
    /// apart.
    pub shown: Value,
    /// Tells whether two values are one: see [`fingerprint`](crate::fingerprint).
    pub fingerprint: String,
}

/// What one poll of a subject brought. *Gone* and *could not read* are two things, and never taken
/// for each other.
#[derive(Clone, Debug, PartialEq)]
pub enum Reading {
    /// What is there, by a key that stays the same while the thing does. Nothing where the service
    /// answered 404.
    Present(BTreeMap<String, Item>),
    /// The service gave no answer that says what is there.
    Unreadable(Outage),
}

impl Reading {
    /// The service said that nothing is there.
    #[must_use]
    pub const fn gone() -> Self {
        Self::Present(BTreeMap::new())
    }
}

/// Why nothing could be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outage {
    /// One word: `unreachable`, `forbidden`, `unauthorized`, `throttled`, `server`, `protocol`.
    pub kind: &'static str,
    /// What happened, for a person.
    pub message: String,
    /// How long the service asked to wait.
    pub retry_after: Option<Duration>,
}

impl From<&imds::Error> for Outage {
    fn from(error: &imds::Error) -> Self {
        let kind = match error.kind() {
            imds::ErrorKind::Unreachable => "unreachable",
            imds::ErrorKind::Forbidden => "forbidden",
            imds::ErrorKind::Unauthorized => "unauthorized",
            imds::ErrorKind::Throttled => "throttled",
            imds::ErrorKind::Server => "server",
            imds::ErrorKind::Protocol => "protocol",
            _ => "other",
        };
        Self { kind, message: error.to_string(), retry_after: error.retry_after() }
    }
}
