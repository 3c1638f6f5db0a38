//! Users of Linux and other Unix systems.

use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use imds_model::env;

/// The variables that name the home directory, first one first.
pub(super) const HOME: &[&str] = &[env::HOME];

pub(super) fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// Whether the effective user owns what the path names; `None` if nothing is there.
pub(super) fn is_own(path: &Path) -> Option<bool> {
    let part = std::fs::metadata(path).ok()?;
    Some(part.uid() == rustix::process::geteuid().as_raw())
}
