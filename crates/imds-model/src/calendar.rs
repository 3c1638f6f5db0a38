//! Calendar dates and times of day in UTC, for programs that do not link a time library: RFC 3339,
//! the dates of HTTP, and the dates of maintenance events.

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Seconds of a day.
pub const DAY_SECONDS: i64 = 86_400;

const DAY_MILLIS: i64 = DAY_SECONDS * 1000;
const WEEKDAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// A date with its time of day in UTC, to the millisecond.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DateTime {
    /// Proleptic Gregorian year.
    pub year: i64,
    /// 1 to 12.
    pub month: u8,
    /// 1 to 31.
    pub day: u8,
    /// 0 to 23.
    pub hour: u8,
    /// 0 to 59.
    pub minute: u8,
    /// 0 to 59.
    pub second: u8,
    /// 0 to 999.
    pub millisecond: u16,
}

/// Returns the days from 1970-01-01 to a date, by counting years from March so that the leap day
/// comes last (Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms").
#[must_use]
pub const fn days_from_civil(year: i64, month: u8, day: u8) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let month_from_march = (month as i64 + 9) % 12;
    let day_of_year = (153 * month_from_march + 2) / 5 + day as i64 - 1;
    let (era, year_of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

/// Returns year, month and day of the date this many days after 1970-01-01.
#[must_use]
pub fn civil_from_days(days: i64) -> (i64, u8, u8) {
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    (year_of_era + era * 400 + i64::from(month <= 2), narrow(month), narrow(day))
}

fn narrow(value: i64) -> u8 {
    u8::try_from(value).unwrap_or(u8::MAX)
}

impl DateTime {
    /// Returns the time this many milliseconds after 1970-01-01T00:00:00Z.
    #[must_use]
    pub fn from_unix_millis(millis: i64) -> Self {
        let (year, month, day) = civil_from_days(millis.div_euclid(DAY_MILLIS));
        let of_day = millis.rem_euclid(DAY_MILLIS);
        Self {
            year,
            month,
            day,
            hour: narrow(of_day / 3_600_000),
            minute: narrow(of_day / 60_000 % 60),
            second: narrow(of_day / 1000 % 60),
            millisecond: u16::try_from(of_day % 1000).unwrap_or(0),
        }
    }

    /// Returns the time this many seconds after 1970-01-01T00:00:00Z.
    #[must_use]
    pub fn from_unix_seconds(seconds: i64) -> Self {
        Self::from_unix_millis(seconds.saturating_mul(1000))
    }

    /// Returns the time of a [`SystemTime`], cut to the millisecond.
    #[must_use]
    pub fn from_system_time(time: SystemTime) -> Self {
        let millis = |duration: Duration| i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
        Self::from_unix_millis(match time.duration_since(UNIX_EPOCH) {
            Ok(after) => millis(after),
            Err(before) => -millis(before.duration()),
        })
    }

    /// Returns the milliseconds since 1970-01-01T00:00:00Z.
    #[must_use]
    pub fn unix_millis(self) -> i64 {
        let days = days_from_civil(self.year, self.month, self.day);
        let of_day = (i64::from(self.hour) * 60 + i64::from(self.minute)) * 60 + i64::from(self.second);
        days.saturating_mul(DAY_MILLIS).saturating_add(of_day * 1000 + i64::from(self.millisecond))
    }

    /// Returns the whole seconds since 1970-01-01T00:00:00Z.
    #[must_use]
    pub fn unix_seconds(self) -> i64 {
        self.unix_millis().div_euclid(1000)
    }

    /// Returns the time as [`SystemTime`]; 1970 if the platform cannot represent it.
    #[must_use]
    pub fn system_time(self) -> SystemTime {
        let distance = Duration::from_millis(self.unix_millis().unsigned_abs());
        let time = if self.unix_millis() < 0 {
            UNIX_EPOCH.checked_sub(distance)
        } else {
            UNIX_EPOCH.checked_add(distance)
        };
        time.unwrap_or(UNIX_EPOCH)
    }

    /// Parses `2017-09-18T08:22:00Z`; a fraction of the second, an offset (`+02:00`) and lower case
    /// letters are read too (RFC 3339).
    ///
    /// # Errors
    /// Returns an error if the text has another form, or names a day or an hour that does not
    /// exist.
    pub fn parse_rfc3339(text: &str) -> Result<Self, CalendarError> {
        rfc3339(text).ok_or_else(|| CalendarError { text: text.to_owned(), expected: RFC_3339 })
    }

    /// Parses the date of an HTTP header, `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110, section
    /// 5.6.7).
    ///
    /// # Errors
    /// Returns an error if the text has another form, or names a day or an hour that does not
    /// exist.
    pub fn parse_http_date(text: &str) -> Result<Self, CalendarError> {
        let parsed = text.split_once(", ").and_then(|(weekday, rest)| {
            let date = words(rest)?;
            WEEKDAYS.contains(&weekday).then_some(date)
        });
        parsed.ok_or_else(|| CalendarError { text: text.to_owned(), expected: HTTP_DATE })
    }

    /// Parses the date of a maintenance event, `1 Jan 2021 02:00:00 GMT`, whose day has no leading
    /// zero (amazonlinux/amazon-ec2-utils#46).
    ///
    /// # Errors
    /// Returns an error if the text has another form, or names a day or an hour that does not
    /// exist.
    pub fn parse_maintenance_date(text: &str) -> Result<Self, CalendarError> {
        words(text).ok_or_else(|| CalendarError { text: text.to_owned(), expected: MAINTENANCE_DATE })
    }

    /// Writes `2017-09-18T08:22:00Z`, without milliseconds.
    #[must_use]
    pub fn rfc3339(self) -> String {
        format!(
            "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z",
            self.year, self.month, self.day, self.hour, self.minute, self.second
        )
    }

    /// Writes `2017-09-18T08:22:00.007Z`.
    #[must_use]
    pub fn rfc3339_millis(self) -> String {
        format!("{}.{:03}Z", self.rfc3339().trim_end_matches('Z'), self.millisecond)
    }

    /// Writes the date of an HTTP header, `Sun, 06 Nov 1994 08:49:37 GMT`.
    #[must_use]
    pub fn http_date(self) -> String {
        let days = days_from_civil(self.year, self.month, self.day);
        let weekday = usize::try_from(days.rem_euclid(7)).ok().and_then(|at| WEEKDAYS.get(at));
        format!("{}, {:02} {}", weekday.unwrap_or(&""), self.day, self.month_to_zone())
    }

    /// Writes the date of a maintenance event, `1 Jan 2021 02:00:00 GMT`.
    #[must_use]
    pub fn maintenance_date(self) -> String {
        format!("{} {}", self.day, self.month_to_zone())
    }

    fn month_to_zone(self) -> String {
        let month = MONTHS.get(usize::from(self.month).wrapping_sub(1)).unwrap_or(&"");
        format!("{month} {:04} {:02}:{:02}:{:02} GMT", self.year, self.hour, self.minute, self.second)
    }
}

const RFC_3339: &str = "2027-01-31T12:00:00Z";
const HTTP_DATE: &str = "Sun, 31 Jan 2027 12:00:00 GMT";
const MAINTENANCE_DATE: &str = "31 Jan 2027 12:00:00 GMT";

/// Returned if a text is not a time. `Display` shows the expected form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CalendarError {
    text: String,
    expected: &'static str,
}

