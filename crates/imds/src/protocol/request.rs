//! One request, sent until it is answered for good, the attempts are used up, or the deadline has
//! passed.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use crate::clock::Moment;
use crate::protocol::events::ClientEvent;
use crate::protocol::http::{self, Answer, CodecError, Decoder};
use crate::protocol::outcome::{Failure, Outcome, RemainingBody};
use crate::protocol::rate_limit::{Admission, Permit};
use crate::protocol::retry::{self, Retry};
use crate::protocol::shared::Shared;
use crate::protocol::step::{Event, NotifyName, Step};
use crate::secret::Redacted;

/// A request, apart from where it is sent to.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) method: &'static str,
    pub(crate) path: String,
    /// One header.
    pub(crate) header: Option<(&'static str, Redacted<String>)>,
    /// The outcome is the head of a value, and its body is left to be read.
    pub(crate) streamed: bool,
}

#[derive(Debug)]
pub(crate) struct RetryingRequest {
    shared: Arc<Shared>,
    request: Request,
    deadline: Moment,
    phase: Phase,
    attempts: u32,
    endpoint: usize,
    reused: bool,
    /// A kept connection was dead: the next one is made anew, and the other kept ones are dropped.
    fresh: bool,
    /// Attempts that do not count against the limit: the service was not there yet.
    boot_refusals: u32,
    begun: Moment,
    permit: Option<Permit>,
    outgoing: Redacted<Vec<u8>>,
    retry_after: Option<Duration>,
    rest: Option<RemainingBody>,
}

#[derive(Debug)]
enum Phase {
    Permit,
    Connecting { until: Moment },
    Sending { until: Moment },
    Receiving { decoder: Decoder, until: Moment },
    Releasing { reusable: bool, then: Box<Phase> },
    Pausing { until: Moment },
    Done(Option<Result<Answer, Failure>>),
}

impl RetryingRequest {
    pub(crate) fn new(shared: Arc<Shared>, request: Request, deadline: Moment) -> Self {
        Self {
            shared,
            request,
            deadline,
            phase: Phase::Permit,
            attempts: 0,
            endpoint: 0,
            reused: false,
            fresh: false,
            boot_refusals: 0,
            begun: Moment::default(),
            permit: None,
            outgoing: Redacted(Vec::new()),
            retry_after: None,
            rest: None,
        }
    }

    /// The bytes of [`Step::Send`].
    pub(crate) fn outgoing(&self) -> &[u8] {
        &self.outgoing.0
    }

    /// What to do next; [`Step::Done`] once [`take`](Self::take) has the outcome.
    pub(crate) fn step(&mut self, now: Moment) -> Step {
        loop {
            if matches!(self.phase, Phase::Permit | Phase::Pausing { .. } | Phase::Done(_)) {
                // Only after the connection was released, so that the next request finds it.
                self.permit = None;
            }
            match &mut self.phase {
                Phase::Permit => {
                    if let Some(step) = self.take_permit(now) {
                        return step;
                    }
                }
                Phase::Connecting { until } => return Step::Connect { fresh: self.fresh, until: *until },
                Phase::Sending { until } => return Step::Send { until: *until },
                Phase::Receiving { until, .. } => return Step::Receive { until: *until },
                Phase::Releasing { reusable, then } => {
                    let reusable = *reusable;
                    self.phase = std::mem::replace(then, Phase::Done(None));
                    return Step::Release { reusable };
                }
                Phase::Pausing { until } if now >= *until => self.phase = Phase::Permit,
                Phase::Pausing { until } => return Step::Wait { on: None, until: *until },
                Phase::Done(_) => return Step::Done,
            }
        }
    }

    /// Takes a permit of the rate limit, or returns the step that waits for one.
    fn take_permit(&mut self, now: Moment) -> Option<Step> {
        let seen = self.shared.rate_limit.permit_released.epoch();
        if now >= self.deadline {
            self.phase = Phase::Done(Some(Err(Failure::NoPermit)));
            return None;
        }
        match self.shared.rate_limit.admit(now, self.shared.is_nested()) {
            Admission::Granted(permit) => {
                self.permit = Some(permit);
                self.attempts += 1;
                self.begun = now;
                self.phase =
                    Phase::Connecting { until: self.until(now, self.shared.settings.connect_timeout) };
                None
            }
            Admission::Full => {
                Some(Step::Wait { on: Some((NotifyName::PermitReleased, seen)), until: self.deadline })
            }
            Admission::At(moment) => Some(Step::Wait { on: None, until: moment.min(self.deadline) }),
        }
    }

