//! One fetch of a session token: from the store, from another process's fetch, or from the service.

use std::sync::Arc;
use std::time::Duration;

use imds_model::{header, well_known};
use zeroize::Zeroize as _;

use crate::clock::{BootId, Moment};
use crate::error::{Error, ErrorKind};
use crate::protocol::events::ClientEvent;
use crate::protocol::http::Answer;
use crate::protocol::request::{Request, RetryingRequest};
use crate::protocol::session::{Outcome, Token, is_shorter};
use crate::protocol::shared::Shared;
use crate::protocol::step::{Event, Step};
use crate::protocol::{classify, retry};
use crate::secret::{Redacted, SessionToken};
use crate::store::{FetchFailure, FetchLock, StoreError, StoredToken, TokenStore};

/// First pause between two looks at a store in which someone else leads.
const FIRST_LOOK: Duration = Duration::from_millis(1);
/// Longest pause between two looks.
const LONGEST_LOOK: Duration = Duration::from_millis(250);
/// The share of the time waited so far that may pass until the next look: a wait is at most that
/// much longer than it had to be, and a thousand processes that wait do not take the processor from
/// the one that fetches.
const LOOK_SHARE: u32 = 4;

#[derive(Debug)]
pub(crate) struct TokenFetch {
    shared: Arc<Shared>,
    /// The token that the service has just refused, if that is why a new one is fetched.
    refused: Option<Arc<Token>>,
    deadline: Moment,
    /// How long the call was given.
    given: Duration,
    /// Whether the store's lock is left alone: the leader that is replaced may hold it.
    ignores_lock: bool,
    /// The store, and which start of the machine its tokens have to belong to.
    store: Option<(Arc<dyn TokenStore>, BootId)>,
    lock: Option<Box<dyn FetchLock>>,
    phase: Phase,
}

#[derive(Debug)]
enum Phase {
    Begin,
    /// Someone else has led since this moment; look again in a while, but not for ever.
    Queued {
        since: Moment,
        look: Moment,
        patience: Moment,
    },
    Asking(Box<RetryingRequest>),
    Done(Option<Outcome>),
}

impl TokenFetch {
    pub(crate) fn new(
        shared: Arc<Shared>,
        refused: Option<Arc<Token>>,
        deadline: Moment,
        given: Duration,
    ) -> Self {
        if shared.store.is_some() && shared.boot_id.is_none() {
            let error = StoreError::new("the boot id of this machine cannot be read");
            shared.emit(&ClientEvent::StoreUnavailable { error: &error });
        }
        let store = shared.store.clone().zip(shared.boot_id.clone());
        Self { shared, refused, deadline, given, ignores_lock: false, store, lock: None, phase: Phase::Begin }
    }

    /// Fetches without the store's lock. The token is stored nevertheless.
    pub(crate) fn without_lock(&mut self) {
        self.ignores_lock = true;
    }

    pub(crate) fn outgoing(&self) -> &[u8] {
        match &self.phase {
            Phase::Asking(request) => request.outgoing(),
            _ => &[],
        }
    }

    pub(crate) fn step(&mut self, now: Moment) -> Step {
        loop {
            match &mut self.phase {
                Phase::Begin => self.begin(now),
                Phase::Queued { look, .. } if now < *look => return Step::Wait { on: None, until: *look },
                Phase::Queued { .. } => self.look_again(now),
                Phase::Asking(request) => match request.step(now) {
                    Step::Done => self.asked(now),
                    step => return step,
                },
                Phase::Done(_) => return Step::Done,
            }
        }
    }

    pub(crate) fn event(&mut self, now: Moment, event: Event<'_>) {
        if let Phase::Asking(request) = &mut self.phase {
            request.event(now, event);
        }
    }

    /// The outcome, once.
    pub(crate) fn take(&mut self) -> Outcome {
        let outcome = if let Phase::Done(outcome) = &mut self.phase { outcome.take() } else { None };
        outcome.unwrap_or_else(|| Err(Error::new(ErrorKind::Io, "the token fetch has no outcome")))
    }

