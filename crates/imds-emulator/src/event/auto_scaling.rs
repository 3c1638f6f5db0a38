//! The walks of an instance of an Auto Scaling group, with the gaps between their states.
//!
//! `autoscaling/target-lifecycle-state` changes once, when the group decides. The group's own view,
//! `LifecycleState` of `DescribeAutoScalingInstances`, walks on after that: behind a load balancer
//! `Terminating` lasts up to the deregistration delay, and only `Terminating:Wait` opens the
//! lifecycle action (PrairieLearn/PrairieLearn#15522). The metadata service never shows that view;
//! the control API does. The states are those of the Auto Scaling User Guide, "Amazon EC2 Auto
//! Scaling instance lifecycle" and "Use lifecycle hooks with a warm pool".

use std::time::Duration;

use imds_model::TargetLifecycleState;

/// The deregistration delay of a target group (Elastic Load Balancing, "Deregistration delay").
const DRAIN: Duration = Duration::from_secs(300);
/// The heartbeat timeout of a lifecycle hook (API reference, `PutLifecycleHook`).
const WAIT: Duration = Duration::from_secs(3_600);
/// How long EC2 takes to start, stop or terminate an instance is not documented: these are short.
const PENDING: Duration = Duration::from_secs(5);
const PROCEED: Duration = Duration::from_secs(5);
/// How long a stopped instance stays in the warm pool.
const POOLED: Duration = Duration::from_secs(600);

/// Where the walk goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Walk {
    /// `Pending`, `Pending:Wait`, `Pending:Proceed`, `InService`.
    Launch,
    /// `Terminating`, `Terminating:Wait`, `Terminating:Proceed`, `Terminated`, and the instance is
    /// gone.
    Terminate,
    /// `Warmed:Pending`, `Warmed:Pending:Wait`, `Warmed:Pending:Proceed`, `Warmed:Stopped`, where
    /// nothing listens; then a start with a new boot, and the walk of [`Walk::Launch`].
    WarmLaunch,
    /// From the pool: `Warmed:Terminating`, `Warmed:Terminating:Wait`,
    /// `Warmed:Terminating:Proceed`, `Warmed:Terminated`, and the instance is gone.
    WarmTerminate,
    /// From service back to the pool on scale in: `Warmed:Pending`, `Warmed:Pending:Wait`, which
    /// the hooks of a termination hold (User Guide, "Warm pool example events and patterns"),
    /// `Warmed:Pending:Proceed`, `Warmed:Stopped`.
    WarmReturn,
}

impl Walk {
    /// Every walk.
    pub const ALL: [Self; 5] =
        [Self::Launch, Self::Terminate, Self::WarmLaunch, Self::WarmTerminate, Self::WarmReturn];

    /// As files and the control API spell it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Launch => "launch",
            Self::Terminate => "terminate",
            Self::WarmLaunch => "warm-launch",
            Self::WarmTerminate => "warm-terminate",
            Self::WarmReturn => "warm-return",
        }
    }

    /// The walk of this spelling.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|walk| walk.as_str() == text)
    }

    /// The gaps that it has, by the names that files and the control API use.
    #[must_use]
    pub const fn gaps(self) -> &'static [&'static str] {
        match self {
            Self::Launch => &["pending", "wait", "proceed"],
            Self::WarmLaunch => &["pending", "wait", "proceed", "pooled"],
            Self::Terminate | Self::WarmReturn => &["drain", "wait", "proceed"],
            // An instance of the pool is behind no load balancer.
            Self::WarmTerminate => &["wait", "proceed"],
        }
    }
}

/// A whole walk, with its gaps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AutoScaling {
    /// Where it goes.
    pub walk: Walk,
    /// How long `Pending` lasts.
    pub pending: Duration,
    /// How long the load balancer drains the instance.
    pub drain: Duration,
    /// How long the wait lasts, unless the action is completed before.
    pub wait: Duration,
    /// How long the state after the wait lasts.
    pub proceed: Duration,
    /// How long the instance is stopped in the pool.
    pub pooled: Duration,
}

/// One state of a walk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// `LifecycleState`, as the group sees it.
    pub state: &'static str,
    /// What the metadata service shows from now on.
    pub(crate) target: TargetLifecycleState,
    /// Whether the instance runs.
    pub(crate) runs: bool,
}

