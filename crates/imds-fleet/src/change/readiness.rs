//! Whether what is known of an instance's use of IMDSv1 lets IMDSv2 be required of it.
//!
//! "When the CloudWatch metric `MetadataNoToken` records zero IMDSv1 usage, your instances are ready" (EC2 User Guide,
//! "Transition to using Instance Metadata Service Version 2"): whatever is not known to be ready is left out of a plan
//! unless its author says otherwise.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::inventory::options::Posture;
use crate::inventory::resource::{AccountRegion, Instance};
use crate::usage::{Usage, UsageStatus};

/// Seconds in a day.
const DAY: i64 = 86_400;

/// A verdict as the plan file shows it to those who review it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Readiness {
    /// The verdict.
    pub verdict: UsageStatus,
    /// Why.
    pub reason: String,
    /// When the metrics were read; none when they were not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub read_at: Option<jiff::Timestamp>,
}

/// The verdicts that a plan is made with.
#[derive(Clone, Debug, Default)]
pub struct UsageStatuses {
    read_at: Option<jiff::Timestamp>,
    of: BTreeMap<(AccountRegion, String), (UsageStatus, String)>,
    not_read: BTreeMap<AccountRegion, String>,
}

impl UsageStatuses {
    /// The verdicts that were read at this time over this many days. Older than what they look back on, they say
    /// nothing about today.
    #[must_use]
    pub fn new(read_at: jiff::Timestamp, days: u16, now: jiff::Timestamp, usage: Vec<Usage>) -> Self {
        let age = (now.as_second() - read_at.as_second()) / DAY;
        let stale = age >= i64::from(days);
        let of = usage
            .into_iter()
            .map(|usage| {
                let said = if stale {
                    (UsageStatus::Unknown, format!("read {age} days ago, over {days} days"))
                } else {
                    (usage.verdict, usage.reason)
                };
                ((usage.place, usage.id), said)
            })
            .collect();
        Self { read_at: Some(read_at), of, not_read: BTreeMap::new() }
    }

    /// Notes that the metrics of a place could not be read.
    pub fn not_read(&mut self, place: AccountRegion, why: String) {
        self.not_read.insert(place, why);
    }

    /// What is known of an instance.
    #[must_use]
    pub fn of(&self, it: &Instance) -> Readiness {
        // A service that answers nobody answers no IMDSv1: that needs no metric.
        if it.posture == Posture::EndpointDisabled {
            let reason = "the endpoint is disabled".to_owned();
            return Readiness { verdict: UsageStatus::Off, reason, read_at: None };
        }
        let unknown = |reason: String, read_at| Readiness { verdict: UsageStatus::Unknown, reason, read_at };
        let Some(read_at) = self.read_at else { return unknown("usage was not read".to_owned(), None) };
        if let Some(why) = self.not_read.get(&it.place) {
            return unknown(format!("usage could not be read: {why}"), None);
        }
        match self.of.get(&(it.place.clone(), it.id.clone())) {
            // Said to be off and yet found to answer IMDSv1: it was changed since.
            Some((UsageStatus::Off, _)) => {
                unknown("IMDSv1 was off when usage was read".to_owned(), Some(read_at))
            }
            Some((verdict, reason)) => {
                Readiness { verdict: *verdict, reason: reason.clone(), read_at: Some(read_at) }
            }
            None => unknown("not among those whose usage was read".to_owned(), Some(read_at)),
        }
    }
}

/// Which verdicts do not keep an instance out of a plan.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Accepted {
    /// Instances that still use IMDSv1.
    pub in_use: bool,
    /// Instances of which it is not known.
    pub unknown: bool,
}

impl Accepted {
    /// Why an instance is left out, if it is.
    #[must_use]
    pub fn objection(self, readiness: &Readiness) -> Option<String> {
        let reason = &readiness.reason;
        match readiness.verdict {
            UsageStatus::InUse if !self.in_use => {
                Some(format!("still uses IMDSv1: {reason}; `--include-in-use` plans it all the same"))
            }
            UsageStatus::Unknown if !self.unknown => Some(format!(
                "whether it uses IMDSv1 is unknown: {reason}; `--include-unknown` plans it all the same"
            )),
            _ => None,
        }
    }
}
