//! `rollback`: undoes what a journal says was done.

use std::sync::Arc;

use imds_model::printable;
use tokio::sync::Mutex;

use super::progress::{self, Changes, Ended};
use super::{End, next, scan};
use crate::change::journal::{Journal, Progress};
use crate::change::rollback::{Settings, rollback};
use crate::change::target::Targets;
use crate::cli::RollbackArgs;
use crate::error::Error;
use crate::output::{Out, written};

/// Runs it.
///
/// # Errors
///
/// Returns an error if the journal cannot be used.
pub async fn run(args: &RollbackArgs, out: Out<'_>) -> Result<End, Error> {
    let journal = Journal::open(&args.journal, false)?;
    let Some(plan) = journal.plan.clone() else {
        return Err(Error::Input(format!(
            "journal `{}` has not begun: nothing to undo",
            args.journal.display()
        )));
    };
    let access = scan::access_as(&args.access, &args.role).await?;
    let settings = Settings {
        concurrency: usize::from(args.access.concurrency),
        force: args.force,
        allow_irreversible: args.allow_irreversible,
        poll: args.poll,
        polls: args.polls,
    };
    let total = journal.changes.len();
    let journal = Arc::new(Mutex::new(journal));
    let over =
        |progress: &Progress| matches!(progress, Progress::Undone | Progress::Restored | Progress::Gone);
    let bar = Changes::new(total, Arc::clone(&journal), over);
    let mut say = |line: String| bar.line(out, &line);
    let targets = Arc::new(Targets::new(access, &plan));
    let work = rollback(targets, Arc::clone(&journal), &settings, &mut say);
    let ended = progress::until_interrupted(work, &bar).await;
    bar.finish();
    let outcome = match ended {
        Ended::Interrupted => {
            let counts = progress::counts(&*journal.lock().await, total);
            let text = format!(
                "interrupted: {counts}\nto go on: {}\na plan that is partly rolled back cannot be applied: make a \
                 new one with `imds-fleet plan`",
                next::again()
            );
            written(writeln!(out, "{}", printable::escape_lines(&text)))?;
            return Ok(End::Incomplete);
        }
        Ended::Done(result) => result?,
    };
    for left in &outcome.left {
        written(writeln!(out, "not restored: {}", printable::escape(left)))?;
    }
    let (restored, unchanged, left) = (outcome.restored, outcome.unchanged, outcome.left.len());
    let gone = match outcome.gone {
        0 => String::new(),
        gone => format!(", {gone} gone"),
    };
    written(writeln!(out, "{restored} restored, {unchanged} as before, {left} not restored{gone}"))?;
    Ok(if outcome.left.is_empty() { End::Clean } else { End::Incomplete })
}
