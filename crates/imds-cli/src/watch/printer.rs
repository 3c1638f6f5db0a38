//! Writing lines to standard output on a thread of its own: a reader that is slow or gone, or a
//! disk that is full, costs lines and never a notice.

use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::time::Duration;

use super::signals::Wake;
use crate::exit::Exit;
use crate::output;
use crate::report::{self, Failure};

/// Lines that may wait for the reader.
const WAITING: usize = 4_096;
/// How long the end of the process waits for the reader.
const PATIENCE: Duration = Duration::from_secs(5);

/// The lines on their way to standard output.
pub(super) struct Printer {
    lines: Option<SyncSender<String>>,
    /// Why the thread ended.
    failed: Receiver<Failure>,
    dropped: u64,
}

impl Printer {
    /// Starts the thread. A failure is followed by `wake`.
    pub(super) fn start(wake: Wake) -> Result<Self, Failure> {
        let (lines, waiting) = sync_channel::<String>(WAITING);
        let (send, failed) = sync_channel(1);
        let print = move || {
            for line in waiting {
                if let Err(failure) = output::document(&line) {
                    let _ = send.send(failure);
                    wake.ring();
                    return;
                }
            }
        };
        let thread = std::thread::Builder::new().name("stdout".into()).stack_size(64 * 1_024).spawn(print);
        let cannot = |error| Failure::told(Exit::Unexpected, "cannot start the output").caused_by(error);
        thread.map_err(cannot)?;
        Ok(Self { lines: Some(lines), failed, dropped: 0 })
    }

    /// Prints a line, if there is room for it.
    pub(super) fn print(&mut self, line: String) {
        let Some(lines) = &self.lines else { return };
        match lines.try_send(line) {
            Ok(()) | Err(TrySendError::Disconnected(_)) => {}
            Err(TrySendError::Full(_)) => {
                if self.dropped == 0 {
                    report::note(&format_args!("stdout is not read: lines are dropped"));
                }
                self.dropped += 1;
            }
        }
    }

    /// Why nothing can be printed any more; told once.
    pub(super) fn failure(&mut self) -> Option<Failure> {
        let failure = self.failed.try_recv().ok()?;
        self.lines = None;
        Some(failure)
    }

    /// Waits until what was printed is written, for a while.
    pub(super) fn finish(mut self) -> Option<Failure> {
        self.lines = None;
        match self.failed.recv_timeout(PATIENCE) {
            Ok(failure) => Some(failure),
            // The thread has ended.
            Err(RecvTimeoutError::Disconnected) => None,
            Err(RecvTimeoutError::Timeout) => {
                report::note(&format_args!("stdout is not read: the last lines are lost"));
                None
            }
        }
    }
}