impl AutoScaling {
    /// A walk with the usual gaps: 5 minutes of draining, an hour of waiting.
    #[must_use]
    pub const fn new(walk: Walk) -> Self {
        Self { walk, pending: PENDING, drain: DRAIN, wait: WAIT, proceed: PROCEED, pooled: POOLED }
    }

    /// Every state with the time at which it begins, counted from the start of the walk.
    pub(crate) fn steps(&self) -> Vec<(Duration, Step)> {
        use TargetLifecycleState::{InService, Terminated, WarmedStopped, WarmedTerminated};
        let enter = ["Pending", "Pending:Wait", "Pending:Proceed", "InService"];
        let warm = ["Warmed:Pending", "Warmed:Pending:Wait", "Warmed:Pending:Proceed", "Warmed:Stopped"];
        match self.walk {
            Walk::Launch => self.part(Duration::ZERO, self.pending, enter, InService),
            Walk::Terminate => {
                let states = ["Terminating", "Terminating:Wait", "Terminating:Proceed", "Terminated"];
                self.part(Duration::ZERO, self.drain, states, Terminated)
            }
            Walk::WarmTerminate => {
                let states = [
                    "Warmed:Terminating",
                    "Warmed:Terminating:Wait",
                    "Warmed:Terminating:Proceed",
                    "Warmed:Terminated",
                ];
                self.part(Duration::ZERO, Duration::ZERO, states, WarmedTerminated)
            }
            Walk::WarmReturn => self.part(Duration::ZERO, self.drain, warm, WarmedStopped),
            Walk::WarmLaunch => {
                let mut steps = self.part(Duration::ZERO, self.pending, warm, WarmedStopped);
                let stopped = self.pending.saturating_add(self.wait).saturating_add(self.proceed);
                let started = stopped.saturating_add(self.pooled);
                steps.extend(self.part(started, self.pending, enter, InService));
                steps
            }
        }
    }

    /// Four states: before the wait, the wait, after it, and the steady one.
    fn part(
        &self,
        start: Duration,
        before: Duration,
        states: [&'static str; 4],
        target: TargetLifecycleState,
    ) -> Vec<(Duration, Step)> {
        let mut time = start;
        let mut steps = Vec::new();
        for (state, gap) in states.into_iter().zip([before, self.wait, self.proceed, Duration::ZERO]) {
            // The last state is the steady one: of these, only `InService` is one that runs.
            let runs = target == TargetLifecycleState::InService || steps.len() < 3;
            steps.push((time, Step { state, target, runs }));
            time = time.saturating_add(gap);
        }
        steps
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_walk_ends_in_its_target_and_the_announcement_comes_first() {
        for walk in Walk::ALL {
            let steps = AutoScaling::new(walk).steps();
            assert_eq!(Walk::parse(walk.as_str()), Some(walk));
            assert_eq!(steps[0].0, Duration::ZERO);
            let (_, last) = steps.last().unwrap();
            assert_eq!(last.state, last.target.as_str(), "{walk:?}");
            assert!(steps.is_sorted_by_key(|(time, _)| *time), "{walk:?}");
            assert!(steps.iter().any(|(_, step)| step.state.ends_with(":Wait")), "{walk:?}");
        }
    }

    #[test]
    fn the_gaps_are_those_that_were_given() {
        let seconds = Duration::from_secs;
        let mut walk = AutoScaling::new(Walk::WarmLaunch);
        (walk.pending, walk.wait, walk.proceed, walk.pooled) =
            (seconds(1), seconds(2), seconds(3), seconds(4));
        let times: Vec<_> = walk.steps().iter().map(|(time, step)| (time.as_secs(), step.state)).collect();
        assert_eq!(
            times,
            [
                (0, "Warmed:Pending"),
                (1, "Warmed:Pending:Wait"),
                (3, "Warmed:Pending:Proceed"),
                (6, "Warmed:Stopped"),
                (10, "Pending"),
                (11, "Pending:Wait"),
                (13, "Pending:Proceed"),
                (16, "InService"),
            ]
        );
        let off: Vec<_> =
            walk.steps().iter().filter(|(_, step)| !step.runs).map(|(_, step)| step.state).collect();
        assert_eq!(off, ["Warmed:Stopped"]);
    }
}
