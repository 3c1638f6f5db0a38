//! The emulator's clock: the machine's, a faster one, or one that moves by steps alone.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::base::time::Timestamp;

/// Where the emulator takes the time from; `real` by default. Clones of a clock show the
/// same time.
#[derive(Clone, Debug)]
pub struct Clock(Kind);

#[derive(Clone, Debug)]
enum Kind {
    Real,
    Scaled { origin: Timestamp, factor: u32 },
    Stepped(Arc<AtomicI64>),
}

impl Clock {
    /// The machine's wall clock.
    #[must_use]
    pub const fn real() -> Self {
        Self(Kind::Real)
    }

    /// A clock that starts with the machine's and runs `factor` times as fast.
    #[must_use]
    pub fn scaled(factor: u32) -> Self {
        Self(Kind::Scaled { origin: machine_time(), factor })
    }

    /// A clock that starts at `start` and moves only by [`Clock::step`].
    #[must_use]
    pub fn stepped(start: Timestamp) -> Self {
        Self(Kind::Stepped(Arc::new(AtomicI64::new(start.millis()))))
    }

    /// The clock that a command line names: `real`, `stepped` (starting now) or `x60` (60 times as
    /// fast).
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "real" => Some(Self::real()),
            "stepped" => Some(Self::stepped(machine_time())),
            _ => {
                let factor = text.strip_prefix('x')?.parse().ok()?;
                (1..=100_000).contains(&factor).then(|| Self::scaled(factor))
            }
        }
    }

    /// How the clock goes: `real`, `scaled` or `stepped`.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self.0 {
            Kind::Real => "real",
            Kind::Scaled { .. } => "scaled",
            Kind::Stepped(_) => "stepped",
        }
    }

    /// The time.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        match &self.0 {
            Kind::Real => machine_time(),
            Kind::Scaled { origin, factor } => {
                origin.after(machine_time().since(*origin).saturating_mul(*factor))
            }
            Kind::Stepped(millis) => Timestamp::from_millis(millis.load(Ordering::SeqCst)),
        }
    }

    /// Moves a stepped clock on; `false` where this clock moves by itself.
    #[must_use]
    pub fn step(&self, by: Duration) -> bool {
        let Kind::Stepped(millis) = &self.0 else { return false };
        let by = i64::try_from(by.as_millis()).unwrap_or(i64::MAX);
        millis.fetch_add(by, Ordering::SeqCst);
        true
    }

    /// How long a machine waits while this clock moves on by `wait`; `None` where it never does by
    /// itself.
    #[must_use]
    pub fn machine_wait(&self, wait: Duration) -> Option<Duration> {
        match &self.0 {
            Kind::Real => Some(wait),
            Kind::Scaled { factor, .. } => Some(wait / *factor),
            Kind::Stepped(_) => None,
        }
    }
}

/// The one place of this crate that reads the machine's clock: everything else is given a
/// [`Clock`].
#[allow(clippy::disallowed_methods)]
fn machine_time() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::default().after(since)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stepped_moves_only_when_told_to() {
        let clock = Clock::stepped(Timestamp::from_seconds(100));
        let other = clock.clone();
        assert_eq!(clock.now(), Timestamp::from_seconds(100));
        assert!(other.step(Duration::from_secs(5)));
        assert_eq!(clock.now(), Timestamp::from_seconds(105));
        assert_eq!(clock.machine_wait(Duration::from_secs(1)), None);
    }

    #[test]
    fn names_of_clocks() {
        let fast = Clock::parse("x60").unwrap();
        assert_eq!(fast.machine_wait(Duration::from_secs(60)), Some(Duration::from_secs(1)));
        assert!(!fast.step(Duration::from_secs(1)));
        assert!(Clock::parse("real").unwrap().now() > Timestamp::from_seconds(1_700_000_000));
        for wrong in ["x0", "x", "fast", "x1000000"] {
            assert!(Clock::parse(wrong).is_none(), "{wrong}");
        }
    }
}
