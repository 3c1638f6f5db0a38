//! Undoes what a journal says was done, and waits until what was before is in force.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use imds_model::options::{HttpTokens, Switch};
use tokio::sync::{Mutex, Semaphore};
use tokio::task::JoinSet;

use super::apply::Say;
use super::journal::{Entry, Journal, Progress};
use super::plan::{Change, Target};
use super::target::{Current, DriftState, Targets};
use crate::error::Error;
use crate::fault::Fault;
use crate::inventory::resource::AccountRegion;

/// How to go about it.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// How many calls at a time.
    pub concurrency: usize,
    /// Whether to restore even what someone else has changed since.
    pub force: bool,
    /// Whether to restore the rest where EC2 refuses to set instances back to IMDSv1.
    pub allow_irreversible: bool,
    /// How often to look whether what was before is in force.
    pub poll: Duration,
    /// How many times to look.
    pub polls: u32,
}

/// What came of it.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// Restored now.
    pub restored: usize,
    /// Found as they were before the plan.
    pub unchanged: usize,
    /// Gone: there is nothing to restore.
    pub gone: usize,
    /// Not restored, and why.
    pub left: Vec<String>,
}

/// Restores what was before every change that was begun.
///
/// # Errors
///
/// Returns an error if rollback is known to be impossible, or the journal cannot be written.
pub async fn rollback(
    targets: Arc<Targets>,
    journal: Arc<Mutex<Journal>>,
    settings: &Settings,
    say: Say<'_>,
) -> Result<Outcome, Error> {
    let begun: Vec<(usize, Change)> = {
        let journal = journal.lock().await;
        let all = journal.changes.iter().rev().map(|(number, change)| (*number, change.clone()));
        all.filter(|(number, change)| is_begun(journal.of(*number), change)).collect()
    };
    if !settings.allow_irreversible {
        check_reversible(&targets, &journal, &begun).await?;
    }
    let permits = Arc::new(Semaphore::new(settings.concurrency.max(1)));
    let mut run =
        Run { targets, journal, permits, settings, outcome: Outcome::default(), waiting: Vec::new() };
    // While enforcement is on, no instance can be set back; it goes first, and all else at once.
    let (first, rest): (Vec<_>, Vec<_>) = begun.into_iter().partition(|(_, change)| enforces(change));
    let total = first.len() + rest.len();
    for part in [first, rest] {
        run.undo_all(part, total, say).await?;
    }
    run.settle().await?;
    Ok(run.outcome)
}

/// Whether there may be something to undo. A call that was refused changed nothing, unless it was
/// one of several: a version of a template is made before a group is moved to it.
fn is_begun(progress: Option<Progress>, change: &Change) -> bool {
    match progress {
        None | Some(Progress::Gone | Progress::Skipped) => false,
        Some(Progress::Refused) => makes_versions(change),
        Some(_) => true,
    }
}

const fn makes_versions(change: &Change) -> bool {
    matches!(change.target, Target::LaunchTemplate { .. } | Target::AutoScalingGroup { .. })
}

fn enforces(change: &Change) -> bool {
    change.http_tokens_enforced.is_some_and(|it| it.new == Switch::Enabled)
}

/// Refuses up front where EC2 would refuse later on.
async fn check_reversible(
    targets: &Targets,
    journal: &Mutex<Journal>,
    begun: &[(usize, Change)],
) -> Result<(), Error> {
    let mut back: BTreeMap<&AccountRegion, usize> = BTreeMap::new();
    for (number, change) in begun {
        let to_v1 = matches!(change.target, Target::Instance { .. })
            && change.prior.http_tokens == Some(HttpTokens::Optional)
            && change.new.http_tokens == Some(HttpTokens::Required);
        let over = matches!(journal.lock().await.of(*number), Some(Progress::Undone | Progress::Restored));
        if to_v1 && !over {
            *back.entry(&change.place).or_default() += 1;
        }
    }
    for (place, count) in back {
        let ours = begun.iter().any(|(_, change)| change.place == *place && enforces(change));
        // Where it cannot be read it is left to EC2 to say so.
        let closed =
            targets.clients.defaults(place).await.is_ok_and(|defaults| defaults.http_tokens_enforced);
        if closed && !ours {
            return Err(Error::Input(format!(
                "rollback is impossible in {place}: `HttpTokensEnforced` is `enabled`, and EC2 refuses to set {count} \
                 instances back to IMDSv1; turn it off first, or restore the rest with `--allow-irreversible`"
            )));
        }
    }
    Ok(())
}

