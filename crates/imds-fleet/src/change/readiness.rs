//! Whether what is known of the use of IMDSv1 lets IMDSv2 be required: of an instance, of what
//! launches more of them, of an account.
//!
//! "When the CloudWatch metric `MetadataNoToken` records zero IMDSv1 usage, your instances are
//! ready" (EC2 User Guide, "Transition to using Instance Metadata Service Version 2"): whatever is
//! not known to be ready is left out of a plan unless its author says otherwise.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::inventory::options::Posture;
use crate::inventory::resource::{AccountRegion, Instance};
use crate::usage::{Kind, Usage, UsageStatus};

/// Seconds in a day.
const DAY: i64 = 86_400;
/// Tags that EC2 puts on what is launched from a template ("Launch templates", EC2 User Guide).
pub(super) const TEMPLATE_TAG: &str = "aws:ec2launchtemplate:id";

/// A status as the plan file shows it to those who review it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Readiness {
    /// The status.
    pub status: UsageStatus,
    /// Why.
    pub reason: String,
    /// When the metrics were read; none when they were not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub read_at: Option<jiff::Timestamp>,
}

/// The statuses that a plan is made with.
#[derive(Clone, Debug, Default)]
pub struct UsageStatuses {
    read_at: Option<jiff::Timestamp>,
    of: BTreeMap<(AccountRegion, Kind, String), (UsageStatus, String)>,
    not_read: BTreeMap<AccountRegion, String>,
    /// Instances that answer IMDSv1, by account and Region, with the template that each was
    /// launched from.
    v1: BTreeMap<AccountRegion, Vec<(Readiness, String, Option<String>)>>,
    /// Why not all the instances were looked at, everywhere.
    pub filtered: bool,
    /// Where not all the instances were seen.
    unseen: BTreeSet<AccountRegion>,
}

impl UsageStatuses {
    /// The statuses that were read at this time over this many days. Older than what they look back
    /// on, they say nothing about today.
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
                    (usage.status, usage.reason)
                };
                ((usage.place, usage.kind, usage.id), said)
            })
            .collect();
        Self { read_at: Some(read_at), of, ..Self::default() }
    }

    /// Notes that the metrics of an account and Region could not be read.
    pub fn not_read(&mut self, place: AccountRegion, why: String) {
        self.not_read.insert(place, why);
    }

    /// Notes that not all the instances of an account and Region were seen.
    pub fn not_seen(&mut self, place: AccountRegion) {
        self.unseen.insert(place);
    }

    /// Notes an instance of the scan, for what launches more of its kind.
    pub fn seen(&mut self, it: &Instance) {
        if it.posture == Posture::V1Allowed {
            let entry = (self.of(it), it.id.clone(), it.tags.get(TEMPLATE_TAG).cloned());
            self.v1.entry(it.place.clone()).or_default().push(entry);
        }
    }

    /// What is known of an instance.
    #[must_use]
    pub fn of(&self, it: &Instance) -> Readiness {
        // A service that answers nobody answers no IMDSv1: that needs no metric.
        if it.posture == Posture::EndpointDisabled {
            let reason = "the endpoint is disabled".to_owned();
            return Readiness { status: UsageStatus::Off, reason, read_at: None };
        }
        match self.said(&it.place, Kind::Instance, &it.id) {
            // Said to be off and yet found to answer IMDSv1: it was changed since.
            Readiness { status: UsageStatus::Off, read_at, .. } => {
                let reason = "IMDSv1 was off when usage was read".to_owned();
                Readiness { status: UsageStatus::Unknown, reason, read_at }
            }
            readiness => readiness,
        }
    }

    fn said(&self, place: &AccountRegion, kind: Kind, id: &str) -> Readiness {
        let unknown = |reason: String, read_at| Readiness { status: UsageStatus::Unknown, reason, read_at };
        let Some(read_at) = self.read_at else { return unknown("usage was not read".to_owned(), None) };
        if let Some(why) = self.not_read.get(place) {
            return unknown(format!("usage could not be read: {why}"), None);
        }
        match self.of.get(&(place.clone(), kind, id.to_owned())) {
            Some((status, reason)) => {
                Readiness { status: *status, reason: reason.clone(), read_at: Some(read_at) }
            }
            None => unknown("not among those whose usage was read".to_owned(), Some(read_at)),
        }
    }

    /// What is known of the groups and instances that are launched from a template, or by a group:
    /// the worst of them. Where nothing is launched, nothing is in use.
    #[must_use]
    pub fn of_source(&self, place: &AccountRegion, template: Option<&str>, groups: &[String]) -> Readiness {
        let groups: BTreeSet<&String> = groups.iter().collect();
        let of_groups = groups.into_iter().map(|name| {
            let said = self.said(place, Kind::AutoScalingGroup, name);
            Readiness { reason: format!("group `{name}`: {}", said.reason), ..said }
        });
        let launched = self.v1.get(place).into_iter().flatten();
        let launched = launched.filter(|(_, _, from)| from.is_some() && from.as_deref() == template);
        self.worst(of_groups.chain(launched.map(named)), "nothing is launched from it")
    }

    /// What is known of all the instances of an account and Region that answer IMDSv1: the worst of
    /// them.
    #[must_use]
    pub fn of_place(&self, place: &AccountRegion) -> Readiness {
        let worst =
            self.worst(self.v1.get(place).into_iter().flatten().map(named), "no instance allows IMDSv1");
        if (self.filtered || self.unseen.contains(place)) && worst.status < UsageStatus::Unknown {
            let reason = "not all of its instances were looked at".to_owned();
            return Readiness { status: UsageStatus::Unknown, reason, read_at: worst.read_at };
        }
        worst
    }

    fn worst(&self, all: impl Iterator<Item = Readiness>, none: &str) -> Readiness {
        let none = Readiness { status: UsageStatus::Off, reason: none.to_owned(), read_at: self.read_at };
        all.fold(none, |worst, it| if it.status > worst.status { it } else { worst })
    }
}

fn named((readiness, id, _): &(Readiness, String, Option<String>)) -> Readiness {
    Readiness { reason: format!("`{id}`: {}", readiness.reason), ..readiness.clone() }
}

/// Which statuses do not keep a change out of a plan.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Accepted {
    /// What still uses IMDSv1.
    pub in_use: bool,
    /// What is not known to use it or not.
    pub unknown: bool,
}

impl Accepted {
    /// Why a change is left out, if it is.
    #[must_use]
    pub fn objection(self, readiness: &Readiness) -> Option<String> {
        let reason = &readiness.reason;
        match readiness.status {
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
