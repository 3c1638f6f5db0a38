//! What changed, as people and programs read it.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What happened to a value, or to the service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// It is there, and was not when it was last looked at.
    Appeared,
    /// It is another one.
    Changed,
    /// The service says that it is no longer there.
    Removed,
    /// The service cannot be read. Nothing is known to have changed.
    Unreachable,
    /// The service can be read again.
    Recovered,
}

impl Kind {
    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Appeared => "appeared",
            Self::Changed => "changed",
            Self::Removed => "removed",
            Self::Unreachable => "unreachable",
            Self::Recovered => "recovered",
        }
    }
}

/// One change: one line of output.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// The event's name; `service` where it is the service that changed.
    pub event: String,
    /// The path, where it is a value that changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// What happened.
    pub change: Kind,
    /// The value before; null where there was none.
    #[serde(default)]
    pub old: Value,
    /// The value now; null where there is none.
    #[serde(default)]
    pub new: Value,
    /// When it was seen, RFC 3339.
    pub time: String,
    /// How long what was before had been seen, in seconds of the monotonic clock. Absent where that
    /// began before this process did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub age_seconds: Option<f64>,
    /// How long until what the notice announces, where it names a time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seconds_left: Option<i64>,
    /// Why the service cannot be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The name that a hook's run goes by; two readings of one notice have the same.
    #[serde(skip)]
    pub hook: Option<HookName>,
}

/// The name of a hook's run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HookName {
    pub(crate) id: String,
    /// Whether the hook runs at most once for that name, however often the notice comes and goes.
    pub(crate) once: bool,
}
