//! Scans a fleet: which places, in what order, how many at a time.

pub mod fleet;
mod found;
mod launches;
pub mod region;
pub mod selector;

use crate::inventory::resource::{Resource, Scan};

/// What a scan sends as it goes.
#[derive(Clone, Debug)]
pub enum Event {
    /// So many places are known to be scanned.
    AccountRegions(u64),
    /// Resources of one place.
    Found(Vec<Resource>),
    /// A place is done.
    Scanned(Scan),
    /// These Regions were not asked for.
    NotLookedAt(Vec<String>),
}

/// What to read in each place.
#[derive(Clone, Copy, Debug)]
pub struct Wanted {
    /// Instances.
    pub instances: bool,
    /// Launch templates, launch configurations, images and account defaults.
    pub launch_sources: bool,
    /// The rules of the security groups of instances that answer IMDSv1.
    pub security_groups: bool,
    /// What `imds-lint` says of the user data of launch templates.
    pub user_data: bool,
}
