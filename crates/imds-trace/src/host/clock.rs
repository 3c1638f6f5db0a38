//! The clocks: events carry `CLOCK_MONOTONIC`, people read the time of day.

use rustix::time::{ClockId, Timespec, clock_gettime};

/// `CLOCK_MONOTONIC`, in nanoseconds.
pub(crate) fn monotonic() -> u64 {
    nanoseconds(clock_gettime(ClockId::Monotonic))
}

/// Milliseconds since 1970 at which `CLOCK_MONOTONIC` was at `event`.
pub(crate) fn wall_millis(event: u64) -> i64 {
    let now = nanoseconds(clock_gettime(ClockId::Realtime));
    let age = monotonic().saturating_sub(event);
    i64::try_from(now.saturating_sub(age) / 1_000_000).unwrap_or(i64::MAX)
}

fn nanoseconds(time: Timespec) -> u64 {
    let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
    seconds.saturating_mul(1_000_000_000).saturating_add(u64::try_from(time.tv_nsec).unwrap_or(0))
}
