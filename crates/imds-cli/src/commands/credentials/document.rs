//! The role credentials document of the service.

use std::time::{Duration, SystemTime};

use imds_model::calendar::DateTime;
use serde_json::Value;

/// By how much expired credentials are passed on: this, and up to half as much again, so that a
/// fleet does not come back at once. The AWS SDK for Rust's figures (smithy-lang/smithy-rs#2687).
const EXTENSION: Duration = Duration::from_secs(10 * 60);

/// Credentials of a role. There is no `Debug`: nothing of them belongs in a message.
pub(super) struct Credentials {
    pub(super) access_key_id: String,
    pub(super) secret_access_key: String,
    pub(super) token: String,
    pub(super) last_updated: Option<String>,
    expiration: String,
    expires: SystemTime,
}

impl Credentials {
    /// Reads the document.
    ///
    /// # Errors
    /// What is wrong with it, without any value of it but the service's own `Code`.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, String> {
        let document: Value =
            serde_json::from_slice(bytes).map_err(|_| "the service's answer is not JSON".to_owned())?;
        let field = |name: &str| {
            let text = document.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
            text.map(str::to_owned).ok_or_else(|| format!("the service's answer has no `{name}`"))
        };
        if let Ok(code) = field("Code")
            && code != "Success"
        {
            return Err(format!("the service says `{}`", code.escape_debug()));
        }
        let expiration = field("Expiration")?;
        let expires = DateTime::parse_rfc3339(&expiration)
            .map_err(|_| "the service's `Expiration` is not a time".to_owned())?
            .system_time();
        Ok(Self {
            access_key_id: field("AccessKeyId")?,
            secret_access_key: field("SecretAccessKey")?,
            token: field("Token")?,
            last_updated: field("LastUpdated").ok(),
            expiration,
            expires,
        })
    }

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

    const GOOD: &str = r#"{"Code" : "Success", "LastUpdated" : "2026-11-21T20:00:00Z", "Type" : "AWS-HMAC",
        "AccessKeyId" : "ASIAIOSFODNN7EXAMPLE", "SecretAccessKey" : "secret", "Token" : "token",
        "Expiration" : "2026-11-22T02:00:00Z"}"#;

    fn refusal(document: &str) -> String {
        Credentials::parse(document.as_bytes()).err().unwrap()
    }

    #[test]
    fn expiry() {
        let credentials = Credentials::parse(GOOD.as_bytes()).ok().unwrap();
        let at = DateTime::parse_rfc3339("2026-11-22T02:00:00Z").unwrap().system_time();
        assert!(!credentials.is_expired(at - Duration::from_secs(1)));
        assert!(credentials.is_expired(at));
        let extended = credentials.extended(at, 0.5);
        assert_eq!(extended.expiration(), "2026-11-22T02:12:30Z");
        assert!(!extended.is_expired(at));
        assert!(extended.is_expired(UNIX_EPOCH + Duration::from_secs(4_000_000_000)));
    }

    #[test]
    fn what_is_wrong_is_named_and_nothing_else_is_said() {
        assert_eq!(refusal("<html>"), "the service's answer is not JSON");
        assert_eq!(refusal("{}"), "the service's answer has no `Expiration`");
        assert_eq!(
            refusal(r#"{"Code":"AssumeRoleUnauthorizedAccess"}"#),
            "the service says `AssumeRoleUnauthorizedAccess`"
        );
        assert_eq!(
            refusal(&GOOD.replace("2026-11-22T02:00:00Z", "soon")),
            "the service's `Expiration` is not a time"
        );
        assert_eq!(refusal(&GOOD.replace("\"Token\"", "\"X\"")), "the service's answer has no `Token`");
    }
}
