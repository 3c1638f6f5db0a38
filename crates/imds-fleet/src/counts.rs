//! Counts what a scan found, for summaries, metrics and exit codes.

use std::collections::BTreeMap;

use crate::inventory::options::Posture;
use crate::inventory::resource::{Resource, Scan};

/// What was found, in numbers.
#[derive(Clone, Debug, Default)]
pub struct Counts {
    /// Instances by posture.
    pub postures: BTreeMap<Posture, u64>,
    /// Resources by kind.
    pub kinds: BTreeMap<&'static str, u64>,
    /// Places that were scanned in full.
    pub complete: u64,
    /// Places that were not, and why.
    pub incomplete: Vec<Scan>,
}

impl Counts {
    /// Counts a resource.
    pub fn resource(&mut self, resource: &Resource) {
        *self.kinds.entry(resource.kind()).or_default() += 1;
        if let Resource::Instance(instance) = resource {
            *self.postures.entry(instance.posture).or_default() += 1;
        }
    }

    /// Counts a scan.
    pub fn scan(&mut self, scan: &Scan) {
        if scan.is_complete() {
            self.complete += 1;
        } else {
            self.incomplete.push(scan.clone());
        }
    }

    /// Instances in all.
    #[must_use]
    pub fn instances(&self) -> u64 {
        self.postures.values().sum()
    }

    /// Instances of this posture.
    #[must_use]
    pub fn of(&self, posture: Posture) -> u64 {
        self.postures.get(&posture).copied().unwrap_or(0)
    }

    /// The one line that sums it up. What was not scanned stands in it: it is never shown as clean.
    #[must_use]
    pub fn line(&self) -> String {
        let mut parts = vec![format!("{} instances", self.instances())];
        for posture in Posture::ALL {
            if self.of(posture) > 0 {
                parts.push(format!("{} {}", self.of(posture), posture.as_str()));
            }
        }
        let places = self.complete + self.incomplete.len() as u64;
        let mut line = format!("{} in {places} account/Regions", parts.join(", "));
        if !self.incomplete.is_empty() {
            line.push_str(&format!("; {} not (fully) scanned", self.incomplete.len()));
        }
        line
    }
}