struct Run<'a> {
    targets: Arc<Targets>,
    journal: Arc<Mutex<Journal>>,
    permits: Arc<Semaphore>,
    settings: &'a Settings,
    outcome: Outcome,
    /// Those whose call is made and which are not yet seen to be in force.
    waiting: Vec<(usize, Change)>,
}

/// What came of one change.
enum Undone {
    Restored,
    Unchanged,
    Over,
    Gone,
    Left(String),
}

type Entries = Vec<(usize, Change)>;

impl Run<'_> {
    fn leave(&mut self, change: &Change, why: &str) {
        self.outcome.left.push(format!("`{}` in {}: {why}", change.target.id(), change.place));
    }

    /// Reads how the targets are now, each account and Region at the same time as the others.
    async fn read(&self, entries: Entries) -> Vec<(Entries, Result<Vec<Option<Current>>, Fault>)> {
        let mut by_place: BTreeMap<AccountRegion, Entries> = BTreeMap::new();
        for (number, change) in entries {
            by_place.entry(change.place.clone()).or_default().push((number, change));
        }
        let mut running = JoinSet::new();
        for (place, entries) in by_place {
            let (targets, permits) = (Arc::clone(&self.targets), Arc::clone(&self.permits));
            running.spawn(async move {
                // A closed semaphore cannot be: nobody closes it.
                let _permit = permits.acquire().await;
                let changes: Vec<&Change> = entries.iter().map(|(_, change)| change).collect();
                let read = targets.current(&place, &changes).await;
                (place, entries, read)
            });
        }
        let mut all = running.join_all().await;
        all.sort_by(|a, b| a.0.cmp(&b.0));
        all.into_iter().map(|(_, entries, read)| (entries, read)).collect()
    }

    async fn undo_all(&mut self, entries: Entries, total: usize, say: Say<'_>) -> Result<(), Error> {
        let mut open = Vec::new();
        for (number, change) in entries {
            if self.journal.lock().await.of(number) == Some(Progress::Restored) {
                self.outcome.unchanged += 1;
            } else {
                open.push((number, change));
            }
        }
        // Instances and defaults stand alone; changes of templates and groups of one account and
        // Region share the versions that were made, and are undone one after the other.
        let mut units: Vec<Vec<(usize, Change, Current)>> = Vec::new();
        for (entries, read) in self.read(open).await {
            let current = match read {
                Ok(current) => current,
                Err(fault) => {
                    entries.iter().for_each(|(_, change)| self.leave(change, &fault.to_string()));
                    continue;
                }
            };
            let mut shared = Vec::new();
            for ((number, change), current) in entries.into_iter().zip(current) {
                match current {
                    None => {
                        self.journal.lock().await.write(Entry::Gone { number })?;
                        self.outcome.gone += 1;
                    }
                    Some(current) if makes_versions(&change) => shared.push((number, change, current)),
                    Some(current) => units.push(vec![(number, change, current)]),
                }
            }
            if !shared.is_empty() {
                units.push(shared);
            }
        }
        let mut running = JoinSet::new();
        for unit in units {
            let (targets, journal, permits) =
                (Arc::clone(&self.targets), Arc::clone(&self.journal), Arc::clone(&self.permits));
            let force = self.settings.force;
            running.spawn(async move {
                let mut done = Vec::new();
                for (number, change, current) in unit {
                    // A closed semaphore cannot be: nobody closes it.
                    let _permit = permits.acquire().await;
                    let undone = undo(&targets, &journal, force, number, &change, current).await;
                    done.push((number, change, undone));
                }
                done
            });
        }
        let mut seen = 0;
        while let Some(ended) = running.join_next().await {
            let done = ended.map_err(|error| Error::Stopped(format!("broken off: {error}")))?;
            for (number, change, undone) in done {
                match undone? {
                    Undone::Restored => {
                        self.outcome.restored += 1;
                        self.waiting.push((number, change));
                    }
                    Undone::Unchanged => {
                        self.outcome.unchanged += 1;
                        self.waiting.push((number, change));
                    }
                    Undone::Over => {}
                    Undone::Gone => self.outcome.gone += 1,
                    Undone::Left(why) => self.leave(&change, &why),
                }
                seen += 1;
                if seen % 500 == 0 {
                    say(format!("{} of {total} restored", self.outcome.restored));
                }
            }
        }
        self.outcome.left.sort();
        Ok(())
    }

    /// Waits until what was before is in force: `pending` is not.
    async fn settle(&mut self) -> Result<(), Error> {
        let mut why: BTreeMap<usize, String> = BTreeMap::new();
        for poll in 0..=self.settings.polls {
            if self.waiting.is_empty() {
                return Ok(());
            }
            if poll > 0 {
                tokio::time::sleep(self.settings.poll).await;
            }
            let waiting = std::mem::take(&mut self.waiting);
            for (entries, read) in self.read(waiting).await {
                let current = match read {
                    Ok(current) => current,
                    Err(fault) => {
                        why.extend(entries.iter().map(|(number, _)| (*number, fault.to_string())));
                        self.waiting.extend(entries);
                        continue;
                    }
                };
                for ((number, change), current) in entries.into_iter().zip(current) {
                    let Some(current) = current else {
                        self.journal.lock().await.write(Entry::Gone { number })?;
                        self.outcome.gone += 1;
                        continue;
                    };
                    if current.is_restored(&change) {
                        self.journal.lock().await.write(Entry::Restored { number })?;
                        continue;
                    }
                    let text = if current.is_pending() {
                        "is still `pending`"
                    } else if current.has_made {
                        "the version that was made of it is still in use"
                    } else {
                        "is not as it was in time"
                    };
                    why.insert(number, text.to_owned());
                    self.waiting.push((number, change));
                }
            }
        }
        for (number, change) in std::mem::take(&mut self.waiting) {
            let why = why.remove(&number).unwrap_or_default();
            self.leave(&change, &why);
        }
        Ok(())
    }
}

