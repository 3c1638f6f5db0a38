//! The clients of each account: every account is entered once, its credentials shared by all
//! Regions.

use std::collections::HashMap;

use tokio::sync::Mutex;

use super::account;
use super::session::{Access, Member};
use crate::fault::Fault;
use crate::inventory::resource::{AccountDefaults, AccountRegion};

/// The clients of each account that was entered.
#[derive(Debug)]
pub struct AccountClients {
    /// The caller.
    pub access: Access,
    members: Mutex<HashMap<String, Member>>,
}

impl AccountClients {
    /// No account entered yet.
    #[must_use]
    pub fn new(access: Access) -> Self {
        Self { access, members: Mutex::default() }
    }

    /// Returns the clients of this account.
    ///
    /// # Errors
    ///
    /// Returns an error if its role cannot be assumed.
    pub async fn member(&self, account: &str) -> Result<Member, Fault> {
        let mut members = self.members.lock().await;
        if let Some(member) = members.get(account) {
            return Ok(member.clone());
        }
        let member = self.access.member(account).await?;
        members.insert(account.to_owned(), member.clone());
        Ok(member)
    }

    /// Reads the account defaults of a Region.
    ///
    /// # Errors
    ///
    /// Returns an error if the role cannot be assumed or the call fails.
    pub async fn defaults(&self, place: &AccountRegion) -> Result<AccountDefaults, Fault> {
        let member = self.member(&place.account).await?;
        account::defaults(&member.ec2(&place.region), &member.caller, place).await
    }
}
