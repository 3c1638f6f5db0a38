//! The dates that notices carry.

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::Value;

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// The members of a notice that say when it takes effect: `time` of a Spot interruption (EC2 User Guide, "Spot
/// Instance interruption notices"), `NotBefore` of maintenance, `Expiration` of credentials.
const MEMBERS: [&str; 3] = ["time", "NotBefore", "Expiration"];

/// Seconds from `now` until what a notice announces; below zero where that has passed, `None` where it names no time.
#[must_use]
pub fn deadline_seconds(value: &Value, now: SystemTime) -> Option<i64> {
    let text = match value {
        Value::String(text) => text.as_str(),
        object => MEMBERS.iter().find_map(|name| object.get(name)?.as_str())?,
    };
    let deadline = parse(text)?;
    let now = now.duration_since(UNIX_EPOCH).ok()?;
    Some(deadline - i64::try_from(now.as_secs()).ok()?)
}

/// The time as `2026-11-21T23:59:59.123Z`.
#[must_use]
pub fn rfc3339(time: SystemTime) -> String {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    let seconds = i64::try_from(since.as_secs()).unwrap_or(0);
    let (days, of_day) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    let (year, month, day) = civil(days);
    format!(
        "{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}.{:03}Z",
        of_day / 3_600,
        of_day / 60 % 60,
        of_day % 60,
        since.subsec_millis()
    )
}

/// Seconds since 1970 of `2017-09-18T08:22:00Z`, or of `21 Jan 2019 09:00:43 GMT` as maintenance events have it, whose
/// day of month is not padded (amazonlinux/amazon-ec2-utils#46).
fn parse(text: &str) -> Option<i64> {
    let (date, time) = match text.strip_suffix(" GMT") {
        Some(text) => text.rsplit_once(' ')?,
        None => text.strip_suffix('Z')?.split_once('T')?,
    };
    let (year, month, day) = if date.contains('-') {
        let mut parts = date.split('-');
        (number(parts.next()?, 4)?, number(parts.next()?, 2)?, number(parts.next()?, 2)?)
    } else {
        let mut parts = date.split(' ');
        let (day, month, year) = (parts.next()?, parts.next()?, parts.next()?);
        let month = MONTHS.iter().position(|name| *name == month)? as i64 + 1;
        (number(year, 4)?, month, number(day, 2)?)
    };
    let whole = time.split_once('.').map_or(time, |(whole, _)| whole);
    let mut parts = whole.split(':').map(|part| number(part, 2));
    let (hour, minute, second) = (parts.next()??, parts.next()??, parts.next()??);
    let valid =
        (1..=12).contains(&month) && (1..=31).contains(&day) && hour < 24 && minute < 60 && second <= 60;
    (valid && parts.next().is_none())
        .then(|| days(year, month, day) * 86_400 + hour * 3_600 + minute * 60 + second)
}

fn number(text: &str, digits: usize) -> Option<i64> {
    let plain = (1..=digits).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    if plain { text.parse().ok() } else { None }
}

/// Days since 1970, by counting years from March so that the leap day comes last.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let (y, m) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    365 * y + y.div_euclid(4) - y.div_euclid(100) + y.div_euclid(400) + (153 * m + 2) / 5 + day - 1 - 719_468
}

fn civil(days: i64) -> (i64, i64, i64) {
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let of_era = z.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let m = (5 * of_year + 2) / 153;
    let (day, month) = (of_year - (153 * m + 2) / 5 + 1, if m < 10 { m + 3 } else { m - 9 });
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use std::time::Duration;

    fn at(seconds: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(seconds)
    }

    #[test]
    fn both_spellings_of_a_date() {
        assert_eq!(parse("2017-09-18T08:22:00Z"), Some(1_505_722_920));
        assert_eq!(parse("2017-09-18T08:22:00.250Z"), Some(1_505_722_920));
        assert_eq!(parse("21 Jan 2019 09:00:43 GMT"), Some(1_548_061_243));
        assert_eq!(parse("1 Jan 2021 02:00:00 GMT"), Some(1_609_466_400));
        assert_eq!(parse("2024-02-29T00:00:00Z"), Some(1_709_164_800));
        for wrong in [
            "",
            "soon",
            "2017-13-01T00:00:00Z",
            "2017-09-18",
            "2017-09-18T08:22Z",
            "32 Jan 2019 09:00:43 GMT",
        ] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_date_is_written_as_it_is_read() {
        for seconds in [0, 951_782_399, 951_782_400, 1_505_722_920, 4_107_542_400] {
            let text = rfc3339(at(seconds));
            assert_eq!(parse(&text), Some(i64::try_from(seconds).unwrap()), "{text}");
        }
        assert_eq!(rfc3339(at(1_505_722_920) + Duration::from_millis(7)), "2017-09-18T08:22:00.007Z");
    }

    #[test]
    fn time_left() {
        let notice = json!({"action": "stop", "time": "2017-09-18T08:22:00Z"});
        assert_eq!(deadline_seconds(&notice, at(1_505_722_800)), Some(120));
        assert_eq!(deadline_seconds(&notice, at(1_505_722_930)), Some(-10));
        assert_eq!(
            deadline_seconds(&json!({"NotBefore": "1 Jan 2021 02:00:00 GMT"}), at(1_609_466_399)),
            Some(1)
        );
        assert_eq!(deadline_seconds(&json!("2017-09-18T08:22:00Z"), at(1_505_722_920)), Some(0));
        assert_eq!(deadline_seconds(&json!({"noticeTime": "2017-09-18T08:22:00Z"}), at(0)), None);
    }
}
