//! `apply`: makes the changes of a plan.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::{End, scan};
use crate::change::apply::{Settings, apply};
use crate::change::journal::Journal;
use crate::change::plan::Plan;
use crate::change::target::Targets;
use crate::cli::ApplyArgs;
use crate::error::Error;
use crate::output::{Out, written};

/// Runs it.
///
/// # Errors
///
/// When nothing was begun because something is wrong.
pub async fn run(args: &ApplyArgs, out: Out<'_>) -> Result<End, Error> {
    let (plan, digest) = Plan::read(&args.plan)?;
    let journal_path = args.journal.clone().unwrap_or_else(|| journal_of(&args.plan));
    let access = scan::access_as(&args.access, &args.role).await?;
    let journal = Journal::open(&journal_path, true)?;
    let settings = Settings {
        concurrency: usize::from(args.access.concurrency),
        probe: !args.no_probe,
        poll: Duration::from_millis(args.poll),
        polls: args.polls,
        pause: Duration::from_secs(args.pause),
        gate_command: args.gate_command.clone(),
        gate_metric: !args.no_gate_metric,
    };
    let mut said = Vec::new();
    let result =
        apply(Arc::new(Targets::new(access, &digest)), &plan, &digest, journal, &settings, &mut |line| {
            said.push(line)
        })
        .await;
    for line in said {
        written(writeln!(out, "{line}"))?;
    }
    let outcome = result?;
    written(writeln!(out, "{} of {} changes in force", outcome.applied, plan.changes.len()))?;
    if let Some(why) = &outcome.stopped {
        written(writeln!(out, "stopped: {why}"))?;
        written(writeln!(
            out,
            "to go on, run the same again; to undo, `imds-fleet rollback {}`",
            journal_path.display()
        ))?;
        return Ok(End::Incomplete);
    }
    Ok(End::Clean)
}

/// The journal beside the plan.
fn journal_of(plan: &std::path::Path) -> PathBuf {
    let mut name = plan.as_os_str().to_owned();
    name.push(".journal");
    PathBuf::from(name)
}
