//! What has to be so before a wave begins, and before the next one does: nobody uses IMDSv1 where
//! it is turned off.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use tokio::task::JoinSet;

use super::apply::{Run, Say};
use super::watched::{Behind, Places, Watched};
use crate::aws::metrics::{self, BATCH, Calls, Subject};
use crate::clock;
use crate::fault::Fault;
use crate::inventory::resource::AccountRegion;
use crate::usage::UsageStatus;

/// How late a sample may come. CloudWatch publishes what EC2 sends within minutes; what was late
/// when usage was read for the plan is seen by looking back a little further.
const LATE: i64 = 3600;

impl Run<'_> {
    /// Reads usage again before a wave: IMDSv1 calls since the plan was made stop it, of an
    /// instance that is changed as of what a changed launch source has launched.
    pub(super) async fn check_usage(&mut self, wave: &[usize]) {
        if !self.settings.gate_metric {
            return;
        }
        let made_at = self.plan.made_at.as_second();
        let since = |it: &Watched| it.usage.read_at.map_or(made_at, |at| at.as_second()) - LATE;
        let watched =
            self.watched(wave, |usage| usage.status != UsageStatus::InUse, Behind::AnsweringV1).await;
        let watched = match watched {
            Ok(watched) => watched,
            Err((place, fault)) => {
                self.stop(format!("usage cannot be read again before the wave: {place}: {fault}"));
                return;
            }
        };
        let start = watched.values().flatten().map(since).min().unwrap_or(made_at);
        for (place, read) in self.calls(&watched, start..clock::now().as_second() + 60).await {
            let calls = match read {
                Ok(calls) => calls,
                Err(fault) => {
                    self.stop(format!("usage cannot be read again before the wave: {place}: {fault}"));
                    return;
                }
            };
            for it in watched.get(&place).into_iter().flatten() {
                let Some(calls) = calls.get(&it.subject) else { continue };
                let from = since(it);
                let new: f64 =
                    calls.answered.sums.iter().filter(|(at, _)| **at >= from).map(|(_, sum)| sum).sum();
                if new > 0.0 {
                    let who = it.label(&place);
                    self.stop(format!(
                        "{who} has made {new} IMDSv1 calls since usage was read for the plan: make a new one"
                    ));
                    return;
                }
                if let Some(why) = calls.incomplete()
                    && it.usage.status == UsageStatus::Ready
                {
                    let who = it.label(&place);
                    self.stop(format!("whether {who} uses IMDSv1 is unknown: CloudWatch says {why}"));
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
        let began = self.journal.lock().await.began(wave).unwrap_or(since);
        let mut watched = match self.watched(wave, |_| true, Behind::LaunchedSince(began)).await {
            Ok(watched) => watched,
            Err((place, fault)) => {
                self.stop(format!("gate closed: {place}: {fault}"));
                return false;
            }
        };
        for poll in 0..=self.settings.polls {
            let mut missing: Vec<(AccountRegion, Watched, String)> = Vec::new();
            for (place, read) in self.calls(&watched, since..clock::now().as_second() + 60).await {
                let calls = match read {
                    Ok(calls) => calls,
                    Err(fault) => {
                        self.stop(format!("gate closed: {place}: {fault}"));
                        return false;
                    }
                };
                for it in watched.get(&place).into_iter().flatten() {
                    let calls = calls.get(&it.subject).cloned().unwrap_or_default();
                    if calls.refused.total().is_some_and(|refused| refused > 0.0)
                        && !self.refused_before(&place, it, began).await
                    {
                        let who = it.label(&place);
                        self.stop(format!(
                            "gate closed: {who} refuses IMDSv1 calls that something still makes"
                        ));
                        return false;
                    }
                    let seen = calls.answered.total().or(calls.refused.total()).is_some();
                    if let Some(why) = calls.incomplete().filter(|_| it.is_expected()) {
                        missing.push((place.clone(), it.clone(), format!("CloudWatch says {why}")));
                    } else if it.is_expected() && !seen {
                        missing.push((place.clone(), it.clone(), "no data since the wave began".to_owned()));
                    }
                }
            }
            self.drop_what_does_not_run(&mut watched, &mut missing).await;
            let Some((place, it, why)) = missing.first() else { return true };
            if poll == self.settings.polls {
                let first = format!("{}: {why}", it.label(place));
                self.stop(format!(
                    "gate closed: whether IMDSv1 calls are refused is unknown for {} instances or groups: {first}; run \
                     again later, or with `--no-gate-metric`",
                    missing.len()
                ));
                return false;
            }
            if poll == 0 {
                say(format!("gate: waiting for the metrics of {} instances or groups", missing.len()));
            }
            tokio::time::sleep(self.settings.poll).await;
        }
        true
    }

    /// Whether a group refused IMDSv1 calls in the hour before the wave as well: those of its
    /// instances that required IMDSv2 already, and no harm of the wave.
    async fn refused_before(&self, place: &AccountRegion, it: &Watched, began: i64) -> bool {
        if !matches!(it.subject, Subject::Group(_)) {
            return false;
        }
        let one = Places::from([(place.clone(), vec![it.clone()])]);
        let read = self.calls(&one, began - LATE..began).await;
        read.into_iter().any(|(_, read)| {
            let calls = read.ok().and_then(|mut calls| calls.remove(&it.subject)).unwrap_or_default();
            calls.refused.total().is_some_and(|refused| refused > 0.0)
        })
    }

    /// An instance that is gone or does not run has no data, and never will have: nobody waits for
    /// it.
    async fn drop_what_does_not_run(
        &self,
        watched: &mut Places,
        missing: &mut Vec<(AccountRegion, Watched, String)>,
    ) {
        let numbers: BTreeSet<usize> = missing.iter().filter_map(|(_, it, _)| it.number).collect();
        let mut idle = BTreeSet::new();
        for (_, _, read) in self.read(numbers.into_iter()).await {
            // Where it cannot be read, its data is waited for.
            let found = read.unwrap_or_default();
            let stopped = found.iter().filter(|(_, current)| current.is_none_or(|it| it.is_stopped));
            idle.extend(stopped.map(|(number, _)| *number));
        }
        let is_idle = |it: &Watched| it.number.is_some_and(|number| idle.contains(&number));
        missing.retain(|(_, it, _)| !is_idle(it));
        for here in watched.values_mut() {
            here.retain(|it| !is_idle(it));
        }
    }

    fn stop(&mut self, why: String) {
        self.outcome.stopped.get_or_insert(why);
    }

    /// Reads both metrics of this time, as many calls at a time as there are permits.
    async fn calls(
        &self,
        watched: &Places,
        window: std::ops::Range<i64>,
    ) -> BTreeMap<AccountRegion, Result<BTreeMap<Subject, Calls>, Fault>> {
        // A period must not give more points than an answer holds, and CloudWatch keeps minutes for
        // 15 days only.
        let period = if window.end - window.start > 86_400 { 3600 } else { 60 };
        // Whole periods.
        let window = window.start - window.start.rem_euclid(i64::from(period))..window.end;
        let mut running = JoinSet::new();
        for (place, here) in watched {
            // Two metrics each.
            for part in here.chunks(BATCH / 2) {
                let (targets, permits, window) =
                    (Arc::clone(&self.targets), Arc::clone(&self.permits), window.clone());
                let subjects: Vec<Subject> = part.iter().map(|it| it.subject.clone()).collect();
                let place = place.clone();
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
        }
        let mut places: BTreeMap<AccountRegion, Result<BTreeMap<Subject, Calls>, Fault>> = BTreeMap::new();
        for (place, read) in running.join_all().await {
            match (places.entry(place).or_insert_with(|| Ok(BTreeMap::new())), read) {
                (Ok(all), Ok(read)) => all.extend(read),
                (all @ Ok(_), Err(fault)) => *all = Err(fault),
                (Err(_), _) => {}
            }
        }
        places
    }
}
