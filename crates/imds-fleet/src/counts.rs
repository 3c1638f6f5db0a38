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
    /// Regions that were not looked at, because nobody asked for them.
    pub not_looked_at: Vec<String>,
    /// Accounts and Regions that refuse IMDSv1 altogether, of those whose defaults were read.
    pub enforced: u64,
    /// Accounts and Regions whose defaults were read.
    pub defaults: u64,
    /// Those of them that have reached the end state.
    pub end_state: u64,
    /// Accounts and Regions whose defaults a declarative policy of the organization sets.
    pub by_policy: u64,
}

impl Counts {
    /// Counts a resource.
    pub fn resource(&mut self, resource: &Resource) {
        *self.kinds.entry(resource.kind()).or_default() += 1;
        match resource {
            Resource::Instance(instance) => *self.postures.entry(instance.posture).or_default() += 1,
            Resource::AccountDefaults(defaults) => {
                self.defaults += 1;
                self.end_state += u64::from(defaults.end_state.reached);
                self.enforced += u64::from(defaults.http_tokens_enforced);
                self.by_policy += u64::from(defaults.managed_by.as_deref().is_some_and(|by| by != "account"));
            }
            _ => {}
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
        if self.defaults > 0 {
            let (of, by_policy) = (self.defaults, self.by_policy);
            line.push_str(&format!("; IMDSv2 enforced in {} of {of}", self.enforced));
            if by_policy > 0 {
                line.push_str(&format!(", defaults set by a declarative policy in {by_policy}"));
            }
            line.push_str(&format!(", end state reached in {}", self.end_state));
        }
        if !self.not_looked_at.is_empty() {
            line.push_str(&format!(
                "; not looked at: {} (`--all-regions` scans them)",
                self.not_looked_at.join(", ")
            ));
        }
        line
    }
}
