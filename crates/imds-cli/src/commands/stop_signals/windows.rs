//! Events of the console: Ctrl-C, Ctrl-Break, the window's end. A process without a console has
//! none, and is ended from outside.

use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

use super::Woken;
use crate::exit::Exit;
use crate::report::Failure;

/// What every event of the console counts as: SIGINT.
const INTERRUPT: i32 = 2;

/// Events, each as a message.
pub(in crate::commands) struct StopSignals {
    send: Sender<Woken>,
    events: Receiver<Woken>,
}

impl StopSignals {
    /// Handles the console's events from now on.
    pub(in crate::commands) fn register() -> Result<Self, Failure> {
        let (send, events) = channel();
        let on_event = send.clone();
        let told = move |_| {
            let _ = on_event.send(Woken::Signal(INTERRUPT));
        };
        imds_windows::on_console_event(told).map_err(|error| {
            Failure::told(Exit::Unexpected, "cannot handle console events").caused_by(error)
        })?;
        Ok(Self { send, events })
    }

    /// What wakes the wait to look at a child.
    pub(in crate::commands) fn look(&self) -> impl FnOnce() + Send + 'static {
        let send = self.send.clone();
        move || {
            let _ = send.send(Woken::Look);
        }
    }

    /// Waits for an event, for the end of a child or of what else is waited for, or for the
    /// milliseconds.
    pub(in crate::commands) fn wait<T>(
        &self,
        _other: Option<&Ending<T>>,
        millis: Option<i64>,
    ) -> Result<Woken, Failure> {
        let lost = || Failure::told(Exit::Unexpected, "cannot wait for console events");
        match millis {
            None => self.events.recv().map_err(|_| lost()),
            Some(millis) => match self.events.recv_timeout(Duration::from_millis(millis.unsigned_abs())) {
                Ok(woken) => Ok(woken),
                Err(RecvTimeoutError::Timeout) => Ok(Woken::Look),
                Err(RecvTimeoutError::Disconnected) => Err(lost()),
            },
        }
    }
}

/// Something that ends on another thread, told once it has.
pub(in crate::commands) struct Ending<T> {
    thread: std::thread::JoinHandle<T>,
}

impl<T: Send + 'static> Ending<T> {
    /// Waits for `work` on a thread of its own.
    pub(in crate::commands) fn of(
        signals: &StopSignals,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<Self, Failure> {
        let send = signals.send.clone();
        let thread = std::thread::Builder::new().spawn(move || {
            let result = work();
            let _ = send.send(Woken::Other);
            result
        });
        thread
            .map(|thread| Self { thread })
            .map_err(|error| Failure::told(Exit::Unexpected, "cannot start a thread").caused_by(error))
    }

    /// What it came to; `None` if it panicked, which was printed already.
    pub(in crate::commands) fn result(self) -> Option<T> {
        self.thread.join().ok()
    }
}
