//! The role credentials document of the service.

use std::time::{Duration, SystemTime};

use imds_model::calendar::DateTime;

/// By how much expired credentials are passed on: this, and up to half as much again, so that a
/// fleet does not come back at once. The AWS SDK for Rust's figures (smithy-lang/smithy-rs#2687).
const EXTENSION: Duration = Duration::from_secs(10 * 60);

/// Credentials of a role. There is no `Debug`: nothing of them belongs in a message.
pub(super) struct Credentials {
    pub(super) access_key_id: String,
    pub(super) secret_access_key: String,
    pub(super) token: String,
    pub(super) last_updated: Option<String>,
    pub(super) account_id: Option<String>,
    expiration: String,
    expires: SystemTime,
}

impl From<imds::Credentials> for Credentials {
    fn from(found: imds::Credentials) -> Self {
        let text = |time| DateTime::from_system_time(time).rfc3339();
        Self {
            access_key_id: found.access_key_id.clone(),
            secret_access_key: found.secret_access_key.clone(),
            token: found.token.clone(),
            last_updated: found.last_updated.map(text),
            account_id: found.account_id.clone(),
            expiration: text(found.expiration),
            expires: found.expiration,
        }
    }
}

impl Credentials {
    /// When they expire, as RFC 3339.
    pub(super) fn expiration(&self) -> &str {
        &self.expiration
    }

    pub(super) fn is_expired(&self, now: SystemTime) -> bool {
        self.expires <= now
    }

    /// The same, said to be good for a while from now; `random` is from 0 to 1.
    pub(super) fn extended(self, now: SystemTime, random: f64) -> Self {
        let expires = now + EXTENSION + (EXTENSION / 2).mul_f64(random.clamp(0.0, 1.0));
        Self { expiration: DateTime::from_system_time(expires).rfc3339(), expires, ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::UNIX_EPOCH;

    #[test]
    fn expiry() {
        let at = DateTime::parse_rfc3339("2026-11-22T02:00:00Z").unwrap().system_time();
        let credentials = Credentials {
            access_key_id: "ASIAIOSFODNN7EXAMPLE".to_owned(),
            secret_access_key: "test".to_owned(),
            token: "test".to_owned(),
            last_updated: None,
            account_id: None,
            expiration: "2026-11-22T02:00:00Z".to_owned(),
            expires: at,
        };
        assert!(!credentials.is_expired(at - Duration::from_secs(1)));
        assert!(credentials.is_expired(at));
        let extended = credentials.extended(at, 0.5);
        assert_eq!(extended.expiration(), "2026-11-22T02:12:30Z");
        assert!(!extended.is_expired(at));
        assert!(extended.is_expired(UNIX_EPOCH + Duration::from_secs(4_000_000_000)));
    }
}
