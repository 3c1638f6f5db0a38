//! How far `apply` and `rollback` are, while they are at it: a bar on a terminal, lines elsewhere,
//! and what is done when they are interrupted.

use std::io::IsTerminal;
use std::sync::Arc;
use std::time::Duration;

use imds_model::printable;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use tokio::sync::Mutex;

use crate::change::journal::{Journal, Progress};
use crate::error::Error;
use crate::output::Out;

/// How often the bar is drawn.
const EVERY: Duration = Duration::from_millis(200);

/// How many changes are done, shown as the journal says.
pub struct Changes {
    bar: ProgressBar,
    journal: Arc<Mutex<Journal>>,
    over: fn(&Progress) -> bool,
}

impl Changes {
    /// Shows how many of `total` changes are `over`.
    pub fn new(total: usize, journal: Arc<Mutex<Journal>>, over: fn(&Progress) -> bool) -> Self {
        let target = if std::io::stderr().is_terminal() {
            ProgressDrawTarget::stderr()
        } else {
            ProgressDrawTarget::hidden()
        };
        let bar = ProgressBar::with_draw_target(Some(total as u64), target);
        let bar = match ProgressStyle::with_template("{bar:30} {pos}/{len} changes, {elapsed}") {
            Ok(style) => bar.with_style(style),
            Err(_) => bar,
        };
        Self { bar, journal, over }
    }

    /// Writes a line at once, above the bar.
    pub fn line(&self, out: Out<'_>, line: &str) {
        self.bar.suspend(|| {
            // Anyone who reads may have gone away; the work goes on, and its end is reported.
            let _ = writeln!(out, "{}", printable::escape(line)).and_then(|()| out.flush());
        });
    }

    /// Takes the bar away.
    pub fn finish(&self) {
        self.bar.finish_and_clear();
    }

    fn draw(&self) {
        // While a line is being written to the journal there is another tick soon.
        if let Ok(journal) = self.journal.try_lock() {
            let over = journal.progress.values().filter(|progress| (self.over)(progress)).count();
            self.bar.set_position(over as u64);
        }
    }
}

/// How the work ended.
pub enum Ended<T> {
    /// By itself.
    Done(Result<T, Error>),
    /// By SIGINT or SIGTERM. What was begun is in the journal.
    Interrupted,
}

/// Does the work, shows how far it is, and stops it when the program is interrupted. Stopped
/// anywhere, it can be resumed: each call is announced in the journal before it is made.
pub async fn until_interrupted<T>(
    work: impl Future<Output = Result<T, Error>>,
    changes: &Changes,
) -> Ended<T> {
    let mut work = std::pin::pin!(work);
    let mut interrupted = std::pin::pin!(interrupted());
    let mut ticks = tokio::time::interval(EVERY);
    loop {
        tokio::select! {
            result = &mut work => return Ended::Done(result),
            () = &mut interrupted => return Ended::Interrupted,
            _ = ticks.tick() => changes.draw(),
        }
    }
}

async fn interrupted() {
    use tokio::signal::unix::{SignalKind, signal};
    // Without a handler the signal ends the program, as if nobody had asked for it.
    let (Ok(mut int), Ok(mut term)) = (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
    else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = int.recv() => {}
        _ = term.recv() => {}
    }
}

/// What a journal says was done of so many changes.
pub fn counts(journal: &Journal, total: usize) -> String {
    let of = |wanted: fn(&Progress) -> bool| journal.progress.values().filter(|it| wanted(it)).count();
    let words = [
        (of(|it| *it == Progress::Applied), "in force"),
        (of(|it| *it == Progress::Done), "made and not yet seen in force"),
        (of(|it| *it == Progress::Intended), "announced, which may have been made or not"),
        (of(|it| *it == Progress::Refused), "refused"),
        (of(|it| *it == Progress::Gone), "gone"),
        (of(|it| *it == Progress::Skipped), "made by someone else before"),
        (of(|it| *it == Progress::Undoing), "being undone"),
        (of(|it| matches!(it, Progress::Undone | Progress::Restored)), "undone"),
    ];
    let parts: Vec<String> =
        words.iter().filter(|(count, _)| *count > 0).map(|(count, word)| format!("{count} {word}")).collect();
    if parts.is_empty() {
        return format!("none of {total} changes begun");
    }
    format!("of {total} changes {}", parts.join(", "))
}