    /// The end of a timeout that begins now, which is never behind the deadline.
    fn until(&self, now: Moment, timeout: Duration) -> Moment {
        (now + timeout).min(self.deadline)
    }

    /// Takes what the driver did.
    pub(crate) fn event(&mut self, now: Moment, event: Event<'_>) {
        let phase = std::mem::replace(&mut self.phase, Phase::Done(None));
        let read_timeout = self.shared.settings.read_timeout;
        self.phase = match (phase, event) {
            (Phase::Connecting { .. }, Event::Connected { endpoint, reused }) => {
                self.connected(endpoint, reused);
                Phase::Sending { until: self.until(now, read_timeout) }
            }
            (Phase::Sending { .. }, Event::Sent) => {
                let limit = self.shared.settings.body_limit;
                let decoder =
                    if self.request.streamed { Decoder::streaming(limit) } else { Decoder::new(limit) };
                Phase::Receiving { decoder, until: self.until(now, read_timeout) }
            }
            (Phase::Receiving { mut decoder, .. }, Event::Received(bytes)) => {
                let received =
                    if bytes.is_empty() { decoder.finish().map(Some) } else { decoder.receive(bytes) };
                match received {
                    Ok(None) if decoder.opened().is_some() => self.opened(now, decoder),
                    Ok(None) => Phase::Receiving { decoder, until: self.until(now, read_timeout) },
                    Ok(Some(answer)) => self.answered(now, answer),
                    Err(error) => self.undecodable(now, error),
                }
            }
            (Phase::Connecting { .. }, Event::Failed(error)) => {
                let failure = match error.kind() {
                    io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock => Failure::ConnectTimeout,
                    io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionAborted => Failure::Lost(error),
                    _ => Failure::CannotConnect(error),
                };
                self.failed(now, failure, false)
            }
            (Phase::Sending { .. }, Event::Failed(error)) => self.lost(now, error, false),
            (Phase::Receiving { decoder, .. }, Event::Failed(error)) => {
                self.lost(now, error, decoder.has_begun())
            }
            // A driver that tells what it was not asked for does not change what is to be done.
            (phase, _) => phase,
        };
    }

    fn connected(&mut self, endpoint: usize, reused: bool) {
        self.endpoint = endpoint;
        self.reused = reused;
        let settings = &self.shared.settings;
        let Some(endpoint) = settings.endpoint.endpoints().get(endpoint) else { return };
        if reused {
            if let Some(permit) = &self.permit {
                permit.reused_connection();
            }
        } else {
            self.shared.emit(&ClientEvent::Connected { endpoint: &endpoint.to_string() });
        }
        let target = format!("{}{}", endpoint.prefix(), self.request.path);
        let header = self.request.header.as_ref().map(|(name, value)| (*name, &*value.0));
        self.outgoing =
            Redacted(http::request(self.request.method, &target, &endpoint.authority(), header.as_slice()));
    }

    fn answered(&mut self, now: Moment, answer: Answer) -> Phase {
        let reusable = answer.reusable;
        let delay = answer
            .retry_after
            .as_deref()
            .and_then(|value| retry::retry_after(value, self.shared.clock.wall()));
        self.retry_after = delay;
        let status = answer.status;
        self.emit_answered(now, status);
        if status == 408 && self.reused {
            // A proxy had given up on the idle connection before the request reached it (RFC 9110,
            // section 15.5.9).
            return self.try_fresh();
        }
        let then = if retry::of_status(status) == Retry::Backoff {
            self.pause_or(now, &format!("answered {status}"), delay, Ok(answer))
        } else {
            Phase::Done(Some(Ok(answer)))
        };
        Phase::Releasing { reusable, then: Box::new(then) }
    }

    fn emit_answered(&self, now: Moment, status: u16) {
        let (method, path) = (self.request.method, &*self.request.path);
        let elapsed = now - self.begun;
        self.shared.emit(&ClientEvent::Answered { method, path, status, elapsed, reused: self.reused });
    }

