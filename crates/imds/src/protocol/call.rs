//! One call: a token where one is needed, the request, and once more with a new token where the
//! first is refused.
//!
//! It does no I/O. A driver asks [`Call::step`] what to do, does it, and tells [`Call::event`] how
//! it went.

use std::sync::Arc;
use std::time::Duration;

use imds_model::{MetadataPath, header};

use crate::clock::Moment;
use crate::config::settings::ImdsVersion;
use crate::error::{Error, ErrorKind};
use crate::protocol::events::ClientEvent;
use crate::protocol::http::Answer;
use crate::protocol::outcome::{Outcome, RemainingBody};
use crate::protocol::request::{Request, RetryingRequest};
use crate::protocol::session::{Entry, FlightGuard, FlightStatus, Token, is_shorter};
use crate::protocol::shared::Shared;
use crate::protocol::step::{Event, NotifyName, Step};
use crate::protocol::token_fetch::TokenFetch;
use crate::protocol::{classify, retry};
use crate::secret::Redacted;

/// What a call is for.
#[derive(Clone, Debug)]
pub(crate) enum Goal {
    /// The value at a path.
    Get(MetadataPath),
    /// The same, its body to be read as it comes: see [`Call::take_remaining`].
    Open(MetadataPath),
    /// A session token.
    Token,
}

impl Goal {
    /// Returns the path that is read, if it is one.
    pub(crate) fn path(&self) -> Option<&MetadataPath> {
        match self {
            Self::Get(path) | Self::Open(path) => Some(path),
            Self::Token => None,
        }
    }
}

/// What a call brings.
#[derive(Debug)]
pub(crate) enum Success {
    Answer(Answer),
    Token(Arc<Token>),
}

#[derive(Debug)]
pub(crate) struct Call {
    shared: Arc<Shared>,
    goal: Goal,
    deadline: Moment,
    /// How long the call was given.
    given: Duration,
    phase: Phase,
    token: Option<Arc<Token>>,
    refused: Option<Arc<Token>>,
    /// How many tokens the service has refused.
    refusals: u32,
    rest: Option<RemainingBody>,
}

#[derive(Debug)]
enum Phase {
    Enter,
    Following {
        flight: u64,
    },
    Fetching {
        guard: Option<FlightGuard>,
        fetch: Box<TokenFetch>,
    },
    Getting(Box<RetryingRequest>),
    /// The service refuses the tokens that it issues: it is about to start.
    AwaitingBoot {
        until: Moment,
    },
    Done(Option<Result<Success, Error>>),
}

impl Call {
    /// A call that begins now and ends by the client's deadline, or by `until` if that is earlier.
    pub(crate) fn new(shared: Arc<Shared>, goal: Goal, until: Option<Moment>) -> Self {
        let now = shared.clock.now();
        let deadline = now + shared.settings.deadline;
        let deadline = until.map_or(deadline, |until| until.min(deadline));
        let given = deadline - now;
        let phase = match &shared.settings.disabled {
            Some(why) => Phase::Done(Some(Err(Error::new(ErrorKind::Disabled, why)))),
            None => Phase::Enter,
        };
        Self { shared, goal, deadline, given, phase, token: None, refused: None, refusals: 0, rest: None }
    }

    /// The bytes of [`Step::Send`].
    pub(crate) fn outgoing(&self) -> &[u8] {
        match &self.phase {
            Phase::Fetching { fetch, .. } => fetch.outgoing(),
            Phase::Getting(request) => request.outgoing(),
            _ => &[],
        }
    }

    /// What to do next; [`Step::Done`] once [`take`](Self::take) has the result.
    pub(crate) fn step(&mut self, now: Moment) -> Step {
        loop {
            match &mut self.phase {
                Phase::Enter => self.enter(now),
                Phase::Following { flight } => {
                    let flight = *flight;
                    let seen = self.shared.session.flight_ended.epoch();
                    match self.shared.session.status(flight) {
                        FlightStatus::Over => self.phase = Phase::Enter,
                        // A leader with less time than this call may have given up too early.
                        FlightStatus::Failed(error, given)
                            if error.kind() == ErrorKind::Unreachable && is_shorter(given, self.given) =>
                        {
                            self.phase = Phase::Enter;
                        }
                        FlightStatus::Failed(error, _) => self.end(Err(error)),
                        FlightStatus::InFlight { .. } if now >= self.deadline => self.end(Err(too_late())),
                        FlightStatus::InFlight { overdue } if now >= overdue => self.phase = Phase::Enter,
                        FlightStatus::InFlight { overdue } => {
                            let until = overdue.min(self.deadline);
                            return Step::Wait { on: Some((NotifyName::FlightEnded, seen)), until };
                        }
                    }
                }
                Phase::Fetching { guard, fetch } => match fetch.step(now) {
                    Step::Done => {
                        let outcome = fetch.take();
                        if let Some(guard) = guard.take() {
                            guard.land(&outcome, self.given);
                        }
                        match outcome {
                            Ok(token) => self.have_token(token),
                            Err(error) => self.end(Err(error)),
                        }
                    }
                    step => {
                        if let Some(guard) = guard {
                            guard.busy_until(step.until().unwrap_or(now));
                        }
                        return step;
                    }
                },
                Phase::Getting(request) => match request.step(now) {
                    Step::Done => {
                        let outcome = request.take();
                        self.rest = request.take_remaining();
                        self.answered(now, outcome);
                    }
                    step => return step,
                },
                Phase::AwaitingBoot { until } if now >= *until => self.phase = Phase::Enter,
                Phase::AwaitingBoot { until } => return Step::Wait { on: None, until: *until },
                Phase::Done(_) => return Step::Done,
            }
        }
    }

