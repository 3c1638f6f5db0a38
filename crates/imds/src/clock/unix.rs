//! The boot clock and the boot id of Linux; the clock of macOS, which has no boot id in a file.

use std::fs::File;
use std::io::Read as _;
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

use super::BootId;

/// The clock that runs on while the machine sleeps. On macOS that is `CLOCK_MONOTONIC`
/// (clock_gettime(3) of Darwin).
#[cfg(target_os = "linux")]
const CLOCK: ClockId = ClockId::Boottime;
#[cfg(not(target_os = "linux"))]
const CLOCK: ClockId = ClockId::Monotonic;

pub(super) fn since_boot() -> Duration {
    let time = clock_gettime(CLOCK);
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or_default())
}

pub(super) fn boot_id() -> Option<BootId> {
    // 37 bytes, which the kernel gives at once: every `imds get` pays for each call here.
    let mut text = [0; 64];
    let length = File::open("/proc/sys/kernel/random/boot_id").ok()?.read(&mut text).ok()?;
    BootId::new(std::str::from_utf8(text.get(..length)?).ok()?.trim_end())
}
