//! Who a process is, with no I/O: what its command line may show, what its cgroup and its
//! User-Agent say.

pub(crate) mod caller;
pub(crate) mod cgroup;
pub(crate) mod redact;
pub(crate) mod user_agent;
