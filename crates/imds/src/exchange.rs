//! One call: a token where one is needed, the request, and once more with a new token where the first is refused.
//!
//! It does no I/O. A driver asks [`Exchange::step`] what to do, does it, and tells [`Exchange::event`] how it went.

use std::sync::Arc;

use imds_model::{MetadataPath, header};

use crate::clock::Moment;
use crate::codec::Answer;
use crate::core::Core;
use crate::error::{Error, ErrorKind};
use crate::incoming::Rest;
use crate::notice::Notice;
use crate::sender::{Request, Secretly, Sender};
use crate::session::{Entry, Landing, Ticket, Token};
use crate::settings::ImdsVersion;
use crate::step::{Event, SignalName, Step};
use crate::token_fetch::TokenFetch;
use crate::verdict;

/// What a call is for.
#[derive(Clone, Debug)]
pub(crate) enum Goal {
    /// The value at a path.
    Get(MetadataPath),
    /// The same, its body to be read as it comes: see [`Exchange::take_rest`].
    Open(MetadataPath),
    /// A session token.
    Token,
}

/// What a call brings.
#[derive(Debug)]
pub(crate) enum Success {
    Answer(Answer),
    Token(Arc<Token>),
}

#[derive(Debug)]
pub(crate) struct Exchange {
    core: Arc<Core>,
    goal: Goal,
    deadline: Moment,
    phase: Phase,
    token: Option<Arc<Token>>,
    refused: Option<Arc<Token>>,
    rest: Option<Rest>,
}

#[derive(Debug)]
enum Phase {
    Enter,
    Following { flight: u64 },
    Fetching { ticket: Option<Ticket>, fetch: Box<TokenFetch> },
    Getting(Box<Sender>),
    Done(Option<Result<Success, Error>>),
}

impl Exchange {
    pub(crate) fn new(core: Arc<Core>, goal: Goal, now: Moment) -> Self {
        let deadline = now + core.settings.deadline;
        let phase = if core.settings.disabled { Phase::Done(Some(Err(disabled()))) } else { Phase::Enter };
        Self { core, goal, deadline, phase, token: None, refused: None, rest: None }
    }

    /// The bytes of [`Step::Send`].
    pub(crate) fn outgoing(&self) -> &[u8] {
        match &self.phase {
            Phase::Fetching { fetch, .. } => fetch.outgoing(),
            Phase::Getting(sender) => sender.outgoing(),
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
                    let seen = self.core.session.landed.epoch();
                    match self.core.session.landing(flight) {
                        Landing::Over => self.phase = Phase::Enter,
                        Landing::Failed(error) => self.end(Err(error)),
                        Landing::Flying if now >= self.deadline => self.end(Err(too_late())),
                        Landing::Flying => {
                            return Step::Wait { on: Some((SignalName::Landed, seen)), until: self.deadline };
                        }
                    }
                }
                Phase::Fetching { ticket, fetch } => match fetch.step(now) {
                    Step::Done => {
                        let outcome = fetch.take();
                        if let Some(ticket) = ticket.take() {
                            ticket.land(&outcome);
                        }
                        match outcome {
                            Ok(token) => self.have_token(token),
                            Err(error) => self.end(Err(error)),
                        }
                    }
                    step => return step,
                },
                Phase::Getting(sender) => match sender.step(now) {
                    Step::Done => {
                        let outcome = sender.take();
                        self.rest = sender.take_rest();
                        self.answered(outcome);
                    }
                    step => return step,
                },
                Phase::Done(_) => return Step::Done,
            }
        }
    }

    /// Takes what the driver did.
    pub(crate) fn event(&mut self, now: Moment, event: Event<'_>) {
        match &mut self.phase {
            Phase::Fetching { fetch, .. } => fetch.event(now, event),
            Phase::Getting(sender) => sender.event(now, event),
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

    /// What is left to be read of the answer, once; it comes on the connection that the driver holds. None where all of
    /// it came at once.
    pub(crate) fn take_rest(&mut self) -> Option<Rest> {
        self.rest.take()
    }

    fn end(&mut self, result: Result<Success, Error>) {
        self.phase = Phase::Done(Some(result));
    }

    fn enter(&mut self, now: Moment) {
        if self.core.settings.version == ImdsVersion::V1 {
            return self.get();
        }
        match self.core.session.enter(now, self.refused.as_ref()) {
            Entry::Use(token) => self.have_token(token),
            Entry::Follow(flight) => self.phase = Phase::Following { flight },
            Entry::Lead(ticket) => {
                let fetch = TokenFetch::new(self.core.clone(), self.refused.clone(), self.deadline);
                self.phase = Phase::Fetching { ticket: Some(ticket), fetch: Box::new(fetch) };
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
            header: token.map(|token| (header::TOKEN, Secretly(token.secret.expose().to_owned()))),
        };
        self.phase = Phase::Getting(Box::new(Sender::new(self.core.clone(), request, self.deadline)));
    }

    fn answered(&mut self, outcome: crate::sender::Outcome) {
        let path = match &self.goal {
            Goal::Get(path) | Goal::Open(path) => path.as_str().to_owned(),
            Goal::Token => String::new(),
        };
        match verdict::of_get(&self.core, &path, outcome) {
            Ok(answer) if answer.status == 401 => self.unauthorized(&path),
            Ok(answer) => self.end(Ok(Success::Answer(answer))),
            Err(error) => self.end(Err(error)),
        }
    }

    /// The first refusal of a token drops it and starts over with a new one; the second is final.
    fn unauthorized(&mut self, path: &str) {
        match self.token.take() {
            Some(token) if self.refused.is_none() => {
                self.core.notice(&Notice::TokenRefused);
                self.refused = Some(token);
                self.phase = Phase::Enter;
            }
            _ => self.end(Err(verdict::unauthorized(&self.core, path))),
        }
    }
}

fn disabled() -> Error {
    let message =
        format!("the metadata service is disabled by environment variable `{}`", imds_model::env::DISABLED);
    Error::new(ErrorKind::Disabled, message)
}

fn too_late() -> Error {
    Error::new(ErrorKind::Unreachable, "the deadline passed while another call was fetching a session token")
        .token_fetch_context(false)
}

#[cfg(test)]
pub(crate) mod tests;
