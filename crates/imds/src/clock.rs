//! Time and random, injected: the boot clock that token validity is kept on, and the jitter of
//! retries.

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

use std::fmt;
use std::ops::{Add, Sub};
use std::time::{Duration, SystemTime};

#[cfg(unix)]
use unix as system;
#[cfg(windows)]
use windows as system;

/// A point on the boot clock: time since the machine started, suspend included.
///
/// Stepping the wall clock, as NTP does early at boot, changes nothing on it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Moment(Duration);

impl Moment {
    /// The point this long after the machine started.
    #[must_use]
    pub const fn since_boot(duration: Duration) -> Self {
        Self(duration)
    }

    /// How long after the machine started this is.
    #[must_use]
    pub const fn as_duration(self) -> Duration {
        self.0
    }
}

impl Add<Duration> for Moment {
    type Output = Self;
    fn add(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(duration))
    }
}

impl Sub for Moment {
    type Output = Duration;
    /// The time from the earlier to this; zero where it is not the earlier.
    fn sub(self, earlier: Self) -> Duration {
        self.0.saturating_sub(earlier.0)
    }
}

/// Which start of the machine a [`Moment`] belongs to.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct BootId(String);

impl BootId {
    /// The boot id of this text: 1 to 64 visible ASCII characters.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        let fits = (1..=64).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
        fits.then(|| Self(text.to_owned()))
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for BootId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BootId({})", self.0)
    }
}

/// The clock of a client. Replace it to test with fake time.
pub trait Clock: Send + Sync {
    /// Now, on the boot clock.
    fn now(&self) -> Moment;
    /// Now, on the wall clock: only to understand a `Retry-After` that is a date.
    fn wall(&self) -> SystemTime;
    /// Which start of the machine this is; `None` where that cannot be told, and then no token is
    /// shared between processes.
    fn boot_id(&self) -> Option<BootId>;
    /// An unpredictable number from 0 up to but not including 1, for the jitter of retries.
    fn random(&self) -> f64;
}

/// The machine's own clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Moment {
        Moment(system::since_boot())
    }

    #[allow(clippy::disallowed_methods, reason = "this is the handle that is injected")]
    fn wall(&self) -> SystemTime {
        SystemTime::now()
    }

    fn boot_id(&self) -> Option<BootId> {
        system::boot_id()
    }

    fn random(&self) -> f64 {
        // The per-process random keys of std's hasher are random enough for a jitter, and cost no
        // dependency.
        use std::hash::{BuildHasher, RandomState};
        let bits = RandomState::new().hash_one(self.now());
        (bits >> 11) as f64 / (1_u64 << 53) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_system_clock_runs_forward_and_knows_its_boot() {
        let clock = SystemClock;
        let first = clock.now();
        assert!(clock.now() >= first);
        assert!((0.0..1.0).contains(&clock.random()));
        #[cfg(target_os = "linux")]
        assert_eq!(clock.boot_id().unwrap().as_str().len(), 36);
    }

    #[test]
    fn moments_saturate() {
        let early = Moment::since_boot(Duration::from_secs(1));
        let late = Moment::since_boot(Duration::from_secs(3));
        assert_eq!(late - early, Duration::from_secs(2));
        assert_eq!(early - late, Duration::ZERO);
        assert_eq!((late + Duration::MAX).as_duration(), Duration::MAX);
        assert_eq!(BootId::new("a b"), None);
        assert_eq!(BootId::new(""), None);
    }
}
