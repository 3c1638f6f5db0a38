//! Makes a plan's changes: checked first as a whole, then in waves, each call announced in the
//! journal before it is made.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Mutex, Semaphore};
use tokio::task::JoinSet;

use super::journal::{Entry, Journal, Progress, SCHEMA_VERSION};
use super::plan::{Change, Plan, Target};
use super::read::{self, Read};
use super::target::Targets;
use super::waves::waves;
use crate::aws::modify::Mode;
use crate::clock;
use crate::error::Error;
use crate::inventory::resource::Reason;

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
    /// Whether the usage metrics are read before each wave and after it.
    pub gate_metric: bool,
}

/// What came of it.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// Changes in force.
    pub applied: usize,
    /// Changes whose target does not exist any more.
    pub gone: usize,
    /// Changes that someone else had made before.
    pub skipped: usize,
    /// Why it stopped before the end.
    pub stopped: Option<String>,
}

impl Outcome {
    /// What it comes to, of so many changes.
    #[must_use]
    pub fn line(&self, total: usize) -> String {
        let mut line = format!("{} of {total} changes in force", self.applied);
        if self.gone > 0 {
            line.push_str(&format!(", {} gone", self.gone));
        }
        if self.skipped > 0 {
            line.push_str(&format!(", {} made by someone else before", self.skipped));
        }
        line
    }
}

/// How many changes are made between two lines about them.
pub(super) const LINE_EVERY: usize = 500;
/// How many polls there are between two lines about what is waited for.
pub(super) const LINE_EVERY_POLLS: u32 = 10;

/// Takes a line about how far it is.
pub type Say<'a> = &'a mut (dyn FnMut(String) + Send);

/// Makes the changes that are not yet made.
///
/// # Errors
///
/// Returns an error if nothing was begun because something is wrong; once begun, what stops it is
/// in the outcome.
pub async fn apply(
    targets: Arc<Targets>,
    plan: Arc<Plan>,
    digest: &str,
    journal: Arc<Mutex<Journal>>,
    settings: &Settings,
    say: Say<'_>,
) -> Result<Outcome, Error> {
    let begun = {
        let journal = journal.lock().await;
        if journal.plan.as_deref().is_some_and(|known| known != digest) {
            return Err(Error::Input("the journal belongs to another plan".to_owned()));
        }
        if journal
            .progress
            .values()
            .any(|progress| matches!(progress, Progress::Undoing | Progress::Undone | Progress::Restored))
        {
            return Err(Error::Input("the plan was rolled back: make a new one".to_owned()));
        }
        journal.plan.is_some()
    };
    let permits = Arc::new(Semaphore::new(settings.concurrency.max(1)));
    let mut run = Run { targets, plan, journal, permits, settings, outcome: Outcome::default() };
    let checked = run.check(say).await?;
    if !begun {
        let by = run.targets.clients.access.arn.clone();
        let entry = Entry::Begin {
            schema_version: SCHEMA_VERSION,
            plan: digest.to_owned(),
            changes: run.plan.changes.len(),
            by,
        };
        run.journal.lock().await.write(entry)?;
    }
    for entry in checked {
        run.journal.lock().await.write(entry)?;
    }
    let all = waves(&run.plan.changes);
    let count = all.len();
    for (number, wave) in all.into_iter().enumerate() {
        let began = clock::now().as_second();
        if run.is_open(&wave).await {
            run.check_usage(&wave).await;
        }
        let name = format!("wave {} of {count}", number + 1);
        let changed = run.outcome.stopped.is_none() && run.wave(&wave, &name, say).await?;
        // A gate that an earlier run found closed, or did not wait for, is not passed by running
        // again.
        let gated = changed || run.is_ungated(&wave, number).await;
        // Also what was made before something stopped it: it is in force, and is to be told so.
        run.settle(&wave, &name, say).await?;
        let line = run.outcome.line(run.plan.changes.len());
        say(format!("{name}: {} changes; {line}", wave.len()));
        if run.outcome.stopped.is_none() && number + 1 < count && gated {
            run.gate(&wave, began, say).await;
        }
        if run.outcome.stopped.is_some() {
            break;
        }
        run.journal.lock().await.write(Entry::Passed { wave: number })?;
    }
    Ok(run.outcome)
}

pub(super) struct Run<'a> {
    pub(super) targets: Arc<Targets>,
    pub(super) plan: Arc<Plan>,
    pub(super) journal: Arc<Mutex<Journal>>,
    pub(super) permits: Arc<Semaphore>,
    pub(super) settings: &'a Settings,
    pub(super) outcome: Outcome,
}

