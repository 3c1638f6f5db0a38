//! `apply`: makes the changes of a plan.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use imds_model::{duration, printable};
use tokio::sync::Mutex;

use super::progress::{self, Changes, Ended};
use super::{End, next, scan};
use crate::change::apply::{Settings, apply};
use crate::change::journal::{Journal, Progress};
use crate::change::plan::Plan;
use crate::change::target::Targets;
use crate::cli::ApplyArgs;
use crate::clock;
use crate::error::Error;
use crate::output::{Out, written};

/// Runs it.
///
/// # Errors
///
/// Returns an error if nothing was begun because something is wrong.
pub async fn run(args: &ApplyArgs, out: Out<'_>) -> Result<End, Error> {
    let (plan, digest) = Plan::read(&args.plan)?;
    check_age(args, &plan)?;
    let journal_path = args.journal.clone().unwrap_or_else(|| journal_of(&args.plan));
    let access = scan::access_as(&args.access, &args.role).await?;
    let journal = Arc::new(Mutex::new(Journal::open(&journal_path, true)?));
    let settings = Settings {
        concurrency: usize::from(args.access.concurrency),
        probe: !args.no_probe,
        poll: args.poll,
        polls: args.polls,
        pause: args.pause,
        gate_command: args.gate_command.clone(),
        gate_metric: !args.no_gate_metric,
    };
    let total = plan.changes.len();
    let over = |progress: &Progress| {
        matches!(progress, Progress::Applied | Progress::Gone | Progress::Skipped | Progress::Done)
    };
    let bar = Changes::new(total, Arc::clone(&journal), over);
    let mut say = |line: String| bar.line(out, &line);
    let targets = Arc::new(Targets::new(access, &digest));
    let work = apply(targets, Arc::new(plan), &digest, Arc::clone(&journal), &settings, &mut say);
    let ended = progress::until_interrupted(work, &bar).await;
    bar.finish();
    let what_next = |out: Out<'_>| {
        let (again, back) = (next::again(), next::rollback(&journal_path, &args.access, &args.role));
        let text = format!("to go on: {again}\nto go back: {back}");
        written(writeln!(out, "{}", printable::escape_lines(&text)))
    };
    let outcome = match ended {
        Ended::Interrupted => {
            let counts = progress::counts(&*journal.lock().await, total);
            written(writeln!(out, "interrupted: {counts}"))?;
            what_next(out)?;
            return Ok(End::Incomplete);
        }
        Ended::Done(result) => result?,
    };
    written(writeln!(out, "{}", outcome.line(total)))?;
    if let Some(why) = &outcome.stopped {
        written(writeln!(out, "stopped: {}", printable::escape(why)))?;
        what_next(out)?;
        return Ok(End::Incomplete);
    }
    Ok(End::Clean)
}

/// A plan says how things were when it was made; one that is too old says little of today.
fn check_age(args: &ApplyArgs, plan: &Plan) -> Result<(), Error> {
    let age = clock::now().as_second() - plan.made_at.as_second();
    let age = Duration::from_secs(u64::try_from(age).unwrap_or(0));
    if args.stale || age <= args.max_age {
        return Ok(());
    }
    Err(Error::Input(format!(
        "plan `{}` was made {} ago, which is more than `--max-age {}`: make a new one, or say `--stale`",
        args.plan.display(),
        duration::format(Duration::from_secs(age.as_secs() / 60 * 60)),
        duration::format(args.max_age)
    )))
}

/// The journal beside the plan.
fn journal_of(plan: &Path) -> PathBuf {
    let mut name = plan.as_os_str().to_owned();
    name.push(".journal");
    PathBuf::from(name)
}
