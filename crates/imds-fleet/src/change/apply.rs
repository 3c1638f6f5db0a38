//! Makes a plan's changes: checked first as a whole, then in waves, each call announced in the journal before it is
//! made.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use imds_model::options::HttpTokens;
use tokio::sync::{Mutex, Semaphore};
use tokio::task::JoinSet;

use super::journal::{Entry, Journal, Progress};
use super::plan::{Change, Plan, Target};
use super::target::{DriftState, Targets};
use super::waves::waves;
use crate::aws::fault::Fault;
use crate::aws::metrics;
use crate::aws::modify::Mode;
use crate::clock;
use crate::error::Error;
use crate::inventory::resource::{AccountRegion, Reason};

/// How to go about it.
#[derive(Clone, Debug)]
pub struct Settings {
    /// How many calls at a time.
    pub concurrency: usize,
    /// Whether to ask EC2 first whether the calls would be allowed.
    pub probe: bool,
    /// How often to look whether a wave is in force.
    pub poll: Duration,
    /// How many times to look.
    pub polls: u32,
    /// How long to wait between waves.
    pub pause: Duration,
    /// A command that opens the gate by ending with 0.
    pub gate_command: Option<String>,
    /// Whether refused IMDSv1 calls close the gate.
    pub gate_metric: bool,
}

/// What came of it.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// Changes in force.
    pub applied: usize,
    /// Changes that were made in an earlier run.
    pub earlier: usize,
    /// Why it stopped before the end.
    pub stopped: Option<String>,
}

/// Makes the changes that are not yet made.
///
/// # Errors
///
/// When nothing was begun because something is wrong; once begun, what stops it is in the outcome.
pub async fn apply(
    targets: Arc<Targets>,
    plan: &Plan,
    digest: &str,
    journal: Journal,
    settings: &Settings,
    say: &mut (dyn FnMut(String) + Send),
) -> Result<Outcome, Error> {
    if journal.plan.as_deref().is_some_and(|known| known != digest) {
        return Err(Error::Input("the journal belongs to another plan".to_owned()));
    }
    let begun = journal.plan.is_some();
    if journal
        .progress
        .values()
        .any(|progress| matches!(progress, Progress::Undoing | Progress::Undone | Progress::Restored))
    {
        return Err(Error::Input("the plan was rolled back: make a new one".to_owned()));
    }
    let mut run = Run {
        targets,
        plan,
        journal: Arc::new(Mutex::new(journal)),
        permits: Arc::new(Semaphore::new(settings.concurrency.max(1))),
        settings,
        outcome: Outcome::default(),
    };
    run.check(say).await?;
    if !begun {
        let (plan, changes, by) =
            (digest.to_owned(), plan.changes.len(), run.targets.clients.access.arn.clone());
        run.journal.lock().await.write(Entry::Begin { plan, changes, by })?;
    }
    let all = waves(&plan.changes);
    let count = all.len();
    for (number, wave) in all.into_iter().enumerate() {
        let began = clock::now().as_second();
        let changed = run.wave(&wave).await?;
        if run.outcome.stopped.is_none() {
            run.settle(&wave).await?;
        }
        let (done, size) = (run.outcome.applied, wave.len());
        say(format!(
            "wave {} of {count}: {size} changes, {done} of {} in force",
            number + 1,
            plan.changes.len()
        ));
        if run.outcome.stopped.is_none() && number + 1 < count && changed {
            run.gate(&wave, began).await?;
        }
        if run.outcome.stopped.is_some() {
            break;
        }
        run.journal.lock().await.write(Entry::Passed { wave: number })?;
    }
    Ok(run.outcome)
}

struct Run<'a> {
    targets: Arc<Targets>,
    plan: &'a Plan,
    journal: Arc<Mutex<Journal>>,
    permits: Arc<Semaphore>,
    settings: &'a Settings,
    outcome: Outcome,
}

