//! Events: what happens to an instance while it runs, told by a scenario file, the control API or a
//! test.

pub(crate) mod auto_scaling;
pub(crate) mod fault;
pub(crate) mod text;

use std::time::Duration;

use imds_model::options::{HopLimit, HttpTokens, Switch};

use crate::base::path::ValuePath;
use crate::instance::{MaintenanceEvent, SpotAction, TargetLifecycleState};

/// Something that happens to the instance.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub enum Event {
    /// A rebalance recommendation is given.
    Rebalance,
    /// A Spot interruption is announced.
    Interrupt {
        /// What will be done to the instance.
        action: SpotAction,
        /// How long before.
        notice: Duration,
    },
    /// What Spot announced is taken back: the two leaves are not found again.
    ClearSpot,
    /// The instance is gone: nothing listens any more.
    Terminate,
    /// The instance is there again, with nothing announced.
    Start,
    /// The Auto Scaling group moves the instance; `None`: it is in no group.
    TargetLifecycleState(Option<TargetLifecycleState>),
    /// The Auto Scaling group walks the instance through its states, with gaps; it replaces a walk
    /// that is under way.
    AutoScaling(auto_scaling::AutoScaling),
    /// The next state of such a walk.
    AutoScalingStep(auto_scaling::Step),
    /// The lifecycle action of the walk is completed: its wait ends now. Nothing happens outside a
    /// wait.
    CompleteLifecycleAction,
    /// Maintenance is scheduled.
    ScheduleMaintenance(MaintenanceEvent),
    /// Maintenance is over: it goes to the history as completed.
    CompleteMaintenance(String),
    /// Maintenance is called off: it goes to the history as cancelled.
    CancelMaintenance(String),
    /// A tag gets a value, or is taken away.
    Tag(String, Option<String>),
    /// User data is replaced, or taken away.
    UserData(Option<Vec<u8>>),
    /// New role credentials are issued ahead of time.
    RotateCredentials,
    /// Metadata options are changed.
    Options(OptionsChange),
    /// A value at a path, or none there.
    Set(ValuePath, Option<Vec<u8>>),
    /// A fault begins.
    Fault(fault::Fault),
    /// Every fault ends.
    ClearFaults,
}

impl std::fmt::Debug for Event {
    /// Values may be user data or credentials: only the name is shown.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Event({})", self.name())
    }
}

impl Event {
    /// The event's name, as files and the control API spell it; for a step of a walk, its state.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Rebalance => "rebalance",
            Self::Interrupt { .. } => "interrupt",
            Self::ClearSpot => "clear-spot",
            Self::Terminate => "terminate",
            Self::Start => "start",
            Self::TargetLifecycleState(_) => "target-lifecycle-state",
            Self::AutoScaling(_) => "auto-scaling",
            Self::AutoScalingStep(step) => step.state,
            Self::CompleteLifecycleAction => "complete-lifecycle-action",
            Self::ScheduleMaintenance(_) => "schedule-maintenance",
            Self::CompleteMaintenance(_) => "complete-maintenance",
            Self::CancelMaintenance(_) => "cancel-maintenance",
            Self::Tag(_, Some(_)) => "tag",
            Self::Tag(_, None) => "untag",
            Self::UserData(_) => "user-data",
            Self::RotateCredentials => "rotate-credentials",
            Self::Options(_) => "options",
            Self::Set(_, Some(_)) => "set",
            Self::Set(_, None) => "unset",
            Self::Fault(_) => "fault",
            Self::ClearFaults => "clear-faults",
        }
    }
}

/// A change of metadata options: what is `None` stays as it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OptionsChange {
    /// Whether requests need a session token.
    pub tokens: Option<HttpTokens>,
    /// Whether the service answers at all.
    pub endpoint: Option<Switch>,
    /// How far the answer to a token PUT travels.
    pub hop_limit: Option<HopLimit>,
    /// Whether the IPv6 endpoint answers.
    pub ipv6: Option<Switch>,
    /// Whether tags are shown.
    pub tags: Option<Switch>,
    /// How long the change is pending before it is applied; until then the options before it are in
    /// force (what the real service does meanwhile is unknown).
    pub pending: Duration,
}

impl OptionsChange {
    /// The options after this change.
    #[must_use]
    pub fn apply(self, mut options: imds_model::MetadataOptions) -> imds_model::MetadataOptions {
        options.http_tokens = self.tokens.unwrap_or(options.http_tokens);
        options.http_endpoint = self.endpoint.unwrap_or(options.http_endpoint);
        options.http_put_response_hop_limit = self.hop_limit.unwrap_or(options.http_put_response_hop_limit);
        options.http_protocol_ipv6 = self.ipv6.unwrap_or(options.http_protocol_ipv6);
        options.instance_metadata_tags = self.tags.unwrap_or(options.instance_metadata_tags);
        options
    }
}
