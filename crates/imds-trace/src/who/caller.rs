//! The process behind a request, as far as this machine tells.

use serde::{Deserialize, Serialize};

use super::cgroup::Place;

/// A process and where it runs. What is not known is absent, and never guessed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Caller {
    /// Process id in the pid namespace of the tracer; absent for a connection older than the
    /// tracer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) pid: Option<u32>,
    /// Name of the thread that connected, at most 15 bytes (`comm`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) name: Option<String>,
    /// User id.
    pub(crate) uid: u32,
    /// The user's name on this host.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) user: Option<String>,
    /// What `/proc` says of the process; absent once it is gone.
    #[serde(flatten)]
    pub(crate) details: Option<Details>,
    /// Path of the cgroup in the cgroup v2 tree, or `name=systemd` where only that names a unit or
    /// container.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) cgroup: Option<String>,
    /// Unit, container and pod, by the cgroup's path.
    #[serde(flatten)]
    pub(crate) place: Place,
}

/// What `/proc` says of a process.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Details {
    /// Path of the executable.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) executable: Option<String>,
    /// Its command line, redacted; absent when the process was gone before it could be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) command: Option<Vec<String>>,
    /// Its ancestors, the parent first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) parents: Vec<Parent>,
    /// Inode number of its network namespace, as `lsns` shows it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) network_namespace: Option<u64>,
}

/// An ancestor of a process.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Parent {
    pub(crate) pid: u32,
    pub(crate) name: String,
    /// Its command line, redacted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) command: Option<Vec<String>>,
}