    fn begin(&mut self, now: Moment) {
        if self.use_stored(now) {
            return;
        }
        if self.ignores_lock {
            return self.ask();
        }
        match self.try_lock() {
            Some(None) => {
                self.shared.emit(&ClientEvent::WaitingForOther);
                // Half the time that is left: who leads and is stopped must not take all of it.
                let patience = now + (self.deadline - now) / 2;
                self.phase = Phase::Queued { since: now, look: (now + FIRST_LOOK).min(patience), patience };
            }
            Some(Some(lock)) => self.fetch_or_use(now, lock),
            None => self.ask(),
        }
    }

    fn look_again(&mut self, now: Moment) {
        let Phase::Queued { since, patience, .. } = self.phase else { return };
        if self.use_stored(now) || self.share_failure(since) {
            return;
        }
        if now >= patience {
            self.without_store(&StoreError::new("who fetches a token for all does not get done"));
            return self.ask();
        }
        match self.try_lock() {
            Some(None) => {
                let pause = ((now - since) / LOOK_SHARE).clamp(FIRST_LOOK, LONGEST_LOOK);
                self.phase = Phase::Queued { since, look: (now + pause).min(patience), patience };
            }
            Some(Some(lock)) if self.share_failure(since) => drop(lock),
            Some(Some(lock)) => self.fetch_or_use(now, lock),
            None => self.ask(),
        }
    }

    /// Leads, unless someone has led and flight_ended between the look at the store and now.
    fn fetch_or_use(&mut self, now: Moment, lock: Box<dyn FetchLock>) {
        if self.use_stored(now) {
            return;
        }
        self.lock = Some(lock);
        self.ask();
    }

    /// Asks to lead; `None` where there is no store to lead in.
    fn try_lock(&mut self) -> Option<Option<Box<dyn FetchLock>>> {
        let (store, _) = self.store.as_ref()?;
        match store.try_lock(&self.shared.key) {
            Ok(lock) => Some(lock),
            Err(error) => {
                self.without_store(&error);
                None
            }
        }
    }

    /// Ends with the stored token where that is fresh, of this boot, and not the one that was
    /// refused.
    fn use_stored(&mut self, now: Moment) -> bool {
        let Some((store, boot_id)) = &self.store else { return false };
        let stored = match store.load(&self.shared.key) {
            Ok(Some(stored)) if stored.boot_id == *boot_id => stored,
            Ok(_) => return false,
            // What is in the way of reading is replaced by saving, where the store can be written.
            Err(error) => {
                self.shared.emit(&ClientEvent::StoreUnavailable { error: &error });
                return false;
            }
        };
        let token = Token { secret: stored.token, expires: stored.expires, ttl: stored.ttl };
        let refused = self.refused.as_ref().is_some_and(|refused| refused.secret == token.secret);
        // The token may have been stored after `now` was read: a process can be stopped in between.
        let now = now.max(self.shared.clock.now());
        // A token cannot have more life left than its TTL: whatever says so is not of this boot
        // clock.
        let plausible = token.expires <= now + token.ttl;
        if refused || !plausible || !token.is_fresh(now) {
            return false;
        }
        self.shared.emit(&ClientEvent::TokenFromStore);
        self.phase = Phase::Done(Some(Ok(Arc::new(token))));
        true
    }

    /// Ends with the failure of the flight that was waited for, where it failed after this one
    /// began to wait.
    fn share_failure(&mut self, since: Moment) -> bool {
        let Some((store, boot_id)) = &self.store else { return false };
        let Ok(Some(failure)) = store.last_failure(&self.shared.key) else { return false };
        // A process with less time than this one may have given up too early.
        let gave_up_early = failure.kind == ErrorKind::Unreachable && is_shorter(failure.given, self.given);
        if failure.boot_id != *boot_id || failure.at < since || gave_up_early {
            return false;
        }
        self.phase = Phase::Done(Some(Err(shared(&self.shared, &failure))));
        true
    }