impl Run<'_> {
    pub(super) fn change(&self, number: usize) -> Option<&Change> {
        self.plan.changes.get(number)
    }

    /// Reads how the targets of these changes are now.
    pub(super) async fn read(&self, numbers: impl Iterator<Item = usize>) -> Vec<Read> {
        read::read(&self.targets, &self.permits, &self.plan, numbers).await
    }

    async fn is_open(&self, wave: &[usize]) -> bool {
        let journal = self.journal.lock().await;
        wave.iter().any(|number| !is_over(journal.of(*number)))
    }

    /// Whether an earlier run made changes of the wave and did not get past its gate.
    async fn is_ungated(&self, wave: &[usize], number: usize) -> bool {
        let journal = self.journal.lock().await;
        !journal.passed.contains(&number) && journal.began(wave).is_some()
    }

    /// Makes the wave's changes; says whether there were any left to make.
    async fn wave(&mut self, wave: &[usize], name: &str, say: Say<'_>) -> Result<bool, Error> {
        let mut running = JoinSet::new();
        for number in wave {
            let Some(change) = self.change(*number) else { continue };
            if is_over(self.journal.lock().await.of(*number)) {
                continue;
            }
            let (targets, journal, permits) =
                (Arc::clone(&self.targets), Arc::clone(&self.journal), Arc::clone(&self.permits));
            let (number, change) = (*number, change.clone());
            running.spawn(async move { make(&targets, &journal, &permits, number, change).await });
        }
        let (count, mut made) = (running.len(), 0);
        while let Some(ended) = running.join_next().await {
            let refused = ended.map_err(|error| Error::Stopped(format!("broken off: {error}")))??;
            if let Some(text) = refused {
                self.outcome.stopped.get_or_insert(text);
            } else {
                made += 1;
                if made % LINE_EVERY > 0 || made == count {
                    continue;
                }
                say(format!("{name}: {made} of {count} changes made"));
            }
        }
        Ok(count > 0)
    }

    /// Waits until what was made of the wave is in force: `pending` is not.
    async fn settle(&mut self, wave: &[usize], name: &str, say: Say<'_>) -> Result<(), Error> {
        let mut open: Vec<usize> = Vec::new();
        for number in wave {
            match self.journal.lock().await.of(*number) {
                Some(Progress::Applied) => self.outcome.applied += 1,
                Some(Progress::Gone) => self.outcome.gone += 1,
                Some(Progress::Skipped) => self.outcome.skipped += 1,
                Some(Progress::Done) => open.push(*number),
                _ => {}
            }
        }
        for poll in 0..=self.settings.polls {
            if open.is_empty() {
                return Ok(());
            }
            if poll > 0 {
                tokio::time::sleep(self.settings.poll).await;
            }
            if poll > 0 && poll % LINE_EVERY_POLLS == 0 {
                say(format!("{name}: {} changes are not in force yet", open.len()));
            }
            let mut still = Vec::new();
            for (place, numbers, read) in self.read(open.iter().copied()).await {
                let found = match read {
                    Ok(found) => found,
                    Err(fault) => {
                        // A call that failed says nothing of the change: it is looked at again.
                        if poll == self.settings.polls {
                            self.outcome.stopped.get_or_insert(format!("{place}: {fault}"));
                        }
                        still.extend(numbers);
                        continue;
                    }
                };
                for (number, current) in found {
                    let Some(change) = self.plan.changes.get(number) else { continue };
                    match current {
                        None => {
                            self.journal.lock().await.write(Entry::Gone { number })?;
                            self.outcome.gone += 1;
                        }
                        Some(current) if current.is_made(change) => {
                            self.journal.lock().await.write(Entry::Applied { number })?;
                            self.outcome.applied += 1;
                        }
                        Some(_) => still.push(number),
                    }
                }
            }
            open = still;
        }
        if !open.is_empty() {
            let ids: Vec<&str> = open
                .iter()
                .filter_map(|number| self.change(*number))
                .map(|it| it.target.id())
                .take(5)
                .collect();
            let text =
                format!("{} changes are not in force in time, such as `{}`", open.len(), ids.join("`, `"));
            self.outcome.stopped.get_or_insert(text);
        }
        Ok(())
    }
}

/// Whether there is nothing left to do about a change but to see it in force.
pub(super) const fn is_over(progress: Option<Progress>) -> bool {
    matches!(progress, Some(Progress::Done | Progress::Applied | Progress::Gone | Progress::Skipped))
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
    let fault = match targets.make(&change, Mode::Real).await {
        Ok(()) => {
            journal.lock().await.write(Entry::Done { number })?;
            return Ok(None);
        }
        Err(fault) => fault,
    };
    if fault.says_gone() && is_gone(targets, &change).await {
        journal.lock().await.write(Entry::Gone { number })?;
        return Ok(None);
    }
    let error = fault.to_string();
    // Lost on the way, it may have been made all the same: then the intent stands, and the next run
    // looks.
    if !matches!(fault.reason, Reason::Unreachable | Reason::Service) {
        journal.lock().await.write(Entry::Refused { number, error: error.clone() })?;
    }
    Ok(Some(format!("`{}` in {}: {error}", change.target.id(), change.place)))
}

/// Whether the target of a change is gone, as far as can be read.
async fn is_gone(targets: &Targets, change: &Change) -> bool {
    let current = targets.current(&change.place, &[change]).await;
    matches!(change.target, Target::Instance { .. }) && current.is_ok_and(|found| found == [None])
}
