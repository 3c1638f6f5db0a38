//! The one place that reads the wall clock.

use std::time::SystemTime;

/// The wall clock.
#[allow(clippy::disallowed_methods, reason = "the one place where this crate reads it")]
#[must_use]
pub fn wall() -> SystemTime {
    SystemTime::now()
}

/// Now, as a timestamp for files and reports.
#[must_use]
pub fn now() -> jiff::Timestamp {
    jiff::Timestamp::try_from(wall()).unwrap_or(jiff::Timestamp::UNIX_EPOCH)
}
