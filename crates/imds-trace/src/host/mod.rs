//! What is asked of this machine: the kernel part, `/proc`, the cgroup tree, the names of users and
//! containers.

pub(crate) mod cgroups;
pub(crate) mod clock;
pub(crate) mod containers;
pub(crate) mod instance;
pub(crate) mod kernel;
pub(crate) mod lookup;
pub(crate) mod priority;
pub(crate) mod process;
pub(crate) mod requirements;
pub(crate) mod signals;
pub(crate) mod users;
