//! When to ask next.

use std::time::Duration;

use imds_model::backoff::full_jitter;

/// The longest pause that an outage leads to, unless the interval itself is longer.
pub const MAX_PAUSE: Duration = Duration::from_secs(30);
/// The longest pause that a `Retry-After` is obeyed for: a notice may come with two minutes to act.
const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(60);

/// The pauses between polls: a jittered interval, and longer ones while the service fails.
#[derive(Clone, Debug)]
pub struct Pace {
    interval: Duration,
    failures: u32,
}

impl Pace {
    /// A pace of one poll per interval.
    #[must_use]
    pub const fn new(interval: Duration) -> Self {
        Self { interval, failures: 0 }
    }

    /// The pause after a poll that was answered. The jitter makes it up to a tenth shorter and
    /// never longer, so that the interval is what a notice waits at most; `random` is a number from
    /// 0 to 1.
    pub fn answered(&mut self, random: f64) -> Duration {
        self.failures = 0;
        self.interval.mul_f64(1.0 - 0.1 * random.clamp(0.0, 1.0))
    }

    /// The pause after a failed poll: the interval and backoff with full jitter on top of it, up to
    /// [`MAX_PAUSE`] in all, so that machines which lost the service together do not come back
    /// together.
    pub fn failed(&mut self, retry_after: Option<Duration>, random: f64) -> Duration {
        self.failures = self.failures.saturating_add(1);
        let ceiling = MAX_PAUSE.saturating_sub(self.interval);
        let pause = self.interval + full_jitter(self.interval, ceiling, self.failures, random);
        pause.max(retry_after.unwrap_or_default().min(LONGEST_RETRY_AFTER))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn jitter_only_shortens() {
        let mut pace = Pace::new(10 * SECOND);
        assert_eq!(pace.answered(0.0), 10 * SECOND);
        assert_eq!(pace.answered(1.0), 9 * SECOND);
        assert_eq!(pace.answered(7.0), 9 * SECOND);
    }

    #[test]
    fn outages_are_asked_less_and_less_and_forgotten() {
        let mut pace = Pace::new(5 * SECOND);
        assert_eq!(pace.failed(None, 1.0), 10 * SECOND);
        assert_eq!(pace.failed(None, 0.0), 5 * SECOND);
        assert_eq!(pace.failed(None, 1.0), 25 * SECOND);
        assert_eq!(pace.failed(None, 1.0), MAX_PAUSE);
        for _ in 0..100 {
            assert!(pace.failed(None, 1.0) <= MAX_PAUSE);
        }
        assert_eq!(pace.answered(0.0), 5 * SECOND);
        assert_eq!(pace.failed(None, 1.0), 10 * SECOND);
    }

    #[test]
    fn a_retry_after_is_obeyed_within_reason() {
        let mut pace = Pace::new(SECOND);
        assert_eq!(pace.failed(Some(20 * SECOND), 1.0), 20 * SECOND);
        assert_eq!(pace.failed(Some(9_999 * SECOND), 1.0), LONGEST_RETRY_AFTER);
        let mut slow = Pace::new(100 * SECOND);
        assert_eq!(slow.failed(None, 1.0), 100 * SECOND);
    }
}