/// Undoes one change.
async fn undo(
    targets: &Targets,
    journal: &Mutex<Journal>,
    force: bool,
    number: usize,
    change: &Change,
    current: Current,
) -> Result<Undone, Error> {
    let progress = journal.lock().await.of(number);
    let drift = current.drift(change);
    if progress == Some(Progress::Refused) && !current.has_made {
        return Ok(Undone::Over);
    }
    match drift {
        // Its call was made by a run that did not see it in force.
        _ if progress == Some(Progress::Undone) && !(drift == DriftState::Prior && current.has_made) => {
            return Ok(Undone::Unchanged);
        }
        // What was answered is done, even where it is not seen yet: EC2 is eventually consistent
        // ("Eventual consistency in the Amazon EC2 API", EC2 Developer Guide), and the old options
        // may be shown for a while.
        DriftState::Prior if matches!(change.target, Target::Instance { .. }) && is_ours(progress) => {}
        DriftState::Prior if !current.has_made => {
            journal.lock().await.write(Entry::Undone { number })?;
            return Ok(Undone::Unchanged);
        }
        DriftState::Other if matches!(change.target, Target::AutoScalingGroup { .. }) => {
            // Which of the versions that it names stands for the old one, nobody can tell.
            let text = "someone else has moved it since: set the version that the plan names by hand";
            return Ok(Undone::Left(text.to_owned()));
        }
        DriftState::Other if !force => {
            let text = "someone else has changed it since; `--force` restores it anyway";
            return Ok(Undone::Left(text.to_owned()));
        }
        DriftState::Prior | DriftState::New | DriftState::Other => {}
    }
    journal.lock().await.write(Entry::Undo { number })?;
    match targets.restore(change, &current).await {
        Ok(()) => {
            journal.lock().await.write(Entry::Undone { number })?;
            Ok(Undone::Restored)
        }
        Err(fault) if fault.says_gone() && matches!(change.target, Target::Instance { .. }) => {
            let found = targets.current(&change.place, &[change]).await;
            if found.is_ok_and(|found| found == [None]) {
                journal.lock().await.write(Entry::Gone { number })?;
                return Ok(Undone::Gone);
            }
            Ok(Undone::Left(fault.to_string()))
        }
        Err(fault) => Ok(Undone::Left(fault.to_string())),
    }
}

/// Whether the call that makes the change may have been made and none that undoes it.
const fn is_ours(progress: Option<Progress>) -> bool {
    matches!(progress, Some(Progress::Intended | Progress::Done | Progress::Applied))
}
