//! Undoes what a journal says was done, latest first, and waits until what was before is in force.

use std::collections::BTreeMap;
use std::time::Duration;

use imds_model::options::{HttpTokens, State, Switch};

use super::journal::{Entry, Journal, Progress};
use super::plan::{Change, Target};
use super::target::{DriftState, Targets};
use crate::error::Error;
use crate::inventory::resource::AccountRegion;

/// How to go about it.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
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
    /// Not restored, and why.
    pub left: Vec<String>,
}

/// Restores what was before every change that was begun.
///
/// # Errors
///
/// When the way back is known to be closed, or the journal cannot be written.
pub async fn rollback(
    targets: &Targets,
    journal: &mut Journal,
    settings: &Settings,
) -> Result<Outcome, Error> {
    let mut begun: Vec<(usize, Change)> =
        journal.changes.iter().rev().map(|(number, change)| (*number, change.clone())).collect();
    begun.retain(|(number, _)| !matches!(journal.of(*number), Some(Progress::Refused) | None));
    // While enforcement is on, no instance can be set back.
    begun.sort_by_key(|(_, change)| !enforces(change));
    if !settings.allow_irreversible {
        check_way_back(targets, journal, &begun).await?;
    }
    let mut run = Run { targets, journal, settings, outcome: Outcome::default(), waiting: Vec::new() };
    for (number, change) in &begun {
        run.undo(*number, change).await?;
    }
    run.settle().await?;
    Ok(run.outcome)
}

fn enforces(change: &Change) -> bool {
    change.http_tokens_enforced.is_some_and(|it| it.new == Switch::Enabled)
}

/// Refuses up front where EC2 would refuse later on.
async fn check_way_back(
    targets: &Targets,
    journal: &Journal,
    begun: &[(usize, Change)],
) -> Result<(), Error> {
    let open = |number: usize| !matches!(journal.of(number), Some(Progress::Undone | Progress::Restored));
    let mut back: BTreeMap<&AccountRegion, usize> = BTreeMap::new();
    for (number, change) in begun {
        let to_v1 = matches!(change.target, Target::Instance { .. })
            && change.prior.http_tokens == Some(HttpTokens::Optional)
            && change.new.http_tokens == Some(HttpTokens::Required);
        if to_v1 && open(*number) {
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
    targets: &'a Targets,
    journal: &'a mut Journal,
    settings: &'a Settings,
    outcome: Outcome,
    /// Those whose call is made and which are not yet seen to be in force.
    waiting: Vec<(usize, Change)>,
}

impl Run<'_> {
    fn leave(&mut self, change: &Change, why: &str) {
        self.outcome.left.push(format!("`{}` in {}: {why}", change.target.id(), change.place));
    }

    async fn undo(&mut self, number: usize, change: &Change) -> Result<(), Error> {
        let progress = self.journal.of(number);
        if progress == Some(Progress::Restored) {
            self.outcome.unchanged += 1;
            return Ok(());
        }
        let current = match self.targets.current(&change.place, &[change]).await {
            Ok(found) => found.into_iter().next().flatten(),
            Err(fault) => {
                self.leave(change, &fault.to_string());
                return Ok(());
            }
        };
        let Some(current) = current else {
            self.leave(change, "is gone");
            return Ok(());
        };
        match current.drift(change) {
            stand
                if progress == Some(Progress::Undone)
                    && !(stand == DriftState::Prior && current.has_made) =>
            {
                // Its call was made by a run that did not see it in force.
                self.outcome.unchanged += 1;
                self.waiting.push((number, change.clone()));
                return Ok(());
            }
            DriftState::Prior if !current.has_made => {
                self.journal.write(Entry::Undone { number })?;
                self.outcome.unchanged += 1;
                self.waiting.push((number, change.clone()));
                return Ok(());
            }
            DriftState::Other if matches!(change.target, Target::AutoScalingGroup { .. }) => {
                // Which of the versions that it names stands for the old one, nobody can tell.
                self.leave(
                    change,
                    "someone else has moved it since: set the version that the plan names by hand",
                );
                return Ok(());
            }
            DriftState::Other if !self.settings.force => {
                self.leave(change, "someone else has changed it since; `--force` restores it anyway");
                return Ok(());
            }
            DriftState::Prior | DriftState::New | DriftState::Other => {}
        }
        self.journal.write(Entry::Undo { number })?;
        match self.targets.restore(change, &current).await {
            Ok(()) => {
                self.journal.write(Entry::Undone { number })?;
                self.outcome.restored += 1;
                self.waiting.push((number, change.clone()));
            }
            Err(fault) => self.leave(change, &fault.to_string()),
        }
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
            let mut by_place: BTreeMap<AccountRegion, Vec<(usize, Change)>> = BTreeMap::new();
            for (number, change) in std::mem::take(&mut self.waiting) {
                by_place.entry(change.place.clone()).or_default().push((number, change));
            }
            for (place, entries) in by_place {
                let changes: Vec<&Change> = entries.iter().map(|(_, change)| change).collect();
                let current = match self.targets.current(&place, &changes).await {
                    Ok(current) => current,
                    Err(fault) => {
                        why.extend(entries.iter().map(|(number, _)| (*number, fault.to_string())));
                        self.waiting.extend(entries);
                        continue;
                    }
                };
                for ((number, change), current) in entries.into_iter().zip(current) {
                    if current.is_some_and(|current| current.is_restored(&change)) {
                        self.journal.write(Entry::Restored { number })?;
                        continue;
                    }
                    why.insert(
                        number,
                        match current {
                            None => "is gone",
                            Some(current) if current.state == Some(State::Pending) => "is still `pending`",
                            Some(current) if current.has_made => {
                                "the version that was made of it is still in use"
                            }
                            Some(_) => "is not as it was in time",
                        }
                        .to_owned(),
                    );
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
