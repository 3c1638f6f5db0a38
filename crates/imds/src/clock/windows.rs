//! The boot clock of Windows, and the time at which the kernel started, which serves as boot id.

use std::time::Duration;

use super::BootId;

pub(super) fn since_boot() -> Duration {
    imds_windows::since_boot()
}

pub(super) fn boot_id() -> Option<BootId> {
    BootId::new(&imds_windows::boot_identity()?)
}