    /// Sends the request again at once over a new connection. It never reached the service, so that
    /// this is the same attempt.
    fn try_fresh(&mut self) -> Phase {
        self.attempts -= 1;
        self.fresh = true;
        Phase::Releasing { reusable: false, then: Box::new(Phase::Permit) }
    }

    /// The head of a value has come. Nothing is repeated from here on, and the connection and the
    /// turn are the reader's.
    fn opened(&mut self, now: Moment, decoder: Decoder) -> Phase {
        let head = decoder.opened();
        self.emit_answered(now, 200);
        self.retry_after = None;
        self.rest = Some(RemainingBody { decoder, _permit: self.permit.take(), endpoint: self.endpoint });
        Phase::Done(head.map(Ok))
    }

    /// What is left to be read of the outcome, once.
    pub(crate) fn take_remaining(&mut self) -> Option<RemainingBody> {
        self.rest.take()
    }

    fn undecodable(&mut self, now: Moment, error: CodecError) -> Phase {
        let failure = match error {
            CodecError::Nothing => return self.lost(now, io::ErrorKind::UnexpectedEof.into(), false),
            CodecError::Truncated => Failure::Truncated,
            CodecError::TooLarge => Failure::TooLarge,
            CodecError::Malformed(reason) => Failure::Malformed(reason),
        };
        self.failed(now, failure, true)
    }

    /// The connection failed while it was used.
    fn lost(&mut self, now: Moment, error: io::Error, begun: bool) -> Phase {
        let timed_out = matches!(error.kind(), io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock);
        if self.reused && !begun {
            // The service closed the kept connection just before it was used, or a firewall has
            // forgotten it.
            return self.try_fresh();
        }
        self.failed(now, if timed_out { Failure::Stalled } else { Failure::Lost(error) }, true)
    }

    fn failed(&mut self, now: Moment, failure: Failure, connected: bool) -> Phase {
        self.retry_after = None;
        let then = match retry::of_failure(&failure) {
            Retry::Backoff => self.pause_or(now, failure.reason(), None, Err(failure)),
            Retry::Later if self.shared.settings.tolerates_boot(now) => self.await_boot(now, failure),
            Retry::Later | Retry::Never => Phase::Done(Some(Err(failure))),
        };
        if connected { Phase::Releasing { reusable: false, then: Box::new(then) } } else { then }
    }

    /// Pauses until the service may be there, or ends with the failure if it would be too late.
    fn await_boot(&mut self, now: Moment, failure: Failure) -> Phase {
        self.boot_refusals += 1;
        let pause = retry::boot_pause(self.boot_refusals, self.shared.clock.random());
        if now + pause >= self.deadline {
            return Phase::Done(Some(Err(failure)));
        }
        self.emit_retry(failure.reason(), pause);
        Phase::Pausing { until: now + pause }
    }

    fn emit_retry(&self, reason: &str, pause: Duration) {
        let (method, path) = (self.request.method, &*self.request.path);
        let attempt = self.attempts + 1;
        self.shared.emit(&ClientEvent::Retry { method, path, attempt, reason, pause });
    }

    /// Pauses before another attempt, or ends with the result where none is left or it would come
    /// too late.
    fn pause_or(
        &mut self,
        now: Moment,
        reason: &str,
        asked: Option<Duration>,
        result: Result<Answer, Failure>,
    ) -> Phase {
        let next = self.attempts - self.boot_refusals + 1;
        let pause = retry::pause(next, self.shared.clock.random()).max(asked.unwrap_or_default());
        let until = now + pause;
        if next > self.shared.settings.attempts || until >= self.deadline {
            return Phase::Done(Some(result));
        }
        self.emit_retry(reason, pause);
        Phase::Pausing { until }
    }

    /// The outcome, once.
    pub(crate) fn take(&mut self) -> Outcome {
        let Phase::Done(result) = &mut self.phase else {
            return self.outcome(Err(Failure::NoPermit));
        };
        let result = result.take().unwrap_or(Err(Failure::NoPermit));
        self.outcome(result)
    }

    fn outcome(&self, result: Result<Answer, Failure>) -> Outcome {
        Outcome {
            result,
            attempts: self.attempts,
            endpoint: self.endpoint,
            retry_after: self.retry_after,
            begun: self.begun,
        }
    }
}
