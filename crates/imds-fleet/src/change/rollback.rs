//! Undoes what a journal says was done, latest first.

use super::journal::{Entry, Journal, Progress};
use super::plan::Change;
use super::target::{Reach, Stand};
use crate::error::Error;

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

/// Restores the prior options of every change that was begun.
///
/// # Errors
///
/// When the journal cannot be written.
pub async fn rollback(reach: &Reach, journal: &mut Journal, force: bool) -> Result<Outcome, Error> {
    let mut outcome = Outcome::default();
    let begun: Vec<(usize, Change)> =
        journal.changes.iter().rev().map(|(number, change)| (*number, change.clone())).collect();
    for (number, change) in begun {
        match journal.of(number) {
            Some(Progress::Undone) => {
                outcome.unchanged += 1;
                continue;
            }
            Some(Progress::Refused) | None => continue,
            Some(Progress::Intended | Progress::Done | Progress::Applied | Progress::Undoing) => {}
        }
        let left = |why: String| format!("`{}` in {}: {why}", change.target.id(), change.place);
        let current = match reach.current(&change.place, &[&change]).await {
            Ok(found) => found.into_iter().next().flatten(),
            Err(fault) => {
                outcome.left.push(left(fault.to_string()));
                continue;
            }
        };
        let Some(current) = current else {
            outcome.left.push(left("is gone".to_owned()));
            continue;
        };
        match current.stand(&change) {
            Stand::Prior => {
                journal.write(Entry::Undone { number })?;
                outcome.unchanged += 1;
                continue;
            }
            Stand::Other if !force => {
                outcome
                    .left
                    .push(left("someone else has changed it since; `--force` restores it anyway".to_owned()));
                continue;
            }
            Stand::New | Stand::Other => {}
        }
        journal.write(Entry::Undo { number })?;
        match reach.restore(&change, &current).await {
            Ok(()) => {
                journal.write(Entry::Undone { number })?;
                outcome.restored += 1;
            }
            Err(fault) => outcome.left.push(left(fault.to_string())),
        }
    }
    Ok(outcome)
}
