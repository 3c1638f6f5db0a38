//! What goes into the machine and what comes out: rules, inputs, steps.

use std::time::Duration;

use super::hooks::Details;
use super::record::ActionResult;

/// What the user wants.
#[derive(Clone, Debug)]
pub(crate) struct Rules {
    /// The states that are acted on.
    pub(crate) states: Vec<String>,
    pub(crate) when: When,
    pub(crate) complete: Complete,
    /// The result that is sent to Auto Scaling if the command failed.
    pub(crate) on_failure: ActionResult,
    /// How often a command that failed is started again.
    pub(crate) retries: u32,
    /// Instead of a third of the hook's heartbeat timeout.
    pub(crate) heartbeat: Option<Duration>,
    /// Instead of the time limit that follows from the hook.
    pub(crate) time_limit: Option<Duration>,
    /// The poll interval, and the pause between calls while the action is not open yet.
    pub(crate) interval: Duration,
    /// How long the end of the process waits for an action.
    pub(crate) stop_timeout: Duration,
}

/// When the command starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum When {
    /// As soon as the target state is announced
    Announced,
    /// When the instance enters the wait state: the load balancer has drained until then
    Waiting,
}

/// When an action is completed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Complete {
    /// When the command has ended
    OnExit,
    /// When this program is stopped by SIGTERM, as the last thing of a shutdown that the command
    /// has begun
    OnStop,
}

/// What happened.
#[derive(Clone, Debug)]
pub(crate) enum Input {
    /// The target lifecycle state, or none; or why it could not be read.
    Reading(Result<Option<String>, String>),
    /// A Spot interruption is announced: what identifies it, and how long is left.
    Spot(String, Option<Duration>),
    Details(Result<Details, String>),
    HookEnded {
        number: u64,
        result: HookResult,
    },
    /// The lifecycle hook that the call named, and what came of it.
    Heartbeat(String, Result<(), ApiError>),
    Completed(String, Result<(), ApiError>),
    /// `LifecycleState` of the instance; `None` if it is in no group.
    InstanceState(Result<Option<String>, String>),
    /// SIGTERM or SIGINT, and whether the machine is going down.
    Stop {
        going_down: bool,
    },
    /// Nothing but time.
    Time,
}

/// How a command ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct HookResult {
    pub(crate) success: bool,
    /// In words: `exit status: 1`.
    pub(crate) told: String,
}

/// Why a call of Auto Scaling's failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ApiError {
    /// There is no open lifecycle action: not yet, or not any more.
    NoAction,
    /// Anything that may be otherwise later. It may have been done, or not.
    Other(String),
}

/// A command to run, and what its environment tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Hook {
    pub(crate) number: u64,
    pub(crate) state: String,
    /// `EC2_INSTANCE_TERMINATING` or `EC2_INSTANCE_LAUNCHING`.
    pub(crate) transition: &'static str,
    pub(crate) spot: bool,
    pub(crate) group: Option<String>,
    /// The lifecycle hooks that are answered by the command's result.
    pub(crate) hooks: Vec<String>,
    /// When the command is ended.
    pub(crate) limit: Duration,
    /// How long until the instance is gone, if that is known.
    pub(crate) left: Option<Duration>,
}

/// What is to be done, in this order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Put the record on the disk. What follows relies on it.
    Save,
    Resolve,
    /// See to it that this command runs, once.
    RunHook(Hook),
    /// End the command of this number: TERM, then KILL.
    StopHook(u64),
    Heartbeat {
        group: String,
        hook: String,
    },
    Complete {
        group: String,
        hook: String,
        result: ActionResult,
    },
    /// Ask the API for the instance's own state.
    AskState,
    /// The files of this command are no longer needed.
    Forget(u64),
    /// Ask the service manager for this much time to stop.
    Extend(Duration),
    Say(String),
    Exit,
    /// End with exit code 2.
    Fail(String),
}
