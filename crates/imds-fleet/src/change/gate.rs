//! What has to be so before a wave begins, and before the next one does: nobody uses IMDSv1 where
//! it is turned off.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::task::JoinSet;

use super::apply::{Run, Say};
use super::plan::Target;
use super::readiness::Readiness;
use crate::aws::metrics::{self, Calls, Subject};
use crate::clock;
use crate::fault::Fault;
use crate::inventory::resource::AccountRegion;
use crate::usage::UsageStatus;

/// How late a sample may come. CloudWatch publishes what EC2 sends within minutes; what was late
/// when usage was read for the plan is seen by looking back a little further.
const LATE: i64 = 3600;

impl Run<'_> {
    /// Reads usage again before a wave: an instance that has made IMDSv1 calls since the plan was
    /// made stops it.
    pub(super) async fn check_usage(&mut self, wave: &[usize]) {
        if !self.settings.gate_metric {
            return;
        }
        let made_at = self.plan.made_at.as_second();
        let since = |usage: &Readiness| usage.read_at.map_or(made_at, |at| at.as_second()) - LATE;
        let asked = self.instances(wave, |usage| usage.status != UsageStatus::InUse);
        let start = asked.values().flatten().map(|(_, usage)| since(usage)).min().unwrap_or(made_at);
        for (place, read) in self.calls(&asked, start).await {
            let calls = match read {
                Ok(calls) => calls,
                Err(fault) => {
                    self.stop(format!("usage cannot be read again before the wave: {place}: {fault}"));
                    return;
                }
            };
            for (id, usage) in asked.get(&place).into_iter().flatten() {
                let Some(calls) = calls.get(&Subject::Instance(id.clone())) else { continue };
                let from = since(usage);
                let new: f64 =
                    calls.answered.sums.iter().filter(|(at, _)| **at >= from).map(|(_, sum)| sum).sum();
                if new > 0.0 {
                    self.stop(format!(
                        "`{id}` in {place} has made {new} IMDSv1 calls since usage was read for the plan: make a new one"
                    ));
                    return;
                }
                if let Some(why) = calls.incomplete()
                    && usage.status == UsageStatus::Ready
                {
                    self.stop(format!(
                        "whether `{id}` in {place} uses IMDSv1 is unknown: CloudWatch says {why}"
                    ));
                    return;
                }
            }
        }
    }

    /// Waits, then looks whether the wave did harm. Metrics come late: no data is asked for again,
    /// and is unknown in the end, which keeps the gate closed.
    pub(super) async fn gate(&mut self, wave: &[usize], since: i64, say: Say<'_>) {
        tokio::time::sleep(self.settings.pause).await;
        if self.settings.gate_metric && !self.metrics_open(wave, since, say).await {
            return;
        }
        let Some(command) = &self.settings.gate_command else { return };
        let status = tokio::process::Command::new("sh").arg("-c").arg(command).status().await;
        match status {
            Ok(status) if status.success() => {}
            Ok(status) => self.stop(format!("gate closed: `{command}` ended with {status}")),
            Err(error) => self.stop(format!("gate closed: `{command}` did not run: {error}")),
        }
    }

    async fn metrics_open(&mut self, wave: &[usize], since: i64, say: Say<'_>) -> bool {
        let asked = self.instances(wave, |_| true);
        for poll in 0..=self.settings.polls {
            let mut missing: Vec<String> = Vec::new();
            for (place, read) in self.calls(&asked, since).await {
                let calls = match read {
                    Ok(calls) => calls,
                    Err(fault) => {
                        self.stop(format!("gate closed: {place}: {fault}"));
                        return false;
                    }
                };
                for (id, usage) in asked.get(&place).into_iter().flatten() {
                    let calls = calls.get(&Subject::Instance(id.clone())).cloned().unwrap_or_default();
                    if calls.refused.total().is_some_and(|refused| refused > 0.0) {
                        self.stop(format!(
                            "gate closed: `{id}` in {place} refuses IMDSv1 calls that something still makes"
                        ));
                        return false;
                    }
                    // An instance that had data must have some again; where there was none, that
                    // was accepted when the plan was made.
                    let expected = matches!(usage.status, UsageStatus::Ready | UsageStatus::InUse);
                    let seen = calls.answered.total().or(calls.refused.total()).is_some();
                    if let Some(why) = calls.incomplete().filter(|_| expected) {
                        missing.push(format!("`{id}` in {place}: CloudWatch says {why}"));
                    } else if expected && !seen {
                        missing.push(format!("`{id}` in {place}: no data since the wave began"));
                    }
                }
            }
            let Some(first) = missing.first() else { return true };
            if poll == self.settings.polls {
                self.stop(format!(
                    "gate closed: whether IMDSv1 calls are refused is unknown for {} instances: {first}; run again \
                     later, or with `--no-gate-metric`",
                    missing.len()
                ));
                return false;
            }
            if poll == 0 {
                say(format!("gate: waiting for the metrics of {} instances", missing.len()));
            }
            tokio::time::sleep(self.settings.poll).await;
        }
        true
    }

    fn stop(&mut self, why: String) {
        self.outcome.stopped.get_or_insert(why);
    }

    /// The instances of a wave that lose IMDSv1 by it, with what was known of their usage.
    fn instances(
        &self,
        wave: &[usize],
        wanted: impl Fn(&Readiness) -> bool,
    ) -> BTreeMap<AccountRegion, Vec<(String, Readiness)>> {
        let mut places: BTreeMap<AccountRegion, Vec<(String, Readiness)>> = BTreeMap::new();
        for number in wave {
            let Some(change) = self.change(*number) else { continue };
            let (Target::Instance { id }, Some(usage)) = (&change.target, &change.usage) else { continue };
            if wanted(usage) {
                places.entry(change.place.clone()).or_default().push((id.clone(), usage.clone()));
            }
        }
        places
    }

    /// Reads both metrics since `since`, each account and Region at the same time as the others.
    async fn calls(
        &self,
        asked: &BTreeMap<AccountRegion, Vec<(String, Readiness)>>,
        since: i64,
    ) -> Vec<(AccountRegion, Result<BTreeMap<Subject, Calls>, Fault>)> {
        // Whole minutes, and the one that is running.
        let window = since - since.rem_euclid(60)..clock::now().as_second() + 60;
        // A period must not give more points than an answer holds, and CloudWatch keeps minutes for
        // 15 days only.
        let period = if window.end - window.start > 86_400 { 3600 } else { 60 };
        let window = window.start - window.start.rem_euclid(i64::from(period))..window.end;
        let mut running = JoinSet::new();
        for (place, instances) in asked {
            let (targets, permits, window) =
                (Arc::clone(&self.targets), Arc::clone(&self.permits), window.clone());
            let (place, subjects) = (
                place.clone(),
                instances.iter().map(|(id, _)| Subject::Instance(id.clone())).collect::<Vec<_>>(),
            );
            running.spawn(async move {
                // A closed semaphore cannot be: nobody closes it.
                let _permit = permits.acquire().await;
                let read = async {
                    let member = targets.clients.member(&place.account).await?;
                    let client = member.cloudwatch(&place.region);
                    metrics::calls(&client, &member.caller, &place, &subjects, window, period).await
                };
                let read = read.await;
                (place, read)
            });
        }
        running.join_all().await
    }
}
