//! Asking the service, on a thread for each subject: one that stalls starves no other, and delays
//! neither hooks nor signals nor the watchdog.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use imds::{Client, Clock as _, SystemClock};
use imds_watch::{Pace, Reading, Subject, poll};

use super::signals::Wake;
use crate::exit::Exit;
use crate::report::Failure;

/// How long a poll waits for another one, so that as a rule one connection serves all.
const PATIENCE: Duration = Duration::from_millis(250);
/// Room for the response of a walk and the stack of the client.
const STACK: usize = 256 * 1_024;

/// What a poll brought: the subject's place in the list, and the reading.
pub(super) type Polled = (usize, Result<Reading, imds::Error>);

/// Starts a thread for each subject. Each reading is followed by `wake`.
pub(super) fn start(
    client: &Client,
    subjects: &[Subject],
    interval: Duration,
    wake: &Wake,
) -> Result<Receiver<Polled>, Failure> {
    let (send, receive) = channel();
    let turn = Arc::new(PollPermit::default());
    let cannot = |error| Failure::told(Exit::Unexpected, "cannot start polling").caused_by(error);
    for (index, subject) in subjects.iter().enumerate() {
        let poller = Poller {
            client: client.clone(),
            subject: subject.clone(),
            index,
            pace: Pace::new(interval),
            turn: Arc::clone(&turn),
            send: send.clone(),
            wake: wake.another().map_err(cannot)?,
        };
        let thread = std::thread::Builder::new().name(format!("poll {index}")).stack_size(STACK);
        thread.spawn(move || poller.run()).map_err(cannot)?;
    }
    Ok(receive)
}

struct Poller {
    client: Client,
    subject: Subject,
    index: usize,
    pace: Pace,
    turn: Arc<PollPermit>,
    send: Sender<Polled>,
    wake: Wake,
}

impl Poller {
    fn run(mut self) {
        let mut first = true;
        loop {
            let mine = self.turn.take(first.then_some(self.index));
            let client = &self.client;
            let polled = poll(&self.subject, |path| client.get(path).map(imds::Response::into_bytes));
            let retry_after = match &polled {
                Ok(Reading::Present(_)) => None,
                Ok(Reading::Unreadable(outage)) => Some(outage.retry_after),
                Err(_) => Some(None),
            };
            // Sent within the turn, so that readings come in the order of the polls.
            let sent = self.send.send((self.index, polled)).is_ok();
            self.turn.give_back(mine, first.then_some(self.index));
            first = false;
            if !sent || !self.wake.ring() {
                return;
            }
            let random = SystemClock.random();
            std::thread::sleep(match retry_after {
                None => self.pace.answered(random),
                Some(after) => self.pace.failed(after, random),
            });
        }
    }
}

/// Lets one poll at a time go ahead, the first ones in the order of the subjects, but no poll wait
/// long.
#[derive(Debug, Default)]
struct PollPermit {
    state: Mutex<TurnState>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct TurnState {
    busy: bool,
    /// How many subjects have been polled once.
    begun: usize,
}

impl PollPermit {
    /// Whether the turn is the caller's; if not, it goes ahead without.
    fn take(&self, first: Option<usize>) -> bool {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let waits = |state: &mut TurnState| state.busy || first.is_some_and(|index| state.begun < index);
        let waited = self.changed.wait_timeout_while(state, PATIENCE, waits);
        let (mut state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        !std::mem::replace(&mut state.busy, true)
    }

    fn give_back(&self, mine: bool, first: Option<usize>) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if mine {
            state.busy = false;
        }
        if let Some(index) = first {
            state.begun = state.begun.max(index + 1);
        }
        drop(state);
        self.changed.notify_all();
    }
}
