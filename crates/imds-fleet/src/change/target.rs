//! Reads and changes what a plan is about, whatever kind it is.

use std::collections::HashMap;

use imds_model::options::{State, Switch};
use tokio::sync::Mutex;

use super::plan::{Change, Enforcement, Target};
use crate::aws::clients::AccountClients;
use crate::aws::modify::{self, Enforced, Mode};
use crate::aws::session::Access;
use crate::aws::{account, instances};
use crate::fault::Fault;
use crate::inventory::options::Options;
use crate::inventory::resource::AccountRegion;

/// How a target is now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Current {
    /// Its options.
    pub options: Options,
    /// Whether they are in force, where that is said.
    pub state: Option<State>,
    /// The default version of a launch template.
    pub version: Option<i64>,
    /// `HttpTokensEnforced` of account defaults.
    pub enforced: bool,
    /// How a group stands to the version that the plan makes for it.
    pub pin: Option<DriftState>,
    /// Whether the version that the plan makes of a template is there.
    pub has_made: bool,
    /// Whether it is an instance that does not run: it takes its options up when it starts.
    pub is_stopped: bool,
}

/// How a target stands to a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DriftState {
    /// As it was.
    Prior,
    /// As it is to be.
    New,
    /// Neither: someone else has changed it.
    Other,
}

impl Current {
    pub(super) const fn of(options: Options) -> Self {
        Self {
            options,
            state: None,
            version: None,
            enforced: false,
            pin: None,
            has_made: false,
            is_stopped: false,
        }
    }

    /// How it stands to the change. Only the options that the plan changes count: what someone else
    /// changed of the others is theirs, and no obstacle.
    #[must_use]
    pub fn drift(&self, change: &Change) -> DriftState {
        let to_be = change.prior.overlaid(&change.new);
        match &change.target {
            // All five are known beforehand; what the service then does not say is no difference.
            Target::Instance { .. } => {
                let is = |wanted: &Options| wanted.differing_from(&wanted.overlaid(&self.options)).is_empty();
                match (is(&change.new), is(&change.prior.restricted_to(&change.new))) {
                    (true, _) => DriftState::New,
                    (false, true) => DriftState::Prior,
                    (false, false) => DriftState::Other,
                }
            }
            Target::AccountDefaults => {
                // Never set is as good as `disabled`.
                let is = |wanted: fn(&Enforcement) -> bool| {
                    change.http_tokens_enforced.as_ref().is_none_or(|it| self.enforced == wanted(it))
                };
                let current = self.options.restricted_to(&change.new);
                if current == change.new && is(|it| it.new == Switch::Enabled) {
                    DriftState::New
                } else if current == change.prior.restricted_to(&change.new)
                    && is(|it| it.prior == Some(Switch::Enabled))
                {
                    DriftState::Prior
                } else {
                    DriftState::Other
                }
            }
            Target::LaunchTemplate { version, .. } => match self.version == Some(*version) {
                true if self.options == change.prior => DriftState::Prior,
                false if self.options == to_be => DriftState::New,
                _ => DriftState::Other,
            },
            Target::AutoScalingGroup { .. } => self.pin.unwrap_or(DriftState::Other),
        }
    }

    /// Whether its options are still to come into force. Of an instance that does not run they come
    /// into force when it starts, so that waiting for it would wait for that.
    #[must_use]
    pub fn is_pending(&self) -> bool {
        self.state == Some(State::Pending) && !self.is_stopped
    }

    /// Whether the change is in force.
    #[must_use]
    pub fn is_made(&self, change: &Change) -> bool {
        !self.is_pending() && self.drift(change) == DriftState::New
    }

    /// Whether all is as it was before the change, and in force: also what a run that was stopped
    /// has left behind.
    #[must_use]
    pub fn is_restored(&self, change: &Change) -> bool {
        !self.is_pending() && self.drift(change) == DriftState::Prior && !self.has_made
    }
}

/// The accounts that a plan is about, and its mark on what it makes.
#[derive(Debug)]
pub struct Targets {
    /// The accounts.
    pub clients: AccountClients,
    /// The plan that is applied or undone: what it makes carries its mark.
    pub(super) plan: String,
    /// Held while a group is read and written back, so that two changes of one group do not lose
    /// each other.
    pub(super) group: Mutex<()>,
}

impl Targets {
    /// The targets of the plan with this digest.
    #[must_use]
    pub fn new(access: Access, digest: &str) -> Self {
        let plan = digest.get(..32).unwrap_or(digest).to_owned();
        Self { clients: AccountClients::new(access), plan, group: Mutex::default() }
    }

