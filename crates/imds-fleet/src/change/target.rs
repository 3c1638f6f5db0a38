//! Reads and changes what a plan is about, whatever kind it is.

use std::collections::HashMap;

use imds_model::options::State;
use tokio::sync::Mutex;

use super::plan::{Change, Target};
use crate::aws::fault::Fault;
use crate::aws::modify::{self, Mode};
use crate::aws::session::{Access, Member};
use crate::aws::{account, instances, launch_sources};
use crate::inventory::options::Options;
use crate::inventory::resource::{AccountDefaults, Place};

/// How a target is now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Current {
    /// Its options.
    pub options: Options,
    /// Whether they are in force, where that is said.
    pub state: Option<State>,
    /// The default version of a launch template.
    pub version: Option<i64>,
}

/// How a target stands to a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stand {
    /// As it was.
    Prior,
    /// As it is to be.
    New,
    /// Neither: someone else has changed it.
    Other,
}

impl Current {
    /// How it stands to the change.
    #[must_use]
    pub fn stand(&self, change: &Change) -> Stand {
        let to_be = change.prior.overlaid(&change.new);
        match &change.target {
            // All five are known beforehand; what the service then does not say is no difference.
            Target::Instance { .. } => {
                let is = |wanted: &Options| wanted.differing_from(&wanted.overlaid(&self.options)).is_empty();
                match (is(&to_be), is(&change.prior)) {
                    (true, _) => Stand::New,
                    (false, true) => Stand::Prior,
                    (false, false) => Stand::Other,
                }
            }
            Target::AccountDefaults if self.options == to_be => Stand::New,
            Target::AccountDefaults if self.options == change.prior => Stand::Prior,
            Target::LaunchTemplate { version, .. } => match self.version == Some(*version) {
                true if self.options == change.prior => Stand::Prior,
                false if self.options == to_be => Stand::New,
                _ => Stand::Other,
            },
            Target::AccountDefaults => Stand::Other,
        }
    }
}

/// Reaches into the accounts, each entered once.
#[derive(Debug)]
pub struct Reach {
    /// The caller.
    pub access: Access,
    members: Mutex<HashMap<String, Member>>,
}

impl Reach {
    /// Reaches as this caller.
    #[must_use]
    pub fn new(access: Access) -> Self {
        Self { access, members: Mutex::default() }
    }

    /// The caller in this account.
    ///
    /// # Errors
    ///
    /// When its role is not to be had.
    pub async fn member(&self, account: &str) -> Result<Member, Fault> {
        let mut members = self.members.lock().await;
        if let Some(member) = members.get(account) {
            return Ok(member.clone());
        }
        let member = self.access.member(account).await?;
        members.insert(account.to_owned(), member.clone());
        Ok(member)
    }

    /// The defaults of a place.
    ///
    /// # Errors
    ///
    /// The fault of the call.
    pub async fn defaults(&self, place: &Place) -> Result<AccountDefaults, Fault> {
        let member = self.member(&place.account).await?;
        account::defaults(&member.ec2(&place.region), &member.caller, place).await
    }

    /// How these targets of one place are now; none where one is gone.
    ///
    /// # Errors
    ///
    /// The fault of the call.
    pub async fn current(&self, place: &Place, changes: &[&Change]) -> Result<Vec<Option<Current>>, Fault> {
        let member = self.member(&place.account).await?;
        let (ec2, caller) = (member.ec2(&place.region), &member.caller);
        let ids: Vec<String> = changes
            .iter()
            .filter(|change| matches!(change.target, Target::Instance { .. }))
            .map(|change| change.target.id().to_owned())
            .collect();
        let mut instances: HashMap<String, Current> = HashMap::new();
        for instance in instances::by_id(&ec2, caller, place, &ids).await? {
            let current = Current { options: instance.options, state: instance.options_state, version: None };
            instances.insert(instance.id, current);
        }
        let mut found = Vec::with_capacity(changes.len());
        for change in changes {
            found.push(match &change.target {
                Target::Instance { id } => instances.get(id).copied(),
                Target::AccountDefaults => {
                    let defaults = account::defaults(&ec2, caller, place).await?;
                    Some(Current { options: defaults.options, state: None, version: None })
                }
                Target::LaunchTemplate { id, .. } => {
                    let versions =
                        launch_sources::versions(&ec2, caller, place, Some(id), &["$Default".to_owned()])
                            .await?;
                    versions.first().map(|version| Current {
                        options: version.options,
                        state: None,
                        version: Some(version.number),
                    })
                }
            });
        }
        Ok(found)
    }

    /// Makes the change, or asks whether it may be made.
    ///
    /// # Errors
    ///
    /// The fault of the call.
    pub async fn make(&self, change: &Change, token: &str, mode: Mode) -> Result<(), Fault> {
        let place = &change.place;
        let member = self.member(&place.account).await?;
        let (ec2, caller) = (member.ec2(&place.region), &member.caller);
        match &change.target {
            Target::Instance { id } => modify::instance(&ec2, caller, place, id, &change.new, mode).await,
            Target::AccountDefaults => {
                modify::defaults(&ec2, caller, place, &change.new, &Options::NONE, mode).await
            }
            Target::LaunchTemplate { id, version } => {
                let options = change.prior.overlaid(&change.new);
                let source = (id.as_str(), *version);
                let made = modify::new_version(&ec2, caller, place, source, &options, token, mode).await?;
                let number = made.map_or(*version, |made| made.number);
                modify::default_version(&ec2, caller, place, id, number, mode).await
            }
        }
    }

    /// Restores what was before the change.
    ///
    /// # Errors
    ///
    /// The fault of the call.
    pub async fn restore(&self, change: &Change, current: &Current) -> Result<(), Fault> {
        let place = &change.place;
        let member = self.member(&place.account).await?;
        let (ec2, caller) = (member.ec2(&place.region), &member.caller);
        let back = change.prior.differing_from(&current.options);
        match &change.target {
            Target::Instance { id } => modify::instance(&ec2, caller, place, id, &back, Mode::Real).await,
            Target::AccountDefaults => {
                // What had no preference before has none afterwards.
                let unset = unset_by(&change.prior, &change.new);
                modify::defaults(&ec2, caller, place, &back, &unset, Mode::Real).await
            }
            // The version that was made stays, unused: deleting it would be one more thing to go wrong.
            Target::LaunchTemplate { id, version } => {
                modify::default_version(&ec2, caller, place, id, *version, Mode::Real).await
            }
        }
    }
}

/// Those of `new` that `prior` does not set.
fn unset_by(prior: &Options, new: &Options) -> Options {
    Options {
        http_tokens: new.http_tokens.filter(|_| prior.http_tokens.is_none()),
        http_endpoint: new.http_endpoint.filter(|_| prior.http_endpoint.is_none()),
        http_put_response_hop_limit: new
            .http_put_response_hop_limit
            .filter(|_| prior.http_put_response_hop_limit.is_none()),
        http_protocol_ipv6: None,
        instance_metadata_tags: new.instance_metadata_tags.filter(|_| prior.instance_metadata_tags.is_none()),
    }
}
