//! What the daemon has seen, begun and promised, on the disk: written before each step that it must not repeat.

use serde::{Deserialize, Serialize};

use crate::details::Details;

/// The only layout of the file so far.
pub(crate) const VERSION: u32 = 1;

/// The journal: small enough to be written whole each time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Record {
    pub(crate) version: u32,
    /// Whose it is: an image may have been made of an instance that had one.
    pub(crate) instance_id: String,
    /// The target lifecycle state that was acted on last.
    pub(crate) seen: Option<String>,
    /// How many actions there were.
    pub(crate) number: u64,
    /// The action that is not yet completed.
    pub(crate) action: Option<Action>,
    /// A state that came while another one was being acted on.
    pub(crate) waiting: Option<String>,
    /// So that a restart in the middle of an action need not wait for the metadata service.
    #[serde(default)]
    pub(crate) known: Option<Known>,
}

/// What an action needs from elsewhere; true as long as the machine is not started anew.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Known {
    /// The start of the machine that it is true for.
    pub(crate) boot: String,
    pub(crate) region: String,
    pub(crate) details: Option<Details>,
}

/// What is done about one state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Action {
    /// Names the hook's files.
    pub(crate) number: u64,
    pub(crate) state: String,
    pub(crate) stage: Stage,
}

/// How far an action has come. What the stage says may have been begun; nothing beyond it has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Stage {
    /// The hook is to run, or runs. Its keeper sees to it that it runs once.
    Hook,
    /// The hook has ended, and the action is completed when the daemon is stopped.
    Held { success: bool },
    /// Auto Scaling is being told.
    Completing { verdict: Verdict },
}

/// What Auto Scaling is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub(crate) enum Verdict {
    Continue,
    Abandon,
}

impl Verdict {
    /// As `LifecycleActionResult` spells it.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Continue => "CONTINUE",
            Self::Abandon => "ABANDON",
        }
    }
}

impl Record {
    /// An instance of which nothing is known yet.
    pub(crate) fn new(instance_id: &str) -> Self {
        Self {
            version: VERSION,
            instance_id: instance_id.to_owned(),
            seen: None,
            number: 0,
            action: None,
            waiting: None,
            known: None,
        }
    }
}
