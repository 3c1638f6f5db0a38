//! Durations as people write them: `500ms`, `30s`, `5m`, `6h`, `1d`. Every program parses them
//! here.

use std::fmt;
use std::time::Duration;

/// The longest duration that is accepted: ten years of 365 days.
pub const MAX: Duration = Duration::from_secs(3650 * 86_400);

const UNITS: [(&str, u64); 5] =
    [("ms", 1_000_000), ("s", 1_000_000_000), ("m", 60_000_000_000), ("h", 3_600_000_000_000), ("d", DAY)];
const DAY: u64 = 86_400_000_000_000;

/// Why a text is not a duration.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DurationError {
    /// The text is not a number followed by a unit.
    Syntax(String),
    /// The number has a unit that does not exist.
    Unit(String),
    /// The duration is longer than [`MAX`].
    TooLong(String),
    /// The duration is zero and must not be.
    Zero(String),
}

impl fmt::Display for DurationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Syntax(text) => write!(
                f,
                "`{}` is not a duration; write a number and a unit, such as `500ms`, `30s`, `5m`, `6h` or `1d`",
                text.escape_debug()
            ),
            Self::Unit(text) => write!(
                f,
                "`{}` has an unknown unit; the units are `ms`, `s`, `m`, `h` and `d`",
                text.escape_debug()
            ),
            Self::TooLong(text) => {
                write!(f, "`{}` is too long; the longest duration is `3650d`", text.escape_debug())
            }
            Self::Zero(text) => write!(f, "`{}` is zero; it must be at least `1ms`", text.escape_debug()),
        }
    }
}

impl std::error::Error for DurationError {}

/// Parses a number with a unit. The number may have a fraction (`1.5h`), and without a unit it
/// means seconds.
///
/// ```
/// use imds_model::duration;
/// use std::time::Duration;
///
/// assert_eq!(duration::parse("500ms"), Ok(Duration::from_millis(500)));
/// assert_eq!(duration::parse("1.5h"), Ok(Duration::from_secs(5400)));
/// assert_eq!(duration::parse("10"), Ok(Duration::from_secs(10)));
/// ```
///
/// # Errors
/// Returns an error if the text is not a duration or is longer than [`MAX`].
pub fn parse(text: &str) -> Result<Duration, DurationError> {
    let is_number = |c: char| c.is_ascii_digit() || c == '.';
    let unit_at = text.find(|c| !is_number(c)).unwrap_or(text.len());
    let (number, unit) = text.split_at(unit_at);
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(fraction) {
        return Err(DurationError::Syntax(text.to_owned()));
    }
    let known = UNITS.iter().find(|(name, _)| *name == if unit.is_empty() { "s" } else { unit });
    let Some((_, nanos_per_unit)) = known else {
        let is_word = unit.bytes().all(|byte| byte.is_ascii_alphabetic());
        let error = if is_word { DurationError::Unit } else { DurationError::Syntax };
        return Err(error(text.to_owned()));
    };
    let too_long = || DurationError::TooLong(text.to_owned());
    let nanos_per_unit = u128::from(*nanos_per_unit);
    let whole = whole.parse::<u64>().map_err(|_| too_long())?;
    // Digits beyond the ninth are below a nanosecond, or close to it for days.
    let digits = fraction.get(..9).unwrap_or(fraction);
    let scale = digits.bytes().fold(1_u128, |scale, _| scale * 10);
    let part = digits.parse::<u128>().unwrap_or(0) * nanos_per_unit / scale;
    let nanos = u128::from(whole) * nanos_per_unit + part;
    let total = u64::try_from(nanos).map(Duration::from_nanos).map_err(|_| too_long())?;
    if total > MAX { Err(too_long()) } else { Ok(total) }
}

