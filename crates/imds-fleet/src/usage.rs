//! Who still uses IMDSv1: the metric joined to the state, with a status for each instance and each
//! Auto Scaling group.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::aws::clients::AccountClients;
use crate::aws::metrics::{self, Calls, Series, Subject};
use crate::error::Error;
use crate::fault::Fault;
use crate::inventory::options::Posture;
use crate::inventory::resource::{AccountRegion, Instance};
use crate::trace::TracedCaller;

/// Seconds in a day.
const DAY: i64 = 86_400;
/// How much of a day may be over before its data must be there: samples come minutes late.
const LATE: i64 = 3600;

/// Whether IMDSv1 can be turned off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum UsageStatus {
    /// It is turned off already.
    Off,
    /// Data for every day of the window and today, and no call.
    Ready,
    /// Not enough data: that is not none.
    Unknown,
    /// There were calls.
    InUse,
}

impl UsageStatus {
    /// The word that stands for it in every output.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::InUse => "in-use",
            Self::Unknown => "unknown",
            Self::Off => "off",
        }
    }
}

/// What a status is about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// An instance.
    #[default]
    Instance,
    /// An Auto Scaling group, with the instances that it had: they are replaced more often than a
    /// window is long.
    AutoScalingGroup,
}

impl Kind {
    /// The word that stands for it in every output.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Instance => "instance",
            Self::AutoScalingGroup => "auto_scaling_group",
        }
    }
}

/// What the metric says about one instance or group.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Usage {
    /// Where it is.
    #[serde(flatten)]
    pub place: AccountRegion,
    /// What it is.
    #[serde(default)]
    pub kind: Kind,
    /// Its id, or the group's name.
    pub id: String,
    /// The tag `Name`.
    pub name: Option<String>,
    /// The posture of an instance.
    #[serde(default)]
    pub posture: Option<Posture>,
    /// Whether IMDSv1 can be turned off.
    pub status: UsageStatus,
    /// Why.
    pub reason: String,
    /// IMDSv1 calls that were answered; none without data.
    pub calls: Option<f64>,
    /// IMDSv1 calls that were refused; none without data.
    pub refused: Option<f64>,
    /// The programs that a trace of the instance saw using IMDSv1.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub callers: Vec<TracedCaller>,
}

impl Usage {
    /// Adds what a trace saw. Requests since the beginning of the window are use, whatever the
    /// metrics say.
    pub fn traced(&mut self, callers: &[TracedCaller], days: u16, now: i64) {
        let start = Window { days, now }.start();
        let recent = |it: &&TracedCaller| it.last.is_none_or(|last| last.as_second() >= start);
        let recent: Vec<&TracedCaller> = callers.iter().filter(recent).collect();
        self.callers = callers.to_vec();
        let Some(first) = recent.first() else { return };
        let requests: u64 = recent.iter().map(|it| it.requests).sum();
        let more = if recent.len() > 1 { format!(" and {} more", recent.len() - 1) } else { String::new() };
        let seen = format!("traced: {requests} by {}{more}", first.label());
        self.reason = format!("{}; {seen}", self.reason);
        if self.status != UsageStatus::Off {
            self.status = UsageStatus::InUse;
        }
    }
}

/// The document that `usage --output json` writes, as far as it is read again.
#[derive(Clone, Debug, Deserialize)]
pub struct Saved {
    schema_version: u32,
    /// When the metrics were read.
    pub read_at: jiff::Timestamp,
    /// How many days back they go.
    pub days: u16,
    /// The statuses.
    pub usage: Vec<Usage>,
}

impl Saved {
    /// Reads a saved document.
    ///
    /// # Errors
    ///
    /// Returns an error if it cannot be read, or is no such document.
    pub fn read(path: &std::path::Path) -> Result<Self, Error> {
        let bytes = std::fs::read(path).map_err(|source| Error::unusable("read", path, &source))?;
        let wrong = |why: String| Error::Input(format!("usage `{}`: {why}", path.display()));
        let saved: Self = serde_json::from_slice(&bytes).map_err(|error| wrong(error.to_string()))?;
        let known = crate::inventory::SCHEMA_VERSION;
        if saved.schema_version != known {
            return Err(wrong(format!("has version {}, this program knows {known}", saved.schema_version)));
        }
        Ok(saved)
    }
}

/// The window of `days` whole days and today, as far as it has come.
#[derive(Clone, Copy, Debug)]
struct Window {
    days: u16,
    now: i64,
}

impl Window {
    const fn midnight(self) -> i64 {
        self.now - self.now.rem_euclid(DAY)
    }

    fn start(self) -> i64 {
        self.midnight() - i64::from(self.days) * DAY
    }

    /// What the calls say by themselves: in use, ready, or why that is not known.
    fn judge(self, calls: &Calls) -> (UsageStatus, String) {
        let Self { days, .. } = self;
        let answered = calls.answered.total();
        if let Some(answered) = answered.filter(|answered| *answered > 0.0) {
            return (UsageStatus::InUse, format!("{answered} calls in {days} days and today"));
        }
        if let Some(why) = calls.incomplete() {
            return (UsageStatus::Unknown, format!("CloudWatch says {why}"));
        }
        let midnight = self.midnight();
        let seen = self.whole_days(&calls.answered);
        if seen < usize::from(days) {
            return (UsageStatus::Unknown, format!("data for {seen} of {days} days"));
        }
        if self.now - midnight > LATE && calls.answered.sums.range(midnight..).next().is_none() {
            return (UsageStatus::Unknown, "no data for today".to_owned());
        }
        (UsageStatus::Ready, format!("no call in {days} days and today"))
    }

