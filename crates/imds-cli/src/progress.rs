//! Progress on stderr, for people at a terminal, of what takes longer than a second.

use std::io::{IsTerminal as _, Write as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

/// Time before anything is shown, and between two lines.
const PERIOD: Duration = Duration::from_secs(1);

/// Shows how much was done, until it is dropped; the line is then erased.
pub(crate) struct Progress {
    count: Arc<AtomicUsize>,
    /// Dropped first, which ends the thread.
    end: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// Counts what was done.
#[derive(Clone)]
pub(crate) struct Ticker(Arc<AtomicUsize>);

impl Ticker {
    pub(crate) fn tick(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

impl Progress {
    /// Begins; shows nothing where stderr is no terminal.
    pub(crate) fn start(what: &'static str) -> Self {
        let count = Arc::new(AtomicUsize::new(0));
        if !std::io::stderr().is_terminal() {
            return Self { count, end: None, thread: None };
        }
        let (end, ended) = channel();
        let counted = count.clone();
        let thread = std::thread::Builder::new().spawn(move || show(what, &counted, &ended)).ok();
        Self { count, end: Some(end), thread }
    }

    pub(crate) fn ticker(&self) -> Ticker {
        Ticker(self.count.clone())
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        drop(self.end.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn show(what: &str, count: &AtomicUsize, ended: &Receiver<()>) {
    let mut shown = false;
    while ended.recv_timeout(PERIOD) == Err(RecvTimeoutError::Timeout) {
        shown = true;
        let _ = write!(std::io::stderr(), "\r{what}: {} entries", count.load(Ordering::Relaxed));
    }
    if shown {
        // Back to the begin of the line, and erase to its end.
        let _ = write!(std::io::stderr(), "\r\u{1b}[K");
    }
}
