//! `rollback`: undoes what a journal says was done.

use std::time::Duration;

use super::{End, scan};
use crate::change::journal::Journal;
use crate::change::rollback::{Settings, rollback};
use crate::change::target::Targets;
use crate::cli::RollbackArgs;
use crate::error::Error;
use crate::output::{Out, written};

/// Runs it.
///
/// # Errors
///
/// When the journal cannot be used.
pub async fn run(args: &RollbackArgs, out: Out<'_>) -> Result<End, Error> {
    let mut journal = Journal::open(&args.journal, false)?;
    let Some(plan) = journal.plan.clone() else {
        return Err(Error::Input(format!(
            "journal `{}` has not begun: nothing to undo",
            args.journal.display()
        )));
    };
    let access = scan::access_as(&args.access, &args.role).await?;
    let settings = Settings {
        force: args.force,
        allow_irreversible: args.allow_irreversible,
        poll: Duration::from_millis(args.poll),
        polls: args.polls,
    };
    let targets = Targets::new(access, &plan);
    let outcome = rollback(&targets, &mut journal, &settings).await?;
    for left in &outcome.left {
        written(writeln!(out, "not restored: {left}"))?;
    }
    let (restored, unchanged) = (outcome.restored, outcome.unchanged);
    written(writeln!(
        out,
        "{restored} restored, {unchanged} as before, {} not restored",
        outcome.left.len()
    ))?;
    Ok(if outcome.left.is_empty() { End::Clean } else { End::Incomplete })
}