    fn whole_days(self, series: &Series) -> usize {
        let days: BTreeSet<i64> =
            series.sums.range(self.start()..self.midnight()).map(|(at, _)| at - at.rem_euclid(DAY)).collect();
        days.len()
    }
}

/// Judges one instance by its calls, and by those of its group where it is younger than the window.
#[must_use]
pub fn judge(it: &Instance, calls: &Calls, group: Option<&Calls>, days: u16, now: i64) -> Usage {
    let window = Window { days, now };
    let refused = calls.refused.total();
    let (own, reason) = window.judge(calls);
    let young = it.launched_at.is_none_or(|launched| launched > now - i64::from(days) * DAY);
    let (status, reason) = if matches!(it.posture, Posture::V2Required | Posture::EndpointDisabled) {
        match refused {
            Some(refused) if refused > 0.0 => (UsageStatus::Off, format!("{refused} calls were refused")),
            _ => (UsageStatus::Off, "IMDSv1 is not answered".to_owned()),
        }
    } else if own == UsageStatus::InUse {
        (own, reason)
    } else if it.run_state != "running" {
        (UsageStatus::Unknown, format!("is `{}`: what it does when it runs is not known", it.run_state))
    } else if calls.incomplete().is_some() {
        (own, reason)
    } else if young {
        match (group, it.auto_scaling_group.as_deref()) {
            // Its group has had the same launch source for longer than it is there.
            (Some(group), Some(name)) => {
                let (status, reason) = window.judge(group);
                (status, format!("group `{name}`: {reason}"))
            }
            _ => (UsageStatus::Unknown, format!("has not run for {days} days")),
        }
    } else {
        (own, reason)
    };
    Usage {
        place: it.place.clone(),
        kind: Kind::Instance,
        id: it.id.clone(),
        name: it.name.clone(),
        posture: Some(it.posture),
        status,
        reason,
        calls: calls.answered.total(),
        refused,
        callers: Vec::new(),
    }
}

fn judge_group(place: &AccountRegion, name: &str, calls: &Calls, window: Window) -> Usage {
    let (status, reason) = window.judge(calls);
    Usage {
        place: place.clone(),
        kind: Kind::AutoScalingGroup,
        id: name.to_owned(),
        name: None,
        posture: None,
        status,
        reason,
        calls: calls.answered.total(),
        refused: calls.refused.total(),
        callers: Vec::new(),
    }
}

/// Whose usage to read, by account and Region.
#[derive(Clone, Debug, Default)]
pub struct Asked {
    places: BTreeMap<AccountRegion, (Vec<Instance>, BTreeSet<String>)>,
}

impl Asked {
    /// Asks for an instance, and for the group that it belongs to.
    pub fn instance(&mut self, it: Instance) {
        let (instances, groups) = self.places.entry(it.place.clone()).or_default();
        groups.extend(it.auto_scaling_group.clone());
        instances.push(it);
    }

    /// Asks for a group.
    pub fn group(&mut self, place: &AccountRegion, name: &str) {
        self.places.entry(place.clone()).or_default().1.insert(name.to_owned());
    }
}

/// Reads and judges what is asked for; an account and Region whose metrics cannot be read is in the
/// second list.
pub async fn usage(
    clients: Arc<AccountClients>,
    asked: Asked,
    days: u16,
    now: i64,
    concurrency: usize,
) -> (Vec<Usage>, Vec<(AccountRegion, Fault)>) {
    let permits = Arc::new(Semaphore::new(concurrency.max(1)));
    let mut running = JoinSet::new();
    for (place, (instances, groups)) in asked.places {
        let (clients, permits) = (Arc::clone(&clients), Arc::clone(&permits));
        running.spawn(async move {
            // A closed semaphore cannot be: nobody closes it.
            let _permit = permits.acquire().await;
            let read = of_place(&clients, &place, &instances, &groups, Window { days, now }).await;
            (place, read)
        });
    }
    let (mut found, mut failed) = (Vec::new(), Vec::new());
    for (place, read) in running.join_all().await {
        match read {
            Ok(usages) => found.extend(usages),
            Err(fault) => failed.push((place, fault)),
        }
    }
    found.sort_by(|a, b| (&a.place, a.kind, &a.id).cmp(&(&b.place, b.kind, &b.id)));
    failed.sort_by(|a, b| a.0.cmp(&b.0));
    (found, failed)
}

async fn of_place(
    clients: &AccountClients,
    place: &AccountRegion,
    instances: &[Instance],
    groups: &BTreeSet<String>,
    window: Window,
) -> Result<Vec<Usage>, Fault> {
    let member = clients.member(&place.account).await?;
    let client = member.cloudwatch(&place.region);
    let instance = |it: &Instance| Subject::Instance(it.id.clone());
    let subjects: Vec<Subject> =
        instances.iter().map(instance).chain(groups.iter().cloned().map(Subject::Group)).collect();
    // Whole days, so that a day's sum is one value, and today up to now.
    let period = i32::try_from(DAY).unwrap_or(i32::MAX);
    let range = window.start()..window.now;
    let read = metrics::calls(&client, &member.caller, place, &subjects, range, period).await?;
    let unread = Calls::default();
    let of = |subject: &Subject| read.get(subject).unwrap_or(&unread);
    let mut found: Vec<Usage> = instances
        .iter()
        .map(|it| {
            let group = it.auto_scaling_group.clone().map(Subject::Group);
            judge(it, of(&instance(it)), group.as_ref().map(of), window.days, window.now)
        })
        .collect();
    found.extend(
        groups.iter().map(|name| judge_group(place, name, of(&Subject::Group(name.clone())), window)),
    );
    Ok(found)
}
