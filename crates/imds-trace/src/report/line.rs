//! The lines of a trace: `docs/trace.md` describes them for those who read them.

use serde::{Deserialize, Serialize};

use super::record::{Counts, Request};
use super::summary::CallerCounts;

/// Version of the lines' format: readers refuse what they do not know.
pub(crate) const FORMAT: u32 = 1;

/// One line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub(crate) enum Line {
    Start(Box<Start>),
    Request(Box<Request>),
    Caller(Box<CallerCounts>),
    Counts(Box<End>),
    End(Box<End>),
}

/// The first line: what is traced, where, and since when.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Start {
    pub(crate) format: u32,
    pub(crate) version: String,
    pub(crate) time: String,
    /// Absent on what is no EC2 instance, as far as the machine itself tells.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) instance_id: Option<String>,
    pub(crate) host: String,
    pub(crate) kernel: String,
    pub(crate) cgroup: String,
    pub(crate) endpoints: Vec<String>,
}

/// How much was seen until now, and how much was not. It is also the last line: a trace without it
/// was cut off.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct End {
    pub(crate) time: String,
    #[serde(flatten)]
    pub(crate) counts: Counts,
}
