//! What is announced to an instance: Spot, Auto Scaling, maintenance.

use imds_model::TargetLifecycleState;
use serde::{Deserialize, Serialize};

use crate::base::time::Timestamp;

/// What Spot and Auto Scaling have announced so far.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Lifecycle {
    /// When a rebalance recommendation was given.
    pub rebalance: Option<Timestamp>,
    /// The interruption notice.
    pub spot: Option<Spot>,
    /// The state that the Auto Scaling group is moving the instance to.
    #[cfg_attr(test, schemars(with = "Option<crate::manual::LifecycleState>"))]
    pub target_lifecycle_state: Option<TargetLifecycleState>,
}

/// A Spot interruption notice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Spot {
    /// What will be done.
    pub action: SpotAction,
    /// When.
    pub time: Timestamp,
}

/// What a Spot interruption does to the instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum SpotAction {
    /// Terminated.
    Terminate,
    /// Stopped.
    Stop,
    /// Hibernated, which begins at once: there are no two minutes of notice (EC2 User Guide, "Spot
    /// Instance interruption notices").
    Hibernate,
}

impl SpotAction {
    /// As `spot/instance-action` spells it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Terminate => "terminate",
            Self::Stop => "stop",
            Self::Hibernate => "hibernate",
        }
    }

    /// The action of this spelling.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Terminate, Self::Stop, Self::Hibernate].into_iter().find(|action| action.as_str() == text)
    }
}

/// Maintenance events.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Maintenance {
    /// To come.
    pub scheduled: Vec<MaintenanceEvent>,
    /// Completed or cancelled.
    pub history: Vec<MaintenanceEvent>,
}

/// A maintenance event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct MaintenanceEvent {
    /// `instance-event-0d59937288b749b32`.
    pub event_id: String,
    /// `instance-stop`, `instance-retirement`, `instance-reboot`, `system-reboot`,
    /// `system-maintenance`.
    pub code: String,
    /// What is going to happen, in words.
    pub description: String,
    /// Start at the earliest.
    pub not_before: Timestamp,
    /// Start at the latest.
    #[serde(default)]
    pub not_after: Option<Timestamp>,
    /// Where it stands.
    #[serde(default)]
    pub state: MaintenanceState,
}

/// Where a maintenance event stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum MaintenanceState {
    /// Scheduled.
    #[default]
    Active,
    /// Done.
    Completed,
    /// Called off.
    Canceled,
}

impl MaintenanceState {
    /// As the JSON leaf spells it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Completed => "completed",
            Self::Canceled => "canceled",
        }
    }
}
