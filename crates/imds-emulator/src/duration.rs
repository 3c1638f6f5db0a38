//! Durations as people write them: `500ms`, `30s`, `2m`, `6h`; a number alone is seconds.

use std::time::Duration;

/// The duration that a text names; the error says what is accepted.
///
/// # Errors
/// Where the text is no duration, or one of more than ten years.
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    let wrong = || format!("`{}` is no duration; write `500ms`, `30s`, `2m` or `6h`", text.escape_debug());
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let millis_per_unit: u64 = match unit {
        "ms" => 1,
        "" | "s" => 1000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return Err(wrong()),
    };
    let number: u64 = number.parse().map_err(|_| wrong())?;
    match number.checked_mul(millis_per_unit) {
        Some(millis) if millis <= 3650 * 86_400_000 => Ok(Duration::from_millis(millis)),
        _ => Err(wrong()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn units() {
        for (text, millis) in
            [("500ms", 500), ("30s", 30_000), ("30", 30_000), ("2m", 120_000), ("6h", 21_600_000)]
        {
            assert_eq!(parse_duration(text), Ok(Duration::from_millis(millis)));
        }
        for text in ["", "s", "-1s", "1.5s", "1 s", "2w", "99999999999999999999s", "99999999h"] {
            assert_eq!(
                parse_duration(text),
                Err(format!("`{text}` is no duration; write `500ms`, `30s`, `2m` or `6h`"))
            );
        }
    }

    proptest! {
        #[test]
        fn any_text_is_a_duration_or_an_error(text in any::<String>()) {
            if let Err(message) = parse_duration(&text) {
                prop_assert!(message.contains("is no duration"));
            }
        }
    }
}
