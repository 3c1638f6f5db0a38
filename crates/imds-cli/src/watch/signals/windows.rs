//! By messages: events of the console, and what other threads say. The end of a hook has no
//! message, so the wait is short while one runs.

use std::io;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use super::cannot;
use crate::report::Failure;

/// How long a hook that has ended may go unnoticed.
const LOOK: Duration = Duration::from_millis(50);

/// Events, as messages.
pub(in crate::watch) struct Signals {
    events: Receiver<Message>,
    wake: Wake,
}

enum Message {
    Stop,
    Wake,
}

/// Ends the wait from another thread.
#[derive(Debug)]
pub(in crate::watch) struct Wake(Sender<Message>);

impl Wake {
    /// Another one for the same wait.
    pub(in crate::watch) fn another(&self) -> io::Result<Self> {
        Ok(Self(self.0.clone()))
    }

    /// Ends the wait; whether there is still anybody to wait.
    pub(in crate::watch) fn ring(&self) -> bool {
        self.0.send(Message::Wake).is_ok()
    }
}

impl Signals {
    /// Takes the console's events over from now on.
    pub(in crate::watch) fn register() -> Result<Self, Failure> {
        let (send, events) = channel();
        let on_event = send.clone();
        imds_windows::on_console_event(move |_| drop(on_event.send(Message::Stop))).map_err(cannot)?;
        Ok(Self { events, wake: Wake(send) })
    }

    /// What ends the wait.
    pub(in crate::watch) fn wake(&self) -> &Wake {
        &self.wake
    }

    /// Waits for an event, or at most for the duration; whether to stop. `children`: a hook runs.
    pub(in crate::watch) fn wait(&self, at_most: Duration, children: bool) -> Result<bool, Failure> {
        let at_most = if children { at_most.min(LOOK) } else { at_most };
        // Nobody else can drop the sender, so an error is the time.
        let first = self.events.recv_timeout(at_most);
        let all = first.into_iter().chain(self.events.try_iter());
        Ok(all.fold(false, |stop, message| stop | matches!(message, Message::Stop)))
    }
}
