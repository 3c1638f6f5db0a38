//! Everything that can be known before the first call. Nothing is changed when any of it is wrong.

use std::collections::BTreeSet;
use std::sync::Arc;

use imds_model::options::HttpTokens;
use tokio::task::JoinSet;

use super::apply::{Run, Say};
use super::journal::{Entry, Progress};
use super::plan::{Change, Target};
use super::target::{DriftState, Targets};
use crate::aws::modify::Mode;
use crate::error::Error;
use crate::fault::Fault;
use crate::inventory::resource::AccountRegion;

/// How many things that are wrong are named.
const NAMED: usize = 20;

impl Run<'_> {
    /// Checks the plan against what there is now, and returns what the journal is to say of it.
    pub(super) async fn check(&mut self, say: Say<'_>) -> Result<Vec<Entry>, Error> {
        let (mut wrong, mut faults, mut entries) = (Vec::new(), Vec::new(), Vec::new());
        let mut open: Vec<(AccountRegion, Vec<usize>)> = Vec::new();
        for (place, _, read) in self.read(0..self.plan.changes.len()).await {
            let found = match read {
                Ok(found) => found,
                Err(fault) => {
                    faults.push((place, fault));
                    continue;
                }
            };
            let mut here = Vec::new();
            let journal = self.journal.lock().await;
            for (number, current) in found {
                let Some(change) = self.plan.changes.get(number) else { continue };
                let id = change.target.id();
                match (journal.of(number), current.map(|current| current.drift(change))) {
                    (progress, _) if super::apply::is_over(progress) => {}
                    (_, None) => entries.push(Entry::Gone { number }),
                    // The call was announced and is seen to have been made.
                    (Some(Progress::Intended), Some(DriftState::New)) => entries.push(Entry::Done { number }),
                    (_, Some(DriftState::New)) => entries.push(Entry::Skipped { number }),
                    (_, Some(DriftState::Prior)) => here.push(number),
                    (_, Some(DriftState::Other)) => wrong.push(format!("`{id}` in {place} has been changed")),
                }
            }
            drop(journal);
            if !here.is_empty() {
                open.push((place, here));
            }
        }
        self.check_calls(open, &mut wrong, &mut faults).await?;
        if !faults.is_empty() {
            return Err(all_of(faults));
        }
        if wrong.is_empty() {
            return Ok(entries);
        }
        let count = wrong.len();
        let rest = count.saturating_sub(NAMED);
        wrong.truncate(NAMED);
        wrong.into_iter().for_each(&mut *say);
        if rest > 0 {
            say(format!("and {rest} more"));
        }
        Err(Error::Input(format!(
            "{count} things are not as they were when the plan was made: make a new one"
        )))
    }

    /// Asks of each account and Region, all at the same time, whether the calls would be allowed
    /// and could be undone.
    async fn check_calls(
        &self,
        open: Vec<(AccountRegion, Vec<usize>)>,
        wrong: &mut Vec<String>,
        faults: &mut Vec<(AccountRegion, Fault)>,
    ) -> Result<(), Error> {
        let mut running = JoinSet::new();
        for (place, numbers) in open {
            let (targets, plan, permits) =
                (Arc::clone(&self.targets), Arc::clone(&self.plan), Arc::clone(&self.permits));
            let (probe, irreversible) = (self.settings.probe, self.plan.allow_irreversible);
            running.spawn(async move {
                // A closed semaphore cannot be: nobody closes it.
                let _permit = permits.acquire().await;
                let changes: Vec<&Change> =
                    numbers.iter().filter_map(|number| plan.changes.get(*number)).collect();
                let checked = check_place(&targets, &place, &changes, probe, irreversible).await;
                (place, checked)
            });
        }
        let mut irreversible = Vec::new();
        for (place, checked) in running.join_all().await {
            match checked {
                Ok(Checked { irreversible: blocked, objections }) => {
                    if blocked {
                        irreversible.push(place);
                    }
                    wrong.extend(objections);
                }
                Err(fault) => faults.push((place, fault)),
            }
        }
        irreversible.sort();
        if let Some(place) = irreversible.first() {
            let more = match irreversible.len() {
                1 => String::new(),
                count => format!(" and {} other account/Regions", count - 1),
            };
            return Err(Error::Input(format!(
                "rollback is impossible in {place}{more}: `HttpTokensEnforced` is `enabled`; plan again, with \
                 `--allow-irreversible` if that is meant"
            )));
        }
        Ok(())
    }
}

/// What was found in one account and Region.
struct Checked {
    /// Whether rollback would be refused there.
    irreversible: bool,
    /// Why a change cannot be made as planned.
    objections: Vec<String>,
}

async fn check_place(
    targets: &Targets,
    place: &AccountRegion,
    open: &[&Change],
    probe: bool,
    allow_irreversible: bool,
) -> Result<Checked, Fault> {
    let one_way = open.iter().any(|change| {
        matches!(change.target, Target::Instance { .. })
            && change.new.http_tokens == Some(HttpTokens::Required)
            && change.prior.http_tokens == Some(HttpTokens::Optional)
    });
    let irreversible =
        !allow_irreversible && one_way && targets.clients.defaults(place).await?.http_tokens_enforced;
    let objections = targets.launch_objections(place, open).await?;
    if probe && !irreversible {
        // One of each kind: they are different calls with different permissions.
        let mut asked = BTreeSet::new();
        for change in open.iter().filter(|change| asked.insert(change.target.kind())) {
            match targets.make(change, Mode::DryRun).await {
                Err(fault) if !fault.says_gone() => return Err(fault),
                _ => {}
            }
        }
    }
    Ok(Checked { irreversible, objections })
}

/// One error of all the accounts and Regions in which a call failed.
fn all_of(mut faults: Vec<(AccountRegion, Fault)>) -> Error {
    faults.sort_by(|a, b| a.0.cmp(&b.0));
    if faults.len() == 1
        && let Some((_, fault)) = faults.pop()
    {
        return Error::Call(fault);
    }
    Error::Calls(faults.into_iter().map(|(place, fault)| format!("{place}: {fault}")).collect())
}
