//! How long credentials are used, and when the service is asked again: no I/O and no clock.
//!
//! AWS renews a role's credentials at least five minutes before they expire (EC2 User Guide,
//! "Retrieve security credentials from instance metadata"). They are fetched again within these
//! five minutes. If that fails, the last ones are kept, past their expiration too: AWS accepts
//! them longer while the service has an outage, and a program that goes on with them has lost
//! nothing. This is the static stability of the AWS SDKs.

use std::time::{Duration, SystemTime};

use imds::ErrorKind;

/// Fresh credentials are fetched again from two to four minutes before they expire.
const EARLY: (Duration, Duration) = (Duration::from_secs(120), Duration::from_secs(240));
/// Pause after a failure while the last credentials are still valid.
const RETRY_VALID: (Duration, Duration) = (Duration::from_secs(30), Duration::from_secs(60));
/// Pause after a failure, or after an answer that has expired already, once they are not. The AWS
/// SDK for JavaScript waits as long.
const RETRY_EXPIRED: (Duration, Duration) = (Duration::from_secs(300), Duration::from_secs(600));

/// Credentials in use.
#[derive(Clone)]
pub(crate) struct Held<T> {
    pub(crate) value: T,
    /// Time of the next fetch, which the SDK sees as the expiration.
    pub(crate) due: SystemTime,
    /// When the credentials expire by their own word.
    expires: SystemTime,
}

impl<T> Held<T> {
    /// Returns the credentials that the service answered with. `random` is from 0 to 1.
    pub(crate) fn fetched(value: T, expires: SystemTime, now: SystemTime, random: f64) -> Self {
        let due = match expires.duration_since(now) {
            Ok(left) if !left.is_zero() => expires - between(EARLY, random).min(left / 2),
            _ => now + between(RETRY_EXPIRED, random),
        };
        Self { value, due, expires }
    }

    /// Returns whether the service has to be asked again.
    pub(crate) fn is_due(&self, now: SystemTime) -> bool {
        self.due <= now
    }

    /// Returns whether the credentials have expired by their own word.
    pub(crate) fn has_expired(&self, now: SystemTime) -> bool {
        self.expires <= now
    }

    /// Keeps the credentials after a failure. Returns `None` if they must not be used any longer:
    /// they have expired, and the service says that there are none.
    pub(crate) fn kept(self, failure: ErrorKind, now: SystemTime, random: f64) -> Option<Self> {
        if !self.has_expired(now) {
            let due = now + between(RETRY_VALID, random);
            return Some(Self { due, ..self });
        }
        let is_final = matches!(failure, ErrorKind::NotFound | ErrorKind::Forbidden | ErrorKind::Disabled);
        let due = now + between(RETRY_EXPIRED, random);
        (!is_final).then_some(Self { due, ..self })
    }
}

fn between((least, most): (Duration, Duration), random: f64) -> Duration {
    least + (most - least).mul_f64(random.clamp(0.0, 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: SystemTime = SystemTime::UNIX_EPOCH;

    fn at(seconds: u64) -> SystemTime {
        START + Duration::from_secs(seconds)
    }

    fn held(expires: u64, now: u64, random: f64) -> Held<()> {
        Held::fetched((), at(expires), at(now), random)
    }

    #[test]
    fn fresh_credentials_are_due_within_the_minutes_in_which_new_ones_exist() {
        for (random, due) in [(0.0, 3600 - 120), (0.5, 3600 - 180), (1.0, 3600 - 240), (7.0, 3600 - 240)] {
            let held = held(3600, 0, random);
            assert_eq!(held.due, at(due), "{random}");
            assert!(!held.is_due(at(due - 1)) && held.is_due(at(due)));
        }
    }

    #[test]
    fn credentials_that_soon_expire_are_due_at_half_time() {
        assert_eq!(held(100, 0, 1.0).due, at(50));
    }

    #[test]
    fn an_answer_that_has_expired_is_used_for_minutes_without_another_request() {
        for expires in [0, 999, 1000] {
            let held = held(expires, 1000, 0.0);
            assert_eq!(held.due, at(1300));
            assert!(held.has_expired(at(1000)));
        }
    }

    #[test]
    fn a_failure_costs_one_request_per_pause_and_never_the_credentials() {
        for failure in [ErrorKind::Unreachable, ErrorKind::Server, ErrorKind::Protocol, ErrorKind::Throttled]
        {
            let valid = held(3600, 0, 0.0).kept(failure, at(3500), 0.0).unwrap();
            assert_eq!((valid.due, valid.has_expired(at(3500))), (at(3530), false));
            let expired = valid.kept(failure, at(4000), 1.0).unwrap();
            assert_eq!((expired.due, expired.has_expired(at(4000))), (at(4600), true));
        }
    }

    #[test]
    fn a_role_that_was_taken_away_ends_with_its_credentials() {
        for failure in [ErrorKind::NotFound, ErrorKind::Forbidden, ErrorKind::Disabled] {
            let valid = held(3600, 0, 0.0).kept(failure, at(3599), 0.0).unwrap();
            assert!(valid.kept(failure, at(3600), 0.0).is_none(), "{failure:?}");
        }
    }
}