    /// How these targets of one place are now; none where one is gone.
    ///
    /// # Errors
    ///
    /// Returns the fault of the call.
    pub async fn current(
        &self,
        place: &AccountRegion,
        changes: &[&Change],
    ) -> Result<Vec<Option<Current>>, Fault> {
        let member = self.clients.member(&place.account).await?;
        let (ec2, caller) = (member.ec2(&place.region), &member.caller);
        let ids: Vec<String> = changes
            .iter()
            .filter(|change| matches!(change.target, Target::Instance { .. }))
            .map(|change| change.target.id().to_owned())
            .collect();
        let mut instances: HashMap<String, Current> = HashMap::new();
        for instance in instances::by_id(&ec2, caller, place, &ids).await? {
            // What is about to end is as good as gone: EC2 refuses to change it.
            if matches!(instance.run_state.as_str(), "shutting-down" | "terminated") {
                continue;
            }
            let current = Current {
                state: instance.options_state,
                is_stopped: matches!(instance.run_state.as_str(), "stopping" | "stopped"),
                ..Current::of(instance.options)
            };
            instances.insert(instance.id, current);
        }
        let mut found = Vec::with_capacity(changes.len());
        for change in changes {
            found.push(match &change.target {
                Target::Instance { id } => instances.get(id).copied(),
                Target::AccountDefaults => {
                    let defaults = account::defaults(&ec2, caller, place).await?;
                    Some(Current { enforced: defaults.http_tokens_enforced, ..Current::of(defaults.options) })
                }
                Target::LaunchTemplate { id, version } => {
                    self.current_template(&member, place, id, *version).await?
                }
                Target::AutoScalingGroup { id, template, version } => {
                    self.current_group(&member, change, id, (template, *version)).await?
                }
            });
        }
        Ok(found)
    }

    /// Makes the change, or asks whether it may be made.
    ///
    /// # Errors
    ///
    /// Returns the fault of the call.
    pub async fn make(&self, change: &Change, mode: Mode) -> Result<(), Fault> {
        let place = &change.place;
        let member = self.clients.member(&place.account).await?;
        let (ec2, caller) = (member.ec2(&place.region), &member.caller);
        match &change.target {
            Target::Instance { id } => modify::instance(&ec2, caller, place, id, &change.new, mode).await,
            Target::AccountDefaults => {
                let enforced = change.http_tokens_enforced.map_or(Enforced::Kept, |it| Enforced::Set(it.new));
                modify::defaults(&ec2, caller, place, &change.new, &Options::NONE, enforced, mode).await
            }
            Target::LaunchTemplate { id, version } => {
                let number = self.make_version(&member, change, (id, *version), mode).await?;
                modify::default_version(&ec2, caller, place, id, number, mode).await
            }
            Target::AutoScalingGroup { id, template, version } => {
                let number = self.make_version(&member, change, (template, *version), mode).await?;
                match mode {
                    // Auto Scaling knows no dry run.
                    Mode::DryRun => Ok(()),
                    Mode::Real => self.move_group(&member, place, id, template, (*version, number)).await,
                }
            }
        }
    }

    /// Restores what was before the change.
    ///
    /// # Errors
    ///
    /// Returns the fault of the call.
    pub async fn restore(&self, change: &Change, current: &Current) -> Result<(), Fault> {
        let place = &change.place;
        let member = self.clients.member(&place.account).await?;
        let (ec2, caller) = (member.ec2(&place.region), &member.caller);
        // In full, even where it seems to be so already: what is read just after a change may be
        // what was before it.
        let back = change.prior.restricted_to(&change.new);
        match &change.target {
            Target::Instance { id } => modify::instance(&ec2, caller, place, id, &back, Mode::Real).await,
            Target::AccountDefaults => {
                // What had no preference before has none afterwards.
                let unset = unset_by(&change.prior, &change.new);
                let enforced = match change.http_tokens_enforced {
                    None => Enforced::Kept,
                    Some(Enforcement { prior: None, .. }) => Enforced::Cleared,
                    Some(Enforcement { prior: Some(prior), .. }) => Enforced::Set(prior),
                };
                modify::defaults(&ec2, caller, place, &back, &unset, enforced, Mode::Real).await
            }
            Target::LaunchTemplate { id, version } => {
                if current.version != Some(*version) {
                    modify::default_version(&ec2, caller, place, id, *version, Mode::Real).await?;
                }
                self.delete_made(&member, place, id, *version).await
            }
            Target::AutoScalingGroup { id, template, version } => {
                self.move_group_back(&member, place, id, template, *version).await?;
                self.delete_made(&member, place, template, *version).await
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
