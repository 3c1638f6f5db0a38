//! Exponential backoff with full jitter. Every retry loop takes its pauses from here.

use std::time::Duration;

/// Returns the pause after a number of consecutive failures (the first is 1): a random duration
/// from zero to `base * 2^(failures - 1)`, and at most `ceiling`. `random` is from 0 to 1.
///
/// Full jitter spreads clients that failed together over the whole interval, so that they do not
/// come back together (AWS Architecture Blog, "Exponential Backoff And Jitter").
#[must_use]
pub fn full_jitter(base: Duration, ceiling: Duration, failures: u32, random: f64) -> Duration {
    let doublings = failures.saturating_sub(1);
    let factor = 1_u32.checked_shl(doublings).unwrap_or(u32::MAX);
    let longest = base.saturating_mul(factor).min(ceiling);
    // A number that is not one counts as the longest pause.
    let random = if random.is_nan() { 1.0 } else { random.clamp(0.0, 1.0) };
    Duration::try_from_secs_f64(longest.as_secs_f64() * random).unwrap_or(longest).min(longest)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BASE: Duration = Duration::from_millis(100);
    const CEILING: Duration = Duration::from_secs(5);

    #[test]
    fn pauses_double_up_to_the_ceiling_and_are_scaled_by_the_random_number() {
        for (failures, random, pause) in [
            (1, 1.0, BASE),
            (2, 1.0, 2 * BASE),
            (2, 0.5, BASE),
            (1, 0.0, Duration::ZERO),
            (6, 1.0, 32 * BASE),
            (7, 1.0, CEILING),
            (u32::MAX, 1.0, CEILING),
            (0, 1.0, BASE),
            (1, 7.0, BASE),
            (1, -1.0, Duration::ZERO),
            (1, f64::NAN, BASE),
        ] {
            assert_eq!(full_jitter(BASE, CEILING, failures, random), pause, "{failures} {random}");
        }
        assert_eq!(full_jitter(Duration::MAX, Duration::MAX, 3, 1.0), Duration::MAX);
    }
}
