//! Users of Windows.

use std::path::Path;

use imds_model::env;

/// The variables that name the home directory, first one first.
pub(super) const HOME: &[&str] = &[env::HOME, env::USER_PROFILE];

/// Nobody: the Administrators have a token store of their own each, like every user.
pub(super) fn is_root() -> bool {
    false
}

/// Whether this user, SYSTEM or the Administrators own what the path names; `None` if nothing is
/// there.
pub(super) fn is_own(path: &Path) -> Option<bool> {
    path.exists().then(|| imds_windows::is_own(path))
}
