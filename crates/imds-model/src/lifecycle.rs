//! The target lifecycle states of an instance in an Auto Scaling group.

use std::fmt;
use std::str::FromStr;

/// Value of `autoscaling/target-lifecycle-state`: the state that the instance is moving to, or is
/// in (Amazon EC2 Auto Scaling User Guide, "Retrieve the target lifecycle state through instance
/// metadata").
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub enum TargetLifecycleState {
    /// The instance leaves the group.
    Detached,
    /// The instance is in service.
    InService,
    /// The instance is in standby.
    Standby,
    /// The instance will be terminated.
    Terminated,
    /// The instance enters the warm pool and hibernates.
    #[cfg_attr(feature = "serde", serde(rename = "Warmed:Hibernated"))]
    WarmedHibernated,
    /// The instance enters the warm pool and keeps running.
    #[cfg_attr(feature = "serde", serde(rename = "Warmed:Running"))]
    WarmedRunning,
    /// The instance enters the warm pool and is stopped.
    #[cfg_attr(feature = "serde", serde(rename = "Warmed:Stopped"))]
    WarmedStopped,
    /// The instance leaves the warm pool and will be terminated.
    #[cfg_attr(feature = "serde", serde(rename = "Warmed:Terminated"))]
    WarmedTerminated,
}

impl TargetLifecycleState {
    /// Every state.
    pub const ALL: [Self; 8] = [
        Self::Detached,
        Self::InService,
        Self::Standby,
        Self::Terminated,
        Self::WarmedHibernated,
        Self::WarmedRunning,
        Self::WarmedStopped,
        Self::WarmedTerminated,
    ];

    /// Returns the state as the service spells it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Detached => "Detached",
            Self::InService => "InService",
            Self::Standby => "Standby",
            Self::Terminated => "Terminated",
            Self::WarmedHibernated => "Warmed:Hibernated",
            Self::WarmedRunning => "Warmed:Running",
            Self::WarmedStopped => "Warmed:Stopped",
            Self::WarmedTerminated => "Warmed:Terminated",
        }
    }

    /// Returns whether the instance is terminated in this state, from the group or from its warm
    /// pool.
    #[must_use]
    pub const fn is_terminated(self) -> bool {
        matches!(self, Self::Terminated | Self::WarmedTerminated)
    }
}

impl fmt::Display for TargetLifecycleState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Returned if a text is not one of the states. `Display` lists them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownState(String);

impl fmt::Display for UnknownState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is not a target lifecycle state; the states are ", self.0.escape_debug())?;
        for (at, state) in TargetLifecycleState::ALL.iter().enumerate() {
            write!(f, "{}`{state}`", if at > 0 { ", " } else { "" })?;
        }
        Ok(())
    }
}

impl std::error::Error for UnknownState {}

impl FromStr for TargetLifecycleState {
    type Err = UnknownState;

    fn from_str(text: &str) -> Result<Self, UnknownState> {
        Self::ALL
            .into_iter()
            .find(|state| state.as_str() == text)
            .ok_or_else(|| UnknownState(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_is_read_as_it_is_written() {
        for state in TargetLifecycleState::ALL {
            assert_eq!(state.to_string().parse(), Ok(state));
        }
        assert_eq!("Warmed:Running".parse(), Ok(TargetLifecycleState::WarmedRunning));
        let terminated: Vec<_> =
            TargetLifecycleState::ALL.into_iter().filter(|state| state.is_terminated()).collect();
        assert_eq!(terminated, [TargetLifecycleState::Terminated, TargetLifecycleState::WarmedTerminated]);
    }

    #[test]
    fn an_unknown_state_is_named_beside_the_known_ones() {
        for text in ["", "inservice", "InService ", "Pending:Wait"] {
            let message = text.parse::<TargetLifecycleState>().unwrap_err().to_string();
            assert!(message.starts_with(&format!("`{text}` is not a target lifecycle state")), "{message}");
            assert!(message.ends_with("`Warmed:Stopped`, `Warmed:Terminated`"), "{message}");
        }
    }
}
