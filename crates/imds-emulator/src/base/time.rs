//! Points in time and the four ways in which the service spells them.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use imds_model::calendar::DateTime;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A point in time: milliseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp(i64);

impl Timestamp {
    /// A time that no clock reaches.
    pub const NEVER: Self = Self(i64::MAX);

    /// This many milliseconds after 1970-01-01T00:00:00Z.
    #[must_use]
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// This many seconds after 1970-01-01T00:00:00Z.
    #[must_use]
    pub const fn from_seconds(seconds: i64) -> Self {
        Self(seconds.saturating_mul(1000))
    }

    /// Milliseconds since 1970-01-01T00:00:00Z.
    #[must_use]
    pub const fn millis(self) -> i64 {
        self.0
    }

    /// Whole seconds since 1970-01-01T00:00:00Z.
    #[must_use]
    pub const fn seconds(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// This much later; at most [`Timestamp::NEVER`].
    #[must_use]
    pub fn after(self, wait: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(wait.as_millis()).unwrap_or(i64::MAX)))
    }

    /// How long it is from `earlier` to this time; zero where it is not later.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    fn date_time(self) -> DateTime {
        DateTime::from_unix_millis(self.0)
    }

    /// As in HTTP's `Date`: `Sun, 06 Nov 1994 08:49:37 GMT`.
    #[must_use]
    pub fn http_date(self) -> String {
        self.date_time().http_date()
    }

    /// As in `events/maintenance/*`: `1 Jan 2021 02:00:00 GMT`, the day without a leading zero
    /// (amazonlinux/amazon-ec2-utils#46).
    #[must_use]
    pub fn maintenance_date(self) -> String {
        self.date_time().maintenance_date()
    }
}

/// As in every JSON leaf: `2017-09-18T08:22:00Z`.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.date_time().rfc3339())
    }
}

/// Why a text is no time. Its `Display` says what is expected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimeError(String);

impl fmt::Display for TimeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is not a time; expected the form `2027-01-31T12:00:00Z`", self.0.escape_debug())
    }
}

impl std::error::Error for TimeError {}

impl FromStr for Timestamp {
    type Err = TimeError;

    fn from_str(text: &str) -> Result<Self, TimeError> {
        let wrong = || TimeError(text.to_owned());
        let time = Self::from_seconds(DateTime::parse_rfc3339(text).map_err(|_| wrong())?.unix_seconds());
        // Only the form that the service itself writes.
        if time.to_string() == text { Ok(time) } else { Err(wrong()) }
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
impl schemars::JsonSchema for Timestamp {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Timestamp".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$" })
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn spelled_as_the_service_spells_them() {
        let time: Timestamp = "1994-11-06T08:49:37Z".parse().unwrap();
        assert_eq!(time.http_date(), "Sun, 06 Nov 1994 08:49:37 GMT");
        assert_eq!(time.maintenance_date(), "6 Nov 1994 08:49:37 GMT");
        assert_eq!(time.to_string(), "1994-11-06T08:49:37Z");
        assert_eq!(time.seconds(), 784_111_777);
        assert_eq!(Timestamp::default().http_date(), "Thu, 01 Jan 1970 00:00:00 GMT");
    }

    #[test]
    fn impossible_times_are_refused() {
        for text in ["2027-02-30T00:00:00Z", "2027-13-01T00:00:00Z", "2027-01-01 00:00:00", "now", ""] {
            assert_eq!(
                text.parse::<Timestamp>().unwrap_err().to_string(),
                format!("`{text}` is not a time; expected the form `2027-01-31T12:00:00Z`")
            );
        }
    }

    proptest! {
        #[test]
        fn text_and_number_agree(seconds in 0_i64..253_402_300_799) {
            let time = Timestamp::from_seconds(seconds);
            prop_assert_eq!(time.to_string().parse::<Timestamp>(), Ok(time));
        }

        #[test]
        fn any_text_is_a_time_or_an_error(text in any::<String>()) {
            if let Ok(time) = text.parse::<Timestamp>() {
                prop_assert_eq!(time.to_string(), text);
            }
        }
    }
}
