//! The boot clock, and which boot it belongs to.

use std::time::Duration;

use windows_sys::Wdk::System::SystemInformation::{NtQuerySystemInformation, SystemTimeOfDayInformation};
use windows_sys::Win32::System::SystemInformation::GetTickCount64;

/// Returns the time since the machine started, sleep and hibernation included, as `CLOCK_BOOTTIME`
/// of Linux has it.
///
/// `GetTickCount64`, whose steps are 10 to 16 ms. `QueryUnbiasedInterruptTime` and the standard
/// library's `Instant` may leave out the time asleep, in which a session token ages.
#[must_use]
#[allow(unsafe_code, reason = "a call of the system")]
pub fn since_boot() -> Duration {
    // SAFETY: the call has no arguments and cannot fail.
    Duration::from_millis(unsafe { GetTickCount64() })
}

/// `SYSTEM_TIMEOFDAY_INFORMATION`, times in steps of 100 ns. windows-sys names none of its fields.
#[repr(C)]
#[derive(Default)]
struct TimeOfDay {
    boot_time: i64,
    current_time: i64,
    time_zone_bias: i64,
    time_zone_id: u32,
    reserved: u32,
    boot_time_bias: i64,
    sleep_time_bias: i64,
}

/// Returns a text that is the same in every process until the machine starts again; `None` if the
/// system does not tell.
///
/// Windows has no boot id that any process may read. The time at which the kernel started does as
/// well: its steps are 100 ns, and no two starts share it. A step of the wall clock moves
/// `BootTime` and `BootTimeBias` alike, so that their difference stays what it was at the start.
/// After a fast start, which resumes the kernel from disk, boot clock and identity both go on.
#[must_use]
#[allow(unsafe_code, reason = "a call of the system")]
pub fn boot_identity() -> Option<String> {
    let mut time = TimeOfDay::default();
    let size = u32::try_from(size_of::<TimeOfDay>()).ok()?;
    // SAFETY: the system writes at most `size` bytes to `time`, which is as large and of integers
    // alone; it accepts no returned length.
    let status = unsafe {
        NtQuerySystemInformation(
            SystemTimeOfDayInformation,
            (&raw mut time).cast(),
            size,
            std::ptr::null_mut(),
        )
    };
    let started = time.boot_time.wrapping_sub(time.boot_time_bias);
    (status >= 0 && started > 0).then(|| format!("{started:016x}"))
}
