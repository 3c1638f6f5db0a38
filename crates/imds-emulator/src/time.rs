//! Points in time and the four ways in which the service spells them.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

const DAY_MILLIS: i64 = 86_400_000;
const WEEKDAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// A point in time: milliseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp(i64);

struct Civil {
    year: i64,
    month: usize,
    day: i64,
    hour: i64,
    minute: i64,
    second: i64,
    weekday: usize,
}

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

    /// Gregorian calendar from the day number, by the 400-year cycle counted from 1 March of year 0.
    fn civil(self) -> Civil {
        let days = self.0.div_euclid(DAY_MILLIS);
        let rest = self.0.rem_euclid(DAY_MILLIS) / 1000;
        let shifted = days + 719_468;
        let era = shifted.div_euclid(146_097);
        let day_of_era = shifted.rem_euclid(146_097);
        let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let month_from_march = (5 * day_of_year + 2) / 153;
        let month = if month_from_march < 10 { month_from_march + 2 } else { month_from_march - 10 };
        Civil {
            year: year_of_era + era * 400 + i64::from(month <= 1),
            month: usize::try_from(month).unwrap_or(0).min(11),
            day: day_of_year - (153 * month_from_march + 2) / 5 + 1,
            hour: rest / 3600,
            minute: rest / 60 % 60,
            second: rest % 60,
            weekday: usize::try_from(days.rem_euclid(7)).unwrap_or(0),
        }
    }

    fn from_civil(year: i64, month: i64, day: i64, second_of_day: i64) -> Self {
        let shifted_year = if month <= 2 { year - 1 } else { year };
        let era = shifted_year.div_euclid(400);
        let year_of_era = shifted_year.rem_euclid(400);
        let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
        let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
        Self::from_seconds((era * 146_097 + day_of_era - 719_468) * 86_400 + second_of_day)
    }

    /// As in HTTP's `Date`: `Sun, 06 Nov 1994 08:49:37 GMT`.
    #[must_use]
    pub fn http_date(self) -> String {
        let at = self.civil();
        format!(
            "{}, {:02} {} {:04} {:02}:{:02}:{:02} GMT",
            WEEKDAYS[at.weekday], at.day, MONTHS[at.month], at.year, at.hour, at.minute, at.second
        )
    }

    /// As in `events/maintenance/*`: `1 Jan 2021 02:00:00 GMT`, the day without a leading zero
    /// (amazonlinux/amazon-ec2-utils#46).
    #[must_use]
    pub fn maintenance_date(self) -> String {
        let at = self.civil();
        format!(
            "{} {} {:04} {:02}:{:02}:{:02} GMT",
            at.day, MONTHS[at.month], at.year, at.hour, at.minute, at.second
        )
    }
}

/// As in every JSON leaf: `2017-09-18T08:22:00Z`.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = self.civil();
        write!(
            f,
            "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z",
            at.year,
            at.month + 1,
            at.day,
            at.hour,
            at.minute,
            at.second
        )
    }
}

/// Why a text is no time. Its `Display` says what is expected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimeError(String);

impl fmt::Display for TimeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is no time; expected the form `2027-01-31T12:00:00Z`", self.0.escape_debug())
    }
}

impl std::error::Error for TimeError {}

impl FromStr for Timestamp {
    type Err = TimeError;

    fn from_str(text: &str) -> Result<Self, TimeError> {
        let wrong = || TimeError(text.to_owned());
        let bytes = text.as_bytes();
        let shape = b"0000-00-00T00:00:00Z";
        let fits = bytes.len() == shape.len()
            && bytes.iter().zip(shape).all(|(byte, expected)| match expected {
                b'0' => byte.is_ascii_digit(),
                other => byte == other,
            });
        if !fits {
            return Err(wrong());
        }
        let number = |range: std::ops::Range<usize>| {
            text.get(range).and_then(|digits| digits.parse::<i64>().ok()).ok_or_else(wrong)
        };
        let (year, month, day) = (number(0..4)?, number(5..7)?, number(8..10)?);
        let (hour, minute, second) = (number(11..13)?, number(14..16)?, number(17..19)?);
        let in_range = (1..=12).contains(&month) && hour < 24 && minute < 60 && second < 60;
        let time = Self::from_civil(year, month, day, hour * 3600 + minute * 60 + second);
        // A day that the month does not have comes back as a day of the next month.
        if !in_range || time.to_string() != text {
            return Err(wrong());
        }
        Ok(time)
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
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
                format!("`{text}` is no time; expected the form `2027-01-31T12:00:00Z`")
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
