//! Undoes what a journal says was done, and waits until what was before is in force.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use imds_model::options::{HttpTokens, Switch};
use tokio::sync::{Mutex, Semaphore};
use tokio::task::JoinSet;

use super::apply::{LINE_EVERY, LINE_EVERY_POLLS, Say};
use super::journal::{Entry, Journal, Progress};
use super::plan::{Change, Target};
use super::read;
use super::target::{Current, DriftState, Targets};
use crate::error::Error;
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
    let begun: BTreeMap<usize, Change> = {
        let journal = journal.lock().await;
        let all = journal.changes.iter().map(|(number, change)| (*number, change.clone()));
        all.filter(|(number, change)| is_begun(journal.of(*number), change)).collect()
    };
    let changes = Arc::new(begun);
    let permits = Arc::new(Semaphore::new(settings.concurrency.max(1)));
    if !settings.allow_irreversible {
        check_reversible(&targets, &journal, &permits, &changes).await?;
    }
    let outcome = Outcome::default();
    let mut run = Run { targets, journal, permits, changes, settings, outcome, waiting: Vec::new() };
    // While enforcement is on, no instance can be set back; it goes first, and all else at once.
    let (first, rest): (Vec<_>, Vec<_>) = run.changes.iter().partition(|(_, change)| enforces(change));
    let numbers =
        |part: Vec<(&usize, &Change)>| part.into_iter().map(|(number, _)| *number).collect::<Vec<_>>();
    let (first, rest) = (numbers(first), numbers(rest));
    let total = first.len() + rest.len();
    for part in [first, rest] {
        run.undo_all(part, total, say).await?;
    }
    run.settle(say).await?;
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
    targets: &Arc<Targets>,
    journal: &Mutex<Journal>,
    permits: &Arc<Semaphore>,
    begun: &BTreeMap<usize, Change>,
) -> Result<(), Error> {
    let mut back: BTreeMap<AccountRegion, usize> = BTreeMap::new();
    for (number, change) in begun {
        let to_v1 = matches!(change.target, Target::Instance { .. })
            && change.prior.http_tokens == Some(HttpTokens::Optional)
            && change.new.http_tokens == Some(HttpTokens::Required);
        let over = matches!(journal.lock().await.of(*number), Some(Progress::Undone | Progress::Restored));
        if to_v1 && !over {
            *back.entry(change.place.clone()).or_default() += 1;
        }
    }
    // What this plan has turned on is turned off first.
    for change in begun.values().filter(|change| enforces(change)) {
        back.remove(&change.place);
    }
    let mut running = JoinSet::new();
    for (place, count) in back {
        let (targets, permits) = (Arc::clone(targets), Arc::clone(permits));
        running.spawn(async move {
            // A closed semaphore cannot be: nobody closes it.
            let _permit = permits.acquire().await;
            // Where it cannot be read it is left to EC2 to say so.
            let read = targets.clients.defaults(&place).await;
            read.is_ok_and(|defaults| defaults.http_tokens_enforced).then_some((place, count))
        });
    }
    let closed: BTreeMap<AccountRegion, usize> = running.join_all().await.into_iter().flatten().collect();
    let Some((place, _)) = closed.first_key_value() else { return Ok(()) };
    let more = match closed.len() {
        1 => String::new(),
        count => format!(" and {} other account/Regions", count - 1),
    };
    let count: usize = closed.values().sum();
    Err(Error::Input(format!(
        "rollback is impossible in {place}{more}: `HttpTokensEnforced` is `enabled`, and EC2 refuses to set {count} \
         instances back to IMDSv1; turn it off first, or restore the rest with `--allow-irreversible`"
    )))
}

struct Run<'a> {
    targets: Arc<Targets>,
    journal: Arc<Mutex<Journal>>,
    permits: Arc<Semaphore>,
    /// What was begun, by its number in the plan.
    changes: Arc<BTreeMap<usize, Change>>,
    settings: &'a Settings,
    outcome: Outcome,
    /// Those whose call is made and which are not yet seen to be in force.
    waiting: Vec<usize>,
}

/// What came of one change.
enum Undone {
    Restored,
    Unchanged,
    Over,
    Gone,
    Left(String),
}