impl Run<'_> {
    fn by_place(&self, numbers: impl Iterator<Item = usize>) -> BTreeMap<AccountRegion, Vec<usize>> {
        let mut places: BTreeMap<AccountRegion, Vec<usize>> = BTreeMap::new();
        for number in numbers {
            if let Some(change) = self.plan.changes.get(number) {
                places.entry(change.place.clone()).or_default().push(number);
            }
        }
        places
    }

    /// Everything that can be known before the first call. Nothing is changed when any of it is wrong.
    async fn check(&mut self, say: &mut (dyn FnMut(String) + Send)) -> Result<(), Error> {
        let mut wrong = Vec::new();
        for (place, numbers) in self.by_place(0..self.plan.changes.len()) {
            let changes: Vec<&Change> =
                numbers.iter().filter_map(|number| self.plan.changes.get(*number)).collect();
            let current = self.targets.current(&place, &changes).await.map_err(Error::Call)?;
            let mut open = Vec::new();
            for ((number, change), current) in numbers.iter().zip(&changes).zip(current) {
                let id = change.target.id();
                let stand = current.map(|current| current.drift(change));
                let mut journal = self.journal.lock().await;
                match (journal.of(*number), stand) {
                    (Some(Progress::Done | Progress::Applied), _) => self.outcome.earlier += 1,
                    // The call was announced and is seen to have been made.
                    (Some(Progress::Intended), Some(DriftState::New)) => {
                        journal.write(Entry::Done { number: *number })?;
                        self.outcome.earlier += 1;
                    }
                    (_, Some(DriftState::Prior)) => open.push(*change),
                    (_, None) => wrong.push(format!("`{id}` in {place} is gone")),
                    (_, Some(DriftState::New)) => wrong.push(format!("`{id}` in {place} is already so")),
                    (_, Some(DriftState::Other)) => wrong.push(format!("`{id}` in {place} has been changed")),
                }
            }
            if !open.is_empty() {
                self.check_way_back(&place, &open).await?;
            }
            if self.settings.probe {
                // One of each kind: they are different calls with different permissions.
                let mut asked = BTreeSet::new();
                for change in open.iter().filter(|change| asked.insert(change.target.kind())) {
                    self.targets.make(change, Mode::DryRun).await.map_err(Error::Call)?;
                }
            }
        }
        if wrong.is_empty() {
            return Ok(());
        }
        let count = wrong.len();
        wrong.truncate(20);
        wrong.into_iter().for_each(say);
        Err(Error::Input(format!(
            "{count} things are not as they were when the plan was made: make a new one"
        )))
    }

    async fn check_way_back(&self, place: &AccountRegion, open: &[&Change]) -> Result<(), Error> {
        let one_way = open.iter().any(|change| {
            matches!(change.target, Target::Instance { .. })
                && change.new.http_tokens == Some(HttpTokens::Required)
                && change.prior.http_tokens == Some(HttpTokens::Optional)
        });
        if self.plan.allow_irreversible || !one_way {
            return Ok(());
        }
        let defaults = self.targets.clients.defaults(place).await.map_err(Error::Call)?;
        if defaults.http_tokens_enforced {
            return Err(Error::Input(format!(
                "rollback is impossible in {place}: `HttpTokensEnforced` is `enabled`; plan again, with \
                 `--allow-irreversible` if that is meant"
            )));
        }
        Ok(())
    }

    /// Makes the wave's changes; says whether there were any left to make.
    async fn wave(&mut self, wave: &[usize]) -> Result<bool, Error> {
        let mut running = JoinSet::new();
        for number in wave {
            let Some(change) = self.plan.changes.get(*number) else { continue };
            if matches!(self.journal.lock().await.of(*number), Some(Progress::Done | Progress::Applied)) {
                continue;
            }
            let (targets, journal, permits) =
                (Arc::clone(&self.targets), Arc::clone(&self.journal), Arc::clone(&self.permits));
            let (number, change) = (*number, change.clone());
            running.spawn(async move { make(&targets, &journal, &permits, number, change).await });
        }
        let any = !running.is_empty();
        while let Some(ended) = running.join_next().await {
            let refused = ended.map_err(|error| Error::Stopped(format!("broken off: {error}")))??;
            if let Some(text) = refused {
                self.outcome.stopped.get_or_insert(text);
            }
        }
        Ok(any)
    }

    /// Waits until the wave is in force: `pending` is not.
    async fn settle(&mut self, wave: &[usize]) -> Result<(), Error> {
        let mut open: Vec<usize> = Vec::new();
        for number in wave {
            match self.journal.lock().await.of(*number) {
                Some(Progress::Applied) => self.outcome.applied += 1,
                _ => open.push(*number),
            }
        }
        for poll in 0..=self.settings.polls {
            if open.is_empty() {
                return Ok(());
            }
            if poll > 0 {
                tokio::time::sleep(self.settings.poll).await;
            }
            let mut still = Vec::new();
            for (place, numbers) in self.by_place(open.iter().copied()) {
                let changes: Vec<&Change> =
                    numbers.iter().filter_map(|number| self.plan.changes.get(*number)).collect();
                let current = match self.targets.current(&place, &changes).await {
                    Ok(current) => current,
                    Err(fault) => {
                        self.outcome.stopped = Some(fault.to_string());
                        return Ok(());
                    }
                };
                for ((number, change), current) in numbers.iter().zip(&changes).zip(current) {
                    if current.is_some_and(|current| current.is_made(change)) {
                        self.journal.lock().await.write(Entry::Applied { number: *number })?;
                        self.outcome.applied += 1;
                    } else {
                        still.push(*number);
                    }
                }
            }
            open = still;
        }
        if !open.is_empty() {
            let ids: Vec<&str> = open
                .iter()
                .filter_map(|number| self.plan.changes.get(*number))
                .map(|change| change.target.id())
                .take(5)
                .collect();
            let text =
                format!("{} changes are not in force in time, such as `{}`", open.len(), ids.join("`, `"));
            self.outcome.stopped = Some(text);
        }
        Ok(())
    }

    /// What has to be so before the next wave.
    async fn gate(&mut self, wave: &[usize], since: i64) -> Result<(), Error> {
        tokio::time::sleep(self.settings.pause).await;
        if self.settings.gate_metric {
            for (place, numbers) in self.by_place(wave.iter().copied()) {
                let ids: Vec<String> = numbers
                    .iter()
                    .filter_map(|number| self.plan.changes.get(*number))
                    .filter(|change| matches!(change.target, Target::Instance { .. }))
                    .map(|change| change.target.id().to_owned())
                    .collect();
                match self.refused_calls(&place, &ids, since).await {
                    Ok(None) => {}
                    Ok(Some(id)) => {
                        let text = format!(
                            "gate closed: `{id}` in {place} refuses IMDSv1 calls that something still makes"
                        );
                        self.outcome.stopped = Some(text);
                        return Ok(());
                    }
                    Err(fault) => {
                        self.outcome.stopped = Some(format!("gate closed: {fault}"));
                        return Ok(());
                    }
                }
            }
        }
        if let Some(command) = &self.settings.gate_command {
            let status = tokio::process::Command::new("sh").arg("-c").arg(command).status().await;
            match status {
                Ok(status) if status.success() => {}
                Ok(status) => {
                    self.outcome.stopped = Some(format!("gate closed: `{command}` ended with {status}"));
                }
                Err(error) => {
                    self.outcome.stopped = Some(format!("gate closed: `{command}` did not run: {error}"));
                }
            }
        }
        Ok(())
    }

    async fn refused_calls(
        &self,
        place: &AccountRegion,
        ids: &[String],
        since: i64,
    ) -> Result<Option<String>, Fault> {
        let member = self.targets.clients.member(&place.account).await?;
        let client = member.cloudwatch(&place.region);
        // Whole minutes, and the one that is running.
        let window = since - since.rem_euclid(60)..clock::now().as_second() + 60;
        let sums = metrics::sums(&client, &member.caller, place, ids, window, 60).await?;
        Ok(sums
            .into_iter()
            .find(|((_, metric), sums)| {
                *metric == metrics::NO_TOKEN_REJECTED && sums.iter().sum::<f64>() > 0.0
            })
            .map(|((id, _), _)| id))
    }
}

/// Makes one change; the text says why it was not made.
async fn make(
    targets: &Targets,
    journal: &Mutex<Journal>,
    permits: &Semaphore,
    number: usize,
    change: Change,
) -> Result<Option<String>, Error> {
    // A closed semaphore cannot be: nobody closes it.
    let Ok(_permit) = permits.acquire().await else { return Ok(None) };
    journal.lock().await.write(Entry::Intent { number, change: Box::new(change.clone()) })?;
    match targets.make(&change, Mode::Real).await {
        Ok(()) => {
            journal.lock().await.write(Entry::Done { number })?;
            Ok(None)
        }
        Err(fault) => {
            let error = fault.to_string();
            // Lost on the way, it may have been made all the same: then the intent stands, and the next run looks.
            if !matches!(fault.reason, Reason::Unreachable | Reason::Service) {
                journal.lock().await.write(Entry::Refused { number, error: error.clone() })?;
            }
            Ok(Some(format!("`{}` in {}: {error}", change.target.id(), change.place)))
        }
    }
}
