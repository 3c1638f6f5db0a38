//! Credentials of the role that come from elsewhere while the emulator runs.

use std::fmt;

use super::Credentials;
use crate::base::time::Timestamp;

/// What the role's credentials are at the moment, given by a program outside the emulator.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum RoleCredentials {
    /// These, to readers of both versions.
    Ready {
        /// What requests are signed with.
        credentials: Credentials,
        /// When they were fetched.
        updated: Timestamp,
        /// When they expire; in the past if the program gives expired ones.
        expiration: Timestamp,
        /// The account that they belong to; the instance's if it is not known.
        account_id: Option<String>,
    },
    /// None, as the service reports a role that it cannot assume.
    Unavailable {
        /// When that was found.
        updated: Timestamp,
    },
}

impl fmt::Debug for RoleCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ready { .. } => "RoleCredentials::Ready",
            Self::Unavailable { .. } => "RoleCredentials::Unavailable",
        })
    }
}