impl fmt::Display for CalendarError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is not a time; write it as `{}`", self.text.escape_debug(), self.expected)
    }
}

impl std::error::Error for CalendarError {}

fn rfc3339(text: &str) -> Option<DateTime> {
    let (date, rest) = text.split_at_checked(10)?;
    let rest = rest.strip_prefix(['T', 't', ' '])?;
    let mut parts = date.split('-');
    let (year, month, day) = (exact(parts.next()?, 4)?, exact(parts.next()?, 2)?, exact(parts.next()?, 2)?);
    parts.next().is_none().then_some(())?;
    let (time, offset_seconds) = match rest.strip_suffix(['Z', 'z']) {
        Some(time) => (time, 0),
        None => {
            let at = rest.rfind(['+', '-'])?;
            let (time, offset) = rest.split_at_checked(at)?;
            let (hours, minutes) = offset.get(1..)?.split_once(':')?;
            let (hours, minutes) = (exact(hours, 2)?, exact(minutes, 2)?);
            (hours < 24 && minutes < 60).then_some(())?;
            let seconds = hours * 3600 + minutes * 60;
            (time, if offset.starts_with('-') { -seconds } else { seconds })
        }
    };
    let (time, fraction) = time.split_once('.').unwrap_or((time, "0"));
    let digits = !fraction.is_empty() && fraction.bytes().all(|byte| byte.is_ascii_digit());
    let millis = format!("{fraction:0<3}").get(..3)?.parse::<i64>().ok().filter(|_| digits)?;
    let at = moment(year, month, day, time)?;
    Some(DateTime::from_unix_millis(at + millis - offset_seconds * 1000))
}