impl Run<'_> {
    fn leave(&mut self, number: usize, why: &str) {
        if let Some(change) = self.changes.get(&number) {
            self.outcome.left.push(format!("`{}` in {}: {why}", change.target.id(), change.place));
        }
    }

    async fn undo_all(&mut self, numbers: Vec<usize>, total: usize, say: Say<'_>) -> Result<(), Error> {
        let mut open = Vec::new();
        for number in numbers {
            if self.journal.lock().await.of(number) == Some(Progress::Restored) {
                self.outcome.unchanged += 1;
            } else {
                open.push(number);
            }
        }
        // Instances and defaults stand alone; changes of templates and groups of one account and
        // Region share the versions that were made, and are undone one after the other.
        let mut units: Vec<Vec<(usize, Current)>> = Vec::new();
        for (_, numbers, read) in
            read::read(&self.targets, &self.permits, &self.changes, open.into_iter()).await
        {
            let found = match read {
                Ok(found) => found,
                Err(fault) => {
                    numbers.iter().for_each(|number| self.leave(*number, &fault.to_string()));
                    continue;
                }
            };
            let mut shared = Vec::new();
            // The last change that was made is the first that is undone.
            for (number, current) in found.into_iter().rev() {
                let shares = self.changes.get(&number).is_some_and(makes_versions);
                match current {
                    None => {
                        self.journal.lock().await.write(Entry::Gone { number })?;
                        self.outcome.gone += 1;
                    }
                    Some(current) if shares => shared.push((number, current)),
                    Some(current) => units.push(vec![(number, current)]),
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
            let (force, changes) = (self.settings.force, Arc::clone(&self.changes));
            running.spawn(async move {
                let mut done = Vec::new();
                for (number, current) in unit {
                    // A closed semaphore cannot be: nobody closes it.
                    let _permit = permits.acquire().await;
                    let Some(change) = changes.get(&number) else { continue };
                    done.push((number, undo(&targets, &journal, force, number, change, current).await));
                }
                done
            });
        }
        let mut seen = 0;
        while let Some(ended) = running.join_next().await {
            let done = ended.map_err(|error| Error::Stopped(format!("broken off: {error}")))?;
            for (number, undone) in done {
                match undone? {
                    Undone::Restored => {
                        self.outcome.restored += 1;
                        self.waiting.push(number);
                    }
                    Undone::Unchanged => {
                        self.outcome.unchanged += 1;
                        self.waiting.push(number);
                    }
                    Undone::Over => {}
                    Undone::Gone => self.outcome.gone += 1,
                    Undone::Left(why) => self.leave(number, &why),
                }
                seen += 1;
                if seen % LINE_EVERY == 0 {
                    say(format!("{} of {total} restored", self.outcome.restored));
                }
            }
        }
        self.outcome.left.sort();
        Ok(())
    }

    /// Waits until what was before is in force: `pending` is not.
    async fn settle(&mut self, say: Say<'_>) -> Result<(), Error> {
        let mut why: BTreeMap<usize, String> = BTreeMap::new();
        for poll in 0..=self.settings.polls {
            if self.waiting.is_empty() {
                return Ok(());
            }
            if poll > 0 {
                tokio::time::sleep(self.settings.poll).await;
            }
            if poll > 0 && poll % LINE_EVERY_POLLS == 0 {
                say(format!("{} changes are not restored in force yet", self.waiting.len()));
            }
            let waiting = std::mem::take(&mut self.waiting);
            for (_, numbers, read) in
                read::read(&self.targets, &self.permits, &self.changes, waiting.into_iter()).await
            {
                let found = match read {
                    Ok(found) => found,
                    Err(fault) => {
                        why.extend(numbers.iter().map(|number| (*number, fault.to_string())));
                        self.waiting.extend(numbers);
                        continue;
                    }
                };
                for (number, current) in found {
                    let Some(change) = self.changes.get(&number) else { continue };
                    let Some(current) = current else {
                        self.journal.lock().await.write(Entry::Gone { number })?;
                        self.outcome.gone += 1;
                        continue;
                    };
                    if current.is_restored(change) {
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
                    self.waiting.push(number);
                }
            }
        }
        for number in std::mem::take(&mut self.waiting) {
            let why = why.remove(&number).unwrap_or_default();
            self.leave(number, &why);
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