    fn without_store(&mut self, error: &StoreError) {
        self.shared.emit(&ClientEvent::StoreUnavailable { error });
        self.store = None;
    }

    fn ask(&mut self) {
        let ttl = self.shared.settings.token_ttl_seconds.to_string();
        let request = Request {
            streamed: false,
            method: "PUT",
            path: well_known::TOKEN_PATH.to_owned(),
            header: Some((header::TOKEN_TTL, Redacted(ttl))),
        };
        self.phase =
            Phase::Asking(Box::new(RetryingRequest::new(self.shared.clone(), request, self.deadline)));
    }

    fn asked(&mut self, now: Moment) {
        let Phase::Asking(request) = &mut self.phase else { return };
        let outcome = request.take();
        let begun = outcome.begun;
        let fetched = classify::token_put(&self.shared, outcome).and_then(|mut answer| {
            let accepted = self.accept(&answer, begun);
            answer.body.zeroize();
            accepted
        });
        if let Err(error) = &fetched {
            self.report(now, error);
        }
        self.lock = None;
        self.phase = Phase::Done(Some(fetched));
    }

    /// The token in the answer, kept in the store where its life is known.
    fn accept(&mut self, answer: &Answer, begun: Moment) -> Outcome {
        let secret = SessionToken::new(&answer.body).ok_or_else(classify::no_token)?;
        let asked = u64::from(self.shared.settings.token_ttl_seconds);
        let granted = answer.ttl.as_deref().and_then(|ttl| ttl.trim().parse::<u64>().ok());
        // The life is counted from before the request, and never beyond what was asked for.
        let ttl = Duration::from_secs(granted.unwrap_or(asked).min(asked));
        let token = Arc::new(Token { secret, expires: begun + ttl, ttl });
        if granted.is_none() {
            self.shared.emit(&ClientEvent::TokenWithoutTtl);
            return Ok(token);
        }
        self.shared.emit(&ClientEvent::TokenFetched { ttl });
        if let Some((store, boot_id)) = &self.store {
            let stored = StoredToken {
                token: token.secret.clone(),
                boot_id: boot_id.clone(),
                expires: token.expires,
                ttl: token.ttl,
            };
            if let Err(error) = store.save(&self.shared.key, &stored) {
                self.shared.emit(&ClientEvent::StoreUnavailable { error: &error });
            }
        }
        Ok(token)
    }

    /// Tells those who wait for this flight that it failed.
    fn report(&mut self, now: Moment, error: &Error) {
        let (Some(lock), Some((_, boot_id))) = (&mut self.lock, &self.store) else { return };
        let failure = FetchFailure {
            at: now,
            boot_id: boot_id.clone(),
            kind: error.kind(),
            status: error.status(),
            stalled: error.is_stalled_token_fetch(),
            given: self.given,
        };
        if let Err(error) = lock.record_failure(&failure) {
            self.shared.emit(&ClientEvent::StoreUnavailable { error: &error });
        }
    }
}

/// The error of a flight that another process flew.
fn shared(shared: &Shared, failure: &FetchFailure) -> Error {
    let endpoint = &shared.settings.endpoint;
    let what = match (failure.stalled, failure.status) {
        (true, _) => "it was never answered".to_owned(),
        (false, Some(status)) => format!("it was answered with {status}"),
        (false, None) => "it came to nothing".to_owned(),
    };
    let message =
        format!("another process asked `{endpoint}` for a session token on behalf of this one, and {what}");
    let error = Error::new(failure.kind, message).token_fetch_context();
    let error = if failure.stalled { error.stalled_context() } else { error };
    match failure.status {
        Some(status) => {
            error.status_context(status).retryable_context(retry::of_status(status).is_retryable())
        }
        None => error.retryable_context(failure.kind == ErrorKind::Unreachable),
    }
}