    /// Takes what the driver did.
    pub(crate) fn event(&mut self, now: Moment, event: Event<'_>) {
        match &mut self.phase {
            Phase::Fetching { fetch, .. } => fetch.event(now, event),
            Phase::Getting(request) => request.event(now, event),
            _ => {}
        }
    }

    /// The result, once.
    pub(crate) fn take(&mut self) -> Result<Success, Error> {
        let result = if let Phase::Done(result) = &mut self.phase { result.take() } else { None };
        let result = result.unwrap_or_else(|| Err(Error::new(ErrorKind::Io, "the call has no result")));
        match &self.goal {
            Goal::Get(path) | Goal::Open(path) => result.map_err(|error| error.path_context(path)),
            Goal::Token => result,
        }
    }

    /// What is left to be read of the answer, once; it comes on the connection that the driver
    /// holds. None where all of it came at once.
    pub(crate) fn take_remaining(&mut self) -> Option<RemainingBody> {
        self.rest.take()
    }

    fn end(&mut self, result: Result<Success, Error>) {
        self.phase = Phase::Done(Some(result));
    }

    fn enter(&mut self, now: Moment) {
        if self.shared.settings.version == ImdsVersion::V1 {
            return self.get();
        }
        match self.shared.session.enter(now, self.refused.as_ref(), self.shared.is_nested()) {
            Entry::Use(token) => self.have_token(token),
            Entry::Follow(flight) => self.phase = Phase::Following { flight },
            Entry::Fetch(guard) => {
                let refused = self.refused.clone();
                let mut fetch = TokenFetch::new(self.shared.clone(), refused, self.deadline, self.given);
                if guard.takes_over() {
                    fetch.without_lock();
                }
                self.phase = Phase::Fetching { guard: Some(guard), fetch: Box::new(fetch) };
            }
        }
    }

    fn have_token(&mut self, token: Arc<Token>) {
        if matches!(self.goal, Goal::Token) {
            return self.end(Ok(Success::Token(token)));
        }
        self.token = Some(token);
        self.get();
    }

    fn get(&mut self) {
        let (Goal::Get(path) | Goal::Open(path)) = &self.goal else {
            let message = "IMDSv1 has no session tokens";
            return self.end(Err(Error::new(ErrorKind::Config, message)));
        };
        let token = self.token.as_ref();
        let request = Request {
            streamed: matches!(self.goal, Goal::Open(_)),
            method: "GET",
            path: path.as_str().to_owned(),
            header: token.map(|token| (header::TOKEN, Redacted(token.secret.expose().to_owned()))),
        };
        self.phase =
            Phase::Getting(Box::new(RetryingRequest::new(self.shared.clone(), request, self.deadline)));
    }

    fn answered(&mut self, now: Moment, outcome: Outcome) {
        let path = match &self.goal {
            Goal::Get(path) | Goal::Open(path) => path.as_str().to_owned(),
            Goal::Token => String::new(),
        };
        match classify::get(&self.shared, &path, outcome) {
            Ok(answer) if answer.status == 401 => self.unauthorized(now, &path),
            Ok(answer) => self.end(Ok(Success::Answer(answer))),
            Err(error) => self.end(Err(error)),
        }
    }

    /// The first refusal of a token drops it and starts over with a new one. A further one is
    /// final, unless the machine has just started: then the service may not know its own tokens
    /// yet.
    fn unauthorized(&mut self, now: Moment, path: &str) {
        let Some(token) = self.token.take() else {
            return self.end(Err(classify::unauthorized(&self.shared, path)));
        };
        self.refusals += 1;
        self.shared.emit(&ClientEvent::TokenRefused);
        self.refused = Some(token);
        if self.refusals == 1 {
            self.phase = Phase::Enter;
            return;
        }
        let until = now + retry::boot_pause(self.refusals - 1, self.shared.clock.random());
        if !self.shared.settings.tolerates_boot(now) || until >= self.deadline {
            return self.end(Err(classify::unauthorized(&self.shared, path)));
        }
        self.phase = Phase::AwaitingBoot { until };
    }
}

fn too_late() -> Error {
    Error::new(ErrorKind::Unreachable, "the deadline passed while another call was fetching a session token")
        .token_fetch_context()
        .retryable_context(true)
}

#[cfg(test)]
pub(crate) mod scripted;
#[cfg(test)]
mod simulation;
