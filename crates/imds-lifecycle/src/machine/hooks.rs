//! Which lifecycle hooks an action belongs to.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// "48 hours or 100 times the heartbeat timeout, whichever is smaller" (Auto Scaling User Guide,
/// "Amazon EC2 Auto Scaling lifecycle hooks"): how long an action can be kept waiting.
const LONGEST_WAIT: Duration = Duration::from_secs(48 * 3_600);
const LONGEST_WAIT_TIMEOUTS: u32 = 100;

/// What Auto Scaling's calls need.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Details {
    pub(crate) group: String,
    /// The hooks' names, if the user gave some, in the order to serve them.
    pub(crate) named: Vec<String>,
    /// The group's hooks; `None` if they may not be described.
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

/// The hooks of an action.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Hooks {
    /// These, in order, and the shortest of their heartbeat timeouts if it is known.
    Some(Vec<String>, Option<Duration>),
    /// The group has none for such a state: there is nothing to complete.
    None,
    /// It cannot be told which.
    Unclear(String),
}

/// `EC2_INSTANCE_TERMINATING` or `EC2_INSTANCE_LAUNCHING`, by the target state. The hooks of a
/// termination hold a return to the warm pool, too.
pub(crate) fn transition(state: &str, returning: bool) -> &'static str {
    let leaves = returning || state.ends_with("Terminated");
    if leaves { "EC2_INSTANCE_TERMINATING" } else { "EC2_INSTANCE_LAUNCHING" }
}

/// Whether the instance goes from the group back to its warm pool, on scale in (User Guide, "Warm
/// pool example events and patterns").
pub(crate) fn is_return(from: Option<&str>, to: &str) -> bool {
    let in_group = matches!(from, Some("InService" | "Standby"));
    in_group && to.starts_with("Warmed:") && !to.ends_with("Terminated")
}

/// How long a hook can keep an instance waiting, heartbeats included.
pub(crate) fn longest_wait(heartbeat_timeout: Duration) -> Duration {
    heartbeat_timeout.saturating_mul(LONGEST_WAIT_TIMEOUTS).min(LONGEST_WAIT)
}

impl Details {
    /// The hooks of the transition to `state`.
    pub(crate) fn hooks(&self, state: &str, returning: bool) -> Hooks {
        let fits = |hook: &HookInfo| hook.transition.ends_with(transition(state, returning));
        let Some(hooks) = &self.hooks else {
            return if self.named.is_empty() {
                let told = "the group's lifecycle hooks cannot be described; name one with `--hook NAME`";
                Hooks::Unclear(told.to_owned())
            } else {
                Hooks::Some(self.named.clone(), None)
            };
        };
        let known = |name: &str| hooks.iter().find(|hook| hook.name == name);
        let names: Vec<String> = if self.named.is_empty() {
            hooks.iter().filter(|hook| fits(hook)).map(|hook| hook.name.clone()).collect()
        } else {
            // One that the group does not have yet may be added before the action opens.
            self.named.iter().filter(|name| known(name).is_none_or(fits)).cloned().collect()
        };
        if names.is_empty() {
            return Hooks::None;
        }
        if self.named.is_empty() && names.len() > 1 {
            return Hooks::Unclear(format!(
                "group `{}` has several lifecycle hooks for `{state}`: name those to answer, in order, of `{}` \
                 with `--hook NAME`",
                self.group,
                names.join("`, `")
            ));
        }
        let timeout = names.iter().filter_map(|name| known(name)?.heartbeat_timeout).min();
        Hooks::Some(names, timeout)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn info(name: &str, transition: &str, seconds: u64) -> HookInfo {
        HookInfo {
            name: name.to_owned(),
            transition: format!("autoscaling:EC2_INSTANCE_{transition}"),
            heartbeat_timeout: Some(Duration::from_secs(seconds)),
        }
    }

    fn some(names: &[&str], seconds: Option<u64>) -> Hooks {
        Hooks::Some(names.iter().map(|name| (*name).to_owned()).collect(), seconds.map(Duration::from_secs))
    }

    #[test]
    fn the_hooks_of_a_transition() {
        let mut details = Details {
            group: "web".to_owned(),
            named: Vec::new(),
            hooks: Some(vec![info("drain", "TERMINATING", 90), info("warm", "LAUNCHING", 60)]),
        };
        for (state, hook, seconds) in [
            ("Terminated", "drain", 90),
            ("Warmed:Terminated", "drain", 90),
            ("InService", "warm", 60),
            ("Warmed:Stopped", "warm", 60),
        ] {
            assert_eq!(details.hooks(state, false), some(&[hook], Some(seconds)), "{state}");
        }
        assert_eq!(details.hooks("Warmed:Stopped", true), some(&["drain"], Some(90)), "back to the pool");
        details.hooks = Some(vec![info("a", "TERMINATING", 90), info("b", "TERMINATING", 60)]);
        assert_eq!(details.hooks("InService", false), Hooks::None);
        let Hooks::Unclear(told) = details.hooks("Terminated", false) else { panic!("two hooks fit") };
        assert!(told.ends_with("name those to answer, in order, of `a`, `b` with `--hook NAME`"), "{told}");
        details.named = vec!["b".to_owned(), "a".to_owned()];
        assert_eq!(details.hooks("Terminated", false), some(&["b", "a"], Some(60)));
        assert_eq!(details.hooks("InService", false), Hooks::None, "neither is for a launch");
        details.named = vec!["later".to_owned()];
        assert_eq!(details.hooks("Terminated", false), some(&["later"], None));
        details.hooks = None;
        assert_eq!(details.hooks("Terminated", false), some(&["later"], None));
        details.named.clear();
        assert!(
            matches!(details.hooks("Terminated", false), Hooks::Unclear(told) if told.contains("cannot be described"))
        );
    }

    #[test]
    fn a_return_goes_from_the_group_to_the_pool() {
        for (from, to, expected) in [
            (Some("InService"), "Warmed:Stopped", true),
            (Some("InService"), "Warmed:Hibernated", true),
            (Some("Standby"), "Warmed:Running", true),
            (Some("InService"), "Warmed:Terminated", false),
            (Some("InService"), "Terminated", false),
            (Some("Warmed:Stopped"), "InService", false),
            (Some("Warmed:Stopped"), "Warmed:Running", false),
            (None, "Warmed:Stopped", false),
        ] {
            assert_eq!(is_return(from, to), expected, "{from:?} {to}");
        }
    }

    #[test]
    fn the_longest_wait() {
        assert_eq!(longest_wait(Duration::from_secs(30)), Duration::from_secs(3_000));
        assert_eq!(longest_wait(Duration::from_secs(7_200)), LONGEST_WAIT);
    }
}