/// Parses `06 Nov 1994 08:49:37 GMT`, its day of one digit or two.
fn words(text: &str) -> Option<DateTime> {
    let mut words = text.strip_suffix(" GMT")?.split(' ');
    let (day, month, year, time) = (words.next()?, words.next()?, words.next()?, words.next()?);
    words.next().is_none().then_some(())?;
    let month = i64::try_from(MONTHS.iter().position(|name| *name == month)?).ok()? + 1;
    let day = exact(day, day.len().clamp(1, 2))?;
    Some(DateTime::from_unix_millis(moment(exact(year, 4)?, month, day, time)?))
}

/// Milliseconds since 1970 of a date and `08:22:00`. A leap second counts as the first of the next
/// minute.
fn moment(year: i64, month: i64, day: i64, time: &str) -> Option<i64> {
    let mut parts = time.split(':');
    let (hour, minute, second) =
        (exact(parts.next()?, 2)?, exact(parts.next()?, 2)?, exact(parts.next()?, 2)?);
    let valid = parts.next().is_none() && hour < 24 && minute < 60 && second <= 60;
    let date = (year, u8::try_from(month).ok()?, u8::try_from(day).ok()?);
    let days = days_from_civil(date.0, date.1, date.2);
    // A day that the month does not have comes back as a day of the next month.
    let exists = (1..=12).contains(&month) && civil_from_days(days) == date;
    (valid && exists).then(|| (days * DAY_SECONDS + hour * 3600 + minute * 60 + second) * 1000)
}

