//! Which lifecycle hook an action belongs to.

use std::time::Duration;

use imds_model::TargetLifecycleState;
use serde::{Deserialize, Serialize};

/// What Auto Scaling's calls need.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Details {
    pub(crate) group: String,
    /// The hook's name, where the user gave one.
    pub(crate) named: Option<String>,
    /// The group's hooks; `None` where they may not be described.
    pub(crate) hooks: Option<Vec<HookInfo>>,
}

/// A lifecycle hook of the group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct HookInfo {
    pub(crate) name: String,
    /// `autoscaling:EC2_INSTANCE_TERMINATING` or `autoscaling:EC2_INSTANCE_LAUNCHING`.
    pub(crate) transition: String,
    pub(crate) heartbeat_timeout: Option<Duration>,
}

/// The hook of an action.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Hook {
    /// This one, with its heartbeat timeout where that is known.
    One(String, Option<Duration>),
    /// The group has none for such a state: there is nothing to complete.
    None,
    /// It cannot be told which.
    Unclear(String),
}

impl Details {
    /// The hook of the transition to `state`.
    pub(crate) fn hook(&self, state: &str) -> Hook {
        let Some(hooks) = &self.hooks else {
            return match &self.named {
                Some(name) => Hook::One(name.clone(), None),
                None => Hook::Unclear(
                    "the group's lifecycle hooks cannot be described; name one with `--hook NAME`".to_owned(),
                ),
            };
        };
        if let Some(name) = &self.named {
            let timeout =
                hooks.iter().find(|hook| hook.name == *name).and_then(|hook| hook.heartbeat_timeout);
            return Hook::One(name.clone(), timeout);
        }
        let terminating = state.parse().is_ok_and(TargetLifecycleState::is_terminated);
        let transition = if terminating { "EC2_INSTANCE_TERMINATING" } else { "EC2_INSTANCE_LAUNCHING" };
        let fitting: Vec<&HookInfo> =
            hooks.iter().filter(|hook| hook.transition.ends_with(transition)).collect();
        match fitting.as_slice() {
            [] => Hook::None,
            [one] => Hook::One(one.name.clone(), one.heartbeat_timeout),
            several => {
                let names: Vec<&str> = several.iter().map(|hook| hook.name.as_str()).collect();
                Hook::Unclear(format!(
                    "group `{}` has several lifecycle hooks for `{state}`: name one of `{}` with `--hook NAME`",
                    self.group,
                    names.join("`, `")
                ))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn info(name: &str, transition: &str) -> HookInfo {
        HookInfo {
            name: name.to_owned(),
            transition: format!("autoscaling:EC2_INSTANCE_{transition}"),
            heartbeat_timeout: Some(Duration::from_secs(90)),
        }
    }

    #[test]
    fn the_hook_of_a_transition() {
        let mut details = Details {
            group: "web".to_owned(),
            named: None,
            hooks: Some(vec![info("drain", "TERMINATING"), info("warm", "LAUNCHING")]),
        };
        let ninety = Some(Duration::from_secs(90));
        assert_eq!(details.hook("Terminated"), Hook::One("drain".into(), ninety));
        assert_eq!(details.hook("InService"), Hook::One("warm".into(), ninety));
        details.hooks = Some(vec![info("a", "TERMINATING"), info("b", "TERMINATING")]);
        assert_eq!(details.hook("InService"), Hook::None);
        let Hook::Unclear(told) = details.hook("Terminated") else { panic!("two hooks fit") };
        assert_eq!(
            told,
            "group `web` has several lifecycle hooks for `Terminated`: name one of `a`, `b` with `--hook NAME`"
        );
        details.named = Some("b".to_owned());
        assert_eq!(details.hook("Terminated"), Hook::One("b".into(), ninety));
        details.hooks = None;
        assert_eq!(details.hook("Terminated"), Hook::One("b".into(), None));
        details.named = None;
        assert!(
            matches!(details.hook("Terminated"), Hook::Unclear(told) if told.contains("cannot be described"))
        );
    }
}
