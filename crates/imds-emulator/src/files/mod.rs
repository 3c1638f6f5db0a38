//! Files that a user writes: instances, snapshots, scenarios, another emulator's configuration.

pub(crate) mod aemm;
pub(crate) mod instance_file;
mod parse;
pub(crate) mod scenario;
pub(crate) mod snapshot;