/// A number of exactly this many digits.
fn exact(text: &str, digits: usize) -> Option<i64> {
    let fits = text.len() == digits && text.bytes().all(|byte| byte.is_ascii_digit());
    if fits { text.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn one_time_in_every_spelling() {
        let time = DateTime::from_unix_seconds(784_111_777);
        assert_eq!(time.rfc3339(), "1994-11-06T08:49:37Z");
        assert_eq!(time.rfc3339_millis(), "1994-11-06T08:49:37.000Z");
        assert_eq!(time.http_date(), "Sun, 06 Nov 1994 08:49:37 GMT");
        assert_eq!(time.maintenance_date(), "6 Nov 1994 08:49:37 GMT");
        for text in [
            "1994-11-06T08:49:37Z",
            "1994-11-06t08:49:37z",
            "1994-11-06 08:49:37.000Z",
            "1994-11-06T10:49:37+02:00",
            "1994-11-05T23:19:37-09:30",
        ] {
            assert_eq!(DateTime::parse_rfc3339(text), Ok(time), "{text}");
        }
        assert_eq!(DateTime::parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT"), Ok(time));
        for text in ["6 Nov 1994 08:49:37 GMT", "06 Nov 1994 08:49:37 GMT"] {
            assert_eq!(DateTime::parse_maintenance_date(text), Ok(time), "{text}");
        }
        assert_eq!(DateTime::from_system_time(time.system_time()), time);
        assert_eq!(DateTime::from_unix_millis(0).http_date(), "Thu, 01 Jan 1970 00:00:00 GMT");
    }

    #[test]
    fn fractions_and_leap_seconds() {
        let millis = |text: &str| DateTime::parse_rfc3339(text).unwrap().unix_millis();
        assert_eq!(millis("1970-01-01T00:00:00.5Z"), 500);
        assert_eq!(millis("1970-01-01T00:00:00.123456789Z"), 123);
        assert_eq!(millis("1969-12-31T23:59:59.999Z"), -1);
        assert_eq!(millis("2016-12-31T23:59:60Z"), millis("2017-01-01T00:00:00Z"));
        assert_eq!(DateTime::from_unix_millis(-1).rfc3339_millis(), "1969-12-31T23:59:59.999Z");
        assert_eq!(DateTime::from_unix_millis(-1).unix_seconds(), -1);
    }

    #[test]
    fn what_does_not_exist_is_refused_by_name() {
        for text in [
            "",
            "now",
            "2027-02-30T00:00:00Z",
            "2027-00-01T00:00:00Z",
            "2027-13-01T00:00:00Z",
            "2027-01-00T00:00:00Z",
            "2027-01-01T24:00:00Z",
            "2027-01-01T00:60:00Z",
            "2027-01-01T00:00:61Z",
            "2027-01-01T00:00Z",
            "2027-01-01T00:00:00",
            "2027-01-01T00:00:00.Z",
            "2027-1-01T00:00:00Z",
            "+027-01-01T00:00:00Z",
            "2027-01-01T00:00:00+24:00",
            "2027-01-01Té0:00:00Z",
        ] {
            assert_eq!(
                DateTime::parse_rfc3339(text).unwrap_err().to_string(),
                format!("`{text}` is not a time; write it as `2027-01-31T12:00:00Z`")
            );
        }
        for text in
            ["06 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:37 CET", "Sun, 31 Feb 1994 08:49:37 GMT"]
        {
            assert_eq!(
                DateTime::parse_http_date(text).unwrap_err().to_string(),
                format!("`{text}` is not a time; write it as `Sun, 31 Jan 2027 12:00:00 GMT`")
            );
        }
        for text in [
            "32 Jan 2019 09:00:43 GMT",
            "1 Jan 2019 09:00:43",
            "1 jan 2019 09:00:43 GMT",
            "001 Jan 2019 09:00:43 GMT",
        ] {
            assert_eq!(
                DateTime::parse_maintenance_date(text).unwrap_err().to_string(),
                format!("`{text}` is not a time; write it as `31 Jan 2027 12:00:00 GMT`")
            );
        }
    }

    proptest! {
        #[test]
        fn number_and_date_agree(millis in -62_135_596_800_000_i64..253_402_300_800_000) {
            let time = DateTime::from_unix_millis(millis);
            prop_assert_eq!(time.unix_millis(), millis);
            prop_assert_eq!(DateTime::parse_rfc3339(&time.rfc3339_millis()), Ok(time));
            prop_assert_eq!(DateTime::parse_http_date(&time.http_date()).unwrap().unix_seconds(), time.unix_seconds());
            prop_assert_eq!(DateTime::from_system_time(time.system_time()), time);
        }

        #[test]
        fn any_text_is_a_time_or_an_error(text in any::<String>(), number in any::<i64>()) {
            let _ = (DateTime::parse_rfc3339(&text), DateTime::parse_http_date(&text));
            let _ = DateTime::parse_maintenance_date(&text);
            let _ = DateTime::from_unix_millis(number).http_date();
        }
    }
}
