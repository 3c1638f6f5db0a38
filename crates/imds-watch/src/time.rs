//! The dates that notices carry.

use std::time::{SystemTime, UNIX_EPOCH};

use imds_model::calendar::DateTime;
use serde_json::Value;

/// The members of a notice that say when it takes effect: `time` of a Spot interruption (EC2 User
/// Guide, "Spot Instance interruption notices"), `NotBefore` of maintenance, `Expiration` of
/// credentials.
const MEMBERS: [&str; 3] = ["time", "NotBefore", "Expiration"];

/// Seconds from `now` until what a notice announces; below zero where that has passed, `None` where
/// it names no time.
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

/// Returns the time as `2026-11-21T23:59:59.123Z`.
#[must_use]
pub fn rfc3339(time: SystemTime) -> String {
    DateTime::from_system_time(time).rfc3339_millis()
}

/// Returns the seconds since 1970 of `2017-09-18T08:22:00Z`, or of `21 Jan 2019 09:00:43 GMT` as in
/// maintenance events.
fn parse(text: &str) -> Option<i64> {
    let time = DateTime::parse_rfc3339(text).or_else(|_| DateTime::parse_maintenance_date(text)).ok()?;
    Some(time.unix_seconds())
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