/// Parses a duration as [`parse`] does and refuses one under a millisecond.
///
/// # Errors
/// Returns an error if the text is not a duration, or one of less than a millisecond.
pub fn parse_positive(text: &str) -> Result<Duration, DurationError> {
    let total = parse(text)?;
    if total < Duration::from_millis(1) { Err(DurationError::Zero(text.to_owned())) } else { Ok(total) }
}

/// Writes a duration for people, in its two largest units: `2h 30m`, `1d`, `250ms`.
#[must_use]
pub fn format(duration: Duration) -> String {
    let mut left = duration.as_millis();
    let mut parts = Vec::new();
    for (name, millis) in [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)] {
        let count = left / millis;
        left %= millis;
        if count > 0 {
            parts.push(format!("{count}{name}"));
        }
        if !parts.is_empty() && (parts.len() == 2 || count == 0) {
            break;
        }
    }
    if parts.is_empty() { "0s".to_owned() } else { parts.join(" ") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_unit_and_fraction() {
        for (text, millis) in [
            ("500ms", 500),
            ("30s", 30_000),
            ("5m", 300_000),
            ("6h", 21_600_000),
            ("1d", 86_400_000),
            ("30", 30_000),
            ("0.5", 500),
            ("1.5m", 90_000),
            ("0", 0),
            ("0ms", 0),
            ("007s", 7000),
            ("0.25d", 21_600_000),
            ("3650d", 3650 * 86_400_000),
        ] {
            assert_eq!(parse(text), Ok(Duration::from_millis(millis)), "{text}");
        }
        assert_eq!(parse("0.001ms"), Ok(Duration::from_micros(1)));
        assert_eq!(parse("1.0000000001s"), Ok(Duration::from_secs(1)));
    }

    #[test]
    fn an_error_names_the_input_and_what_to_write() {
        for text in ["", "s", "-1s", "+1s", "1 s", " 1s", "1s ", "1.", ".5s", "1.2.3s", "1h30m", "1e3", "٣s"]
        {
            assert_eq!(parse(text), Err(DurationError::Syntax(text.to_owned())), "{text}");
        }
        for text in ["2w", "1H", "1sec", "5M", "3days"] {
            assert_eq!(parse(text), Err(DurationError::Unit(text.to_owned())), "{text}");
        }
        for text in ["3651d", "99999999999999999999s", "18446744073709551615d", "99999999h"] {
            assert_eq!(parse(text), Err(DurationError::TooLong(text.to_owned())), "{text}");
        }
        for text in ["0", "0ms", "0.0001ms"] {
            assert_eq!(parse_positive(text), Err(DurationError::Zero(text.to_owned())), "{text}");
        }
        assert_eq!(parse_positive("1ms"), Ok(Duration::from_millis(1)));
        assert_eq!(
            parse("soon").unwrap_err().to_string(),
            "`soon` is not a duration; write a number and a unit, such as `500ms`, `30s`, `5m`, `6h` or `1d`"
        );
        assert_eq!(
            parse("2w").unwrap_err().to_string(),
            "`2w` has an unknown unit; the units are `ms`, `s`, `m`, `h` and `d`"
        );
    }

    #[test]
    fn two_units_for_people() {
        for (millis, text) in [
            (0, "0s"),
            (250, "250ms"),
            (90_000, "1m 30s"),
            (3_600_000, "1h"),
            (86_461_000, "1d"),
            (90_061_001, "1d 1h"),
            (1_500, "1s 500ms"),
        ] {
            assert_eq!(format(Duration::from_millis(millis)), text);
        }
    }

    proptest! {
        #[test]
        fn any_text_is_a_duration_or_an_error(text in any::<String>()) {
            match parse(&text) {
                Ok(duration) => prop_assert!(duration <= MAX),
                Err(error) => prop_assert!(error.to_string().contains('`')),
            }
        }

        #[test]
        fn whole_milliseconds_are_exact(millis in 0_u64..10_000_000_000) {
            prop_assert_eq!(parse(&format!("{millis}ms")), Ok(Duration::from_millis(millis)));
        }
    }
}
