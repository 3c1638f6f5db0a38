//! What the daemon has seen, begun and promised, on the disk: written before each step that it must
//! not repeat.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::hooks::{self, Details};

/// The layout of the file.
pub(crate) const VERSION: u32 = 2;

/// The journal's content: small enough to be written whole each time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Record {
    pub(crate) version: u32,
    /// Whose it is: an image may have been made of an instance that had one.
    pub(crate) instance_id: String,
    /// The boot of the machine that it is about; empty if the boot id is unknown.
    pub(crate) boot: String,
    /// The target lifecycle state that was read last.
    pub(crate) seen: Option<String>,
    /// Number of the last command; never used twice, because it names files.
    pub(crate) number: u64,
    /// The action that is not yet completed.
    pub(crate) action: Option<Action>,
    /// Whether the termination command, run for a Spot interruption, has ended in this boot, and
    /// with success.
    pub(crate) drained: Option<bool>,
    /// The Spot interruption that was acted on in this boot.
    pub(crate) spot: Option<String>,
    /// So that a restart in the middle of an action need not wait for the metadata service.
    pub(crate) known: Option<Known>,
}

/// What an action needs from elsewhere; true until the machine boots again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Known {
    pub(crate) region: String,
    pub(crate) details: Option<Details>,
}

/// What is done about one state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Action {
    /// Names the files of the command's current attempt.
    pub(crate) number: u64,
    pub(crate) state: String,
    pub(crate) stage: Stage,
    /// When it began, since boot.
    pub(crate) begun: Duration,
    /// How often the command was started.
    #[serde(default)]
    pub(crate) attempts: u32,
    /// The instance goes back to its warm pool: the hooks are those of a termination.
    #[serde(default)]
    pub(crate) returning: bool,
    /// A Spot interruption began it, and the target state is not `Terminated` yet.
    #[serde(default)]
    pub(crate) spot: bool,
    /// Lifecycle hooks whose action is known to be open: a call for it has succeeded.
    #[serde(default)]
    pub(crate) opened: Vec<String>,
    /// Lifecycle hooks whose action has ended.
    #[serde(default)]
    pub(crate) ended: Vec<String>,
}

/// How far an action has come. What the stage says may have been begun; nothing beyond it has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Stage {
    /// The command starts when the instance enters the wait state (`--when waiting`).
    Announced,
    /// The command is to run, or runs. Its supervisor sees to it that it runs once.
    Hook,
    /// The command failed and is started again after a pause.
    Retry,
    /// The command has ended, and the action is completed when the daemon is stopped.
    Held,
    /// The result is sent to Auto Scaling.
    Completing { result: ActionResult },
}

/// `LifecycleActionResult` of `CompleteLifecycleAction`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "UPPERCASE")]
pub(crate) enum ActionResult {
    /// Terminate a launching instance and stop other hooks
    Abandon,
    /// Go on as if the command had succeeded
    Continue,
}

impl ActionResult {
    /// As `LifecycleActionResult` spells it.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Continue => "CONTINUE",
            Self::Abandon => "ABANDON",
        }
    }
}

impl Action {
    /// `EC2_INSTANCE_TERMINATING` or `EC2_INSTANCE_LAUNCHING`.
    pub(crate) fn transition(&self) -> &'static str {
        hooks::transition(&self.state, self.returning)
    }
}

impl Record {
    /// An instance of which nothing is known yet.
    pub(crate) fn new(instance_id: &str, boot: &str) -> Self {
        Self {
            version: VERSION,
            instance_id: instance_id.to_owned(),
            boot: boot.to_owned(),
            seen: None,
            number: 0,
            action: None,
            drained: None,
            spot: None,
            known: None,
        }
    }

    /// The record for another boot of the same instance, and the state of an action that the last
    /// boot did not finish. Such an action is never completed: the instance may have been stopped
    /// into a warm pool and launched again since. If its state is still the target, it begins anew.
    pub(crate) fn into_boot(self, boot: &str) -> (Self, Option<String>) {
        if self.boot == boot {
            return (self, None);
        }
        let unfinished = self.action.map(|action| action.state);
        let seen = if unfinished.is_some() { None } else { self.seen };
        let new = Self { seen, number: self.number, ..Self::new(&self.instance_id, boot) };
        (new, unfinished)
    }
}
