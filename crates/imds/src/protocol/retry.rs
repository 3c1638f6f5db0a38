//! The table of what is retried, and how long a request pauses before it is sent again.

use std::time::{Duration, SystemTime};

use imds_model::backoff::full_jitter;
use imds_model::calendar::DateTime;

use crate::protocol::outcome::Failure;

/// The longest first pause; each further one may be twice as long.
const BASE: Duration = Duration::from_millis(100);
/// The longest pause of all.
const CEILING: Duration = Duration::from_secs(5);
/// The longest pause while the machine starts: the service is there within seconds.
const BOOT_CEILING: Duration = Duration::from_secs(1);
/// When a failed request may be sent again. Calls, and every caller of
/// [`Error::is_retryable`](crate::Error::is_retryable), decide by this table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Retry {
    /// The answer would be the same.
    Never,
    /// A later call may succeed. Within a call it is sent again only while the machine starts.
    Later,
    /// Within the call, after a pause with full jitter; and by a later call.
    Backoff,
}

impl Retry {
    /// Returns whether the same call may succeed later.
    pub(crate) const fn is_retryable(self) -> bool {
        !matches!(self, Self::Never)
    }
}

/// Returns the row of an answer's status.
pub(crate) const fn of_status(status: u16) -> Retry {
    match status {
        // A token that was just issued, or the path: the service may not know its own token yet.
        401 => Retry::Later,
        // A proxy gave up on the connection.
        408 => Retry::Backoff,
        429 => Retry::Backoff,
        // "Not implemented" and "version not supported" will not change.
        501 | 505 => Retry::Never,
        500..600 => Retry::Backoff,
        _ => Retry::Never,
    }
}

/// Returns the row of a request without an answer.
pub(crate) fn of_failure(failure: &Failure) -> Retry {
    match failure {
        Failure::Lost(_) | Failure::ConnectTimeout | Failure::Stalled | Failure::Truncated => Retry::Backoff,
        // A rule forbids the connection; it does not go away by itself.
        Failure::CannotConnect(error) if error.kind() == std::io::ErrorKind::PermissionDenied => Retry::Never,
        Failure::CannotConnect(_) | Failure::NoPermit => Retry::Later,
        Failure::Malformed(_) | Failure::TooLarge => Retry::Never,
    }
}

/// Returns the pause before attempt `next` (the second is 2).
pub(crate) fn pause(next: u32, random: f64) -> Duration {
    full_jitter(BASE, CEILING, next.saturating_sub(1), random)
}

/// Returns the pause after a number of refusals while the machine starts.
pub(crate) fn boot_pause(refusals: u32, random: f64) -> Duration {
    full_jitter(BASE, BOOT_CEILING, refusals, random)
}

/// Returns how long a `Retry-After` asks to wait: seconds, or a date (RFC 9110, section 10.2.3).
/// A value that is neither counts as none.
pub(crate) fn retry_after(value: &str, now: SystemTime) -> Option<Duration> {
    let value = value.trim();
    if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(Duration::from_secs(value.parse().unwrap_or(u64::MAX)));
    }
    let date = DateTime::parse_http_date(value).ok()?.system_time();
    Some(date.duration_since(now).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io;

    #[test]
    fn pauses_grow_and_are_bounded() {
        assert_eq!(pause(2, 1.0), BASE);
        assert_eq!(pause(3, 1.0), 2 * BASE);
        assert_eq!(pause(3, 0.5), BASE);
        assert_eq!(pause(2, 0.0), Duration::ZERO);
        assert_eq!(pause(1000, 1.0), CEILING);
        assert_eq!(boot_pause(1000, 1.0), BOOT_CEILING);
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_770);
        for (value, expected) in [
            ("0", Some(0)),
            (" 120 ", Some(120)),
            ("Sun, 06 Nov 1994 08:49:37 GMT", Some(7)),
            ("Sun, 06 Nov 1994 08:49:00 GMT", Some(0)),
            ("soon", None),
            ("-1", None),
            ("Sun, 06 Nov 1994 08:49:37 CET", None),
            ("", None),
        ] {
            assert_eq!(retry_after(value, now), expected.map(Duration::from_secs), "{value}");
        }
        assert_eq!(retry_after("99999999999999999999999", now), Some(Duration::from_secs(u64::MAX)));
    }

    #[test]
    fn the_table() {
        let statuses = |row| (100..600).filter(|status| of_status(*status) == row).collect::<Vec<u16>>();
        assert_eq!(statuses(Retry::Later), [401]);
        let backoff = statuses(Retry::Backoff);
        assert_eq!(backoff[..5], [408, 429, 500, 502, 503]);
        assert!(!backoff.contains(&501) && !backoff.contains(&505));
        let refused = |kind: io::ErrorKind| Failure::CannotConnect(kind.into());
        for (failure, row) in [
            (Failure::Lost(io::ErrorKind::ConnectionReset.into()), Retry::Backoff),
            (Failure::ConnectTimeout, Retry::Backoff),
            (Failure::Stalled, Retry::Backoff),
            (Failure::Truncated, Retry::Backoff),
            (refused(io::ErrorKind::ConnectionRefused), Retry::Later),
            (refused(io::ErrorKind::NetworkUnreachable), Retry::Later),
            (refused(io::ErrorKind::PermissionDenied), Retry::Never),
            (Failure::NoPermit, Retry::Later),
            (Failure::Malformed("x"), Retry::Never),
            (Failure::TooLarge, Retry::Never),
        ] {
            assert_eq!(of_failure(&failure), row, "{failure:?}");
        }
    }
}
