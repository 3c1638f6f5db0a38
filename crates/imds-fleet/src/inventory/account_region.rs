//! One account in one Region.

use serde::{Deserialize, Serialize};

/// One account in one Region: the unit that AWS throttles, denies and opts in by.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct AccountRegion {
    /// The twelve digits of the account.
    pub account: String,
    /// The Region's name.
    pub region: String,
}

impl std::fmt::Display for AccountRegion {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.account, self.region)
    }
}
