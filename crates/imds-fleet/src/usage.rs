//! Who still uses IMDSv1: the metric joined to the state, with a verdict for each instance.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::aws::clients::AccountClients;
use crate::aws::fault::Fault;
use crate::aws::metrics::{self, NO_TOKEN, NO_TOKEN_REJECTED};
use crate::error::Error;
use crate::inventory::options::Posture;
use crate::inventory::resource::{AccountRegion, Instance};

/// Seconds in a day.
const DAY: i64 = 86_400;

/// Whether IMDSv1 can be turned off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum UsageStatus {
    /// Data for every day of the window, and no call.
    Ready,
    /// There were calls.
    InUse,
    /// Not enough data: that is not none.
    Unknown,
    /// It is turned off already.
    Off,
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

/// What the metric says about one instance.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Usage {
    /// Where it is.
    #[serde(flatten)]
    pub place: AccountRegion,
    /// Which.
    pub id: String,
    /// What people call it.
    pub name: Option<String>,
    /// Its posture.
    pub posture: Posture,
    /// Whether IMDSv1 can be turned off.
    pub verdict: UsageStatus,
    /// Why.
    pub reason: String,
    /// IMDSv1 calls that were answered; none without data.
    pub calls: Option<f64>,
    /// IMDSv1 calls that were refused; none without data.
    pub refused: Option<f64>,
}

/// The document that `usage --output json` writes, as far as it is read again.
#[derive(Clone, Debug, Deserialize)]
pub struct Saved {
    schema_version: u32,
    /// When the metrics were read.
    pub read_at: jiff::Timestamp,
    /// How many days back they go.
    pub days: u16,
    /// The verdicts.
    pub usage: Vec<Usage>,
}

impl Saved {
    /// Reads a saved document.
    ///
    /// # Errors
    ///
    /// When it cannot be read, or is no such document.
    pub fn read(path: &std::path::Path) -> Result<Self, Error> {
        let bytes = std::fs::read(path).map_err(|source| Error::file(path, source))?;
        let wrong = |why: String| Error::Input(format!("usage `{}`: {why}", path.display()));
        let saved: Self = serde_json::from_slice(&bytes).map_err(|error| wrong(error.to_string()))?;
        let known = crate::output::state::SCHEMA_VERSION;
        if saved.schema_version != known {
            return Err(wrong(format!("has version {}, this program knows {known}", saved.schema_version)));
        }
        Ok(saved)
    }
}

/// Judges one instance by the sums of each day.
#[must_use]
pub fn judge(it: &Instance, calls: Option<&[f64]>, refused: Option<&[f64]>, days: u16, now: i64) -> Usage {
    let total = |sums: Option<&[f64]>| sums.map(|sums| sums.iter().sum::<f64>());
    let (answered, refused) = (total(calls), total(refused));
    let seen = calls.map_or(0, <[f64]>::len);
    let since = now - i64::from(days) * DAY;
    let (verdict, reason) = if matches!(it.posture, Posture::V2Required | Posture::EndpointDisabled) {
        match refused {
            Some(refused) if refused > 0.0 => (UsageStatus::Off, format!("{refused} calls were refused")),
            _ => (UsageStatus::Off, "IMDSv1 is not answered".to_owned()),
        }
    } else if let Some(answered) = answered.filter(|answered| *answered > 0.0) {
        (UsageStatus::InUse, format!("{answered} calls in {days} days"))
    } else if it.run_state != "running" {
        (UsageStatus::Unknown, format!("is `{}`: what it does when it runs is not known", it.run_state))
    } else if it.launched_at.is_none_or(|launched| launched > since) {
        (UsageStatus::Unknown, format!("has not run for {days} days"))
    } else if seen < usize::from(days) {
        (UsageStatus::Unknown, format!("data for {seen} of {days} days"))
    } else {
        (UsageStatus::Ready, format!("no call in {days} days"))
    };
    Usage {
        place: it.place.clone(),
        id: it.id.clone(),
        name: it.name.clone(),
        posture: it.posture,
        verdict,
        reason,
        calls: answered,
        refused,
    }
}

/// Reads and judges instances, place by place; a place whose metrics cannot be read is in the second list.
pub async fn usage(
    clients: Arc<AccountClients>,
    instances: Vec<Instance>,
    days: u16,
    now: i64,
    concurrency: usize,
) -> (Vec<Usage>, Vec<(AccountRegion, Fault)>) {
    let mut by_place: BTreeMap<AccountRegion, Vec<Instance>> = BTreeMap::new();
    for instance in instances {
        by_place.entry(instance.place.clone()).or_default().push(instance);
    }
    let permits = Arc::new(Semaphore::new(concurrency.max(1)));
    let mut running = JoinSet::new();
    for (place, instances) in by_place {
        let (clients, permits) = (Arc::clone(&clients), Arc::clone(&permits));
        running.spawn(async move {
            // A closed semaphore cannot be: nobody closes it.
            let _permit = permits.acquire().await;
            let read = of_place(&clients, &place, &instances, days, now).await;
            (place, read)
        });
    }
    let (mut found, mut failed) = (Vec::new(), Vec::new());
    while let Some(ended) = running.join_next().await {
        match ended {
            Ok((_, Ok(usages))) => found.extend(usages),
            Ok((place, Err(fault))) => failed.push((place, fault)),
            Err(_) => {}
        }
    }
    found.sort_by(|a, b| (&a.place, &a.id).cmp(&(&b.place, &b.id)));
    (found, failed)
}

async fn of_place(
    clients: &AccountClients,
    place: &AccountRegion,
    instances: &[Instance],
    days: u16,
    now: i64,
) -> Result<Vec<Usage>, Fault> {
    let member = clients.member(&place.account).await?;
    let client = member.cloudwatch(&place.region);
    let ids: Vec<String> = instances.iter().map(|instance| instance.id.clone()).collect();
    // Whole days, so that a day's sum is one value.
    let end = now - now.rem_euclid(DAY);
    let window = end - i64::from(days) * DAY..end;
    let period = i32::try_from(DAY).unwrap_or(i32::MAX);
    let sums = metrics::sums(&client, &member.caller, place, &ids, window, period).await?;
    let of = |id: &str, metric| sums.get(&(id.to_owned(), metric)).map(Vec::as_slice);
    Ok(instances
        .iter()
        .map(|it| judge(it, of(&it.id, NO_TOKEN), of(&it.id, NO_TOKEN_REJECTED), days, now))
        .collect())
}
