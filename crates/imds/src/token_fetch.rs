//! One flight for a session token: out of the store, from whoever else is fetching one, or from the service.

use std::sync::Arc;
use std::time::Duration;

use imds_model::{header, well_known};

use crate::clock::{BootId, Moment};
use crate::codec::Answer;
use crate::core::Core;
use crate::error::{Error, ErrorKind};
use crate::notice::Notice;
use crate::secret::SessionToken;
use crate::sender::{Request, Secretly, Sender};
use crate::session::{Outcome, Token};
use crate::step::{Event, Step};
use crate::store::{FlightFailure, Lead, Leadership, StoreError, StoredToken, TokenStore};
use crate::verdict;

/// First pause between two looks at a store in which someone else leads.
const FIRST_LOOK: Duration = Duration::from_millis(1);
/// Longest pause between two looks.
const LONGEST_LOOK: Duration = Duration::from_millis(250);
/// The share of the time waited so far that may pass until the next look: a wait is at most that much longer than it
/// had to be, and a thousand processes that wait do not take the processor from the one that fetches.
const LOOK_SHARE: u32 = 4;

#[derive(Debug)]
pub(crate) struct TokenFetch {
    core: Arc<Core>,
    /// The token that the service has just refused, if that is why a new one is fetched.
    refused: Option<Arc<Token>>,
    deadline: Moment,
    /// The store, and which start of the machine its tokens have to belong to.
    store: Option<(Arc<dyn TokenStore>, BootId)>,
    lead: Option<Box<dyn Leadership>>,
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
    Asking(Box<Sender>),
    Done(Option<Outcome>),
}

impl TokenFetch {
    pub(crate) fn new(core: Arc<Core>, refused: Option<Arc<Token>>, deadline: Moment) -> Self {
        let boot_id = core.store.as_ref().and_then(|_| core.clock.boot_id());
        let store = core.store.clone().zip(boot_id);
        Self { core, refused, deadline, store, lead: None, phase: Phase::Begin }
    }

    pub(crate) fn outgoing(&self) -> &[u8] {
        match &self.phase {
            Phase::Asking(sender) => sender.outgoing(),
            _ => &[],
        }
    }

    pub(crate) fn step(&mut self, now: Moment) -> Step {
        loop {
            match &mut self.phase {
                Phase::Begin => self.begin(now),
                Phase::Queued { look, .. } if now < *look => return Step::Wait { on: None, until: *look },
                Phase::Queued { .. } => self.look_again(now),
                Phase::Asking(sender) => match sender.step(now) {
                    Step::Done => self.asked(now),
                    step => return step,
                },
                Phase::Done(_) => return Step::Done,
            }
        }
    }

    pub(crate) fn event(&mut self, now: Moment, event: Event<'_>) {
        if let Phase::Asking(sender) = &mut self.phase {
            sender.event(now, event);
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
        match self.try_lead() {
            Some(Lead::Busy) => {
                self.core.notice(&Notice::WaitingForOther);
                // Half the time that is left: who leads and is stopped must not take all of it.
                let patience = now + (self.deadline - now) / 2;
                self.phase = Phase::Queued { since: now, look: now + FIRST_LOOK, patience };
            }
            Some(Lead::Mine(lead)) => self.lead_or_use(now, lead),
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
        match self.try_lead() {
            Some(Lead::Busy) => {
                let pause = ((now - since) / LOOK_SHARE).clamp(FIRST_LOOK, LONGEST_LOOK);
                self.phase = Phase::Queued { since, look: (now + pause).min(patience), patience };
            }
            Some(Lead::Mine(lead)) if self.share_failure(since) => drop(lead),
            Some(Lead::Mine(lead)) => self.lead_or_use(now, lead),
            None => self.ask(),
        }
    }

    /// Leads, unless someone has led and landed between the look at the store and now.
    fn lead_or_use(&mut self, now: Moment, lead: Box<dyn Leadership>) {
        if self.use_stored(now) {
            return;
        }
        self.lead = Some(lead);
        self.ask();
    }

    /// Asks to lead; `None` where there is no store to lead in.
    fn try_lead(&mut self) -> Option<Lead> {
        let (store, _) = self.store.as_ref()?;
        match store.try_lead(&self.core.key) {
            Ok(lead) => Some(lead),
            Err(error) => {
                self.without_store(&error);
                None
            }
        }
    }

    /// Ends with the stored token where that is fresh, of this boot, and not the one that was refused.
    fn use_stored(&mut self, now: Moment) -> bool {
        let Some((store, boot_id)) = &self.store else { return false };
        let stored = match store.load(&self.core.key) {
            Ok(Some(stored)) if stored.boot_id == *boot_id => stored,
            Ok(_) => return false,
            // What is in the way of reading is replaced by saving, where the store can be written.
            Err(error) => {
                self.core.notice(&Notice::StoreUnavailable { error: &error });
                return false;
            }
        };
        let token = Token { secret: stored.token, expires: stored.expires, ttl: stored.ttl };
        let refused = self.refused.as_ref().is_some_and(|refused| refused.secret == token.secret);
        // A token cannot have more life left than its TTL: whatever says so is not of this boot clock.
        let plausible = token.expires <= now + token.ttl;
        if refused || !plausible || !token.is_fresh(now) {
            return false;
        }
        self.core.notice(&Notice::TokenFromStore);
        self.phase = Phase::Done(Some(Ok(Arc::new(token))));
        true
    }

    /// Ends with the failure of the flight that was waited for, where it failed after this one began to wait.
    fn share_failure(&mut self, since: Moment) -> bool {
        let Some((store, boot_id)) = &self.store else { return false };
        let Ok(Some(failure)) = store.last_failure(&self.core.key) else { return false };
        if failure.boot_id != *boot_id || failure.at < since {
            return false;
        }
        self.phase = Phase::Done(Some(Err(shared(&self.core, &failure))));
        true
    }

    fn without_store(&mut self, error: &StoreError) {
        self.core.notice(&Notice::StoreUnavailable { error });
        self.store = None;
    }

    fn ask(&mut self) {
        let ttl = self.core.settings.token_ttl_seconds.to_string();
        let request = Request {
            streamed: false,
            method: "PUT",
            path: well_known::TOKEN_PATH.to_owned(),
            header: Some((header::TOKEN_TTL, Secretly(ttl))),
        };
        self.phase = Phase::Asking(Box::new(Sender::new(self.core.clone(), request, self.deadline)));
    }

    fn asked(&mut self, now: Moment) {
        let Phase::Asking(sender) = &mut self.phase else { return };
        let outcome = sender.take();
        let begun = outcome.begun;
        let fetched =
            verdict::of_token_put(&self.core, outcome).and_then(|answer| self.accept(&answer, begun));
        if let Err(error) = &fetched {
            self.report(now, error);
        }
        self.lead = None;
        self.phase = Phase::Done(Some(fetched));
    }

    /// The token in the answer, kept in the store where its life is known.
    fn accept(&mut self, answer: &Answer, begun: Moment) -> Outcome {
        let secret = SessionToken::new(&answer.body).ok_or_else(verdict::no_token)?;
        let asked = u64::from(self.core.settings.token_ttl_seconds);
        let granted = answer.ttl.as_deref().and_then(|ttl| ttl.trim().parse::<u64>().ok());
        // The life is counted from before the request, and never beyond what was asked for.
        let ttl = Duration::from_secs(granted.unwrap_or(asked).min(asked));
        let token = Arc::new(Token { secret, expires: begun + ttl, ttl });
        if granted.is_none() {
            self.core.notice(&Notice::TokenWithoutTtl);
            return Ok(token);
        }
        self.core.notice(&Notice::TokenFetched { ttl });
        if let Some((store, boot_id)) = &self.store {
            let stored = StoredToken {
                token: token.secret.clone(),
                boot_id: boot_id.clone(),
                expires: token.expires,
                ttl: token.ttl,
            };
            if let Err(error) = store.save(&self.core.key, &stored) {
                self.core.notice(&Notice::StoreUnavailable { error: &error });
            }
        }
        Ok(token)
    }

    /// Tells those who wait for this flight that it failed.
    fn report(&mut self, now: Moment, error: &Error) {
        let (Some(lead), Some((_, boot_id))) = (&mut self.lead, &self.store) else { return };
        let failure = FlightFailure {
            at: now,
            boot_id: boot_id.clone(),
            kind: error.kind(),
            status: error.status(),
            stalled: error.is_stalled_token_fetch(),
        };
        if let Err(error) = lead.report(&failure) {
            self.core.notice(&Notice::StoreUnavailable { error: &error });
        }
    }
}

/// The error of a flight that another process flew.
fn shared(core: &Core, failure: &FlightFailure) -> Error {
    let endpoint = &core.settings.endpoint;
    let what = match (failure.stalled, failure.status) {
        (true, _) => "it was never answered".to_owned(),
        (false, Some(status)) => format!("it was answered with {status}"),
        (false, None) => "it came to nothing".to_owned(),
    };
    let message =
        format!("another process asked `{endpoint}` for a session token on behalf of this one, and {what}");
    let error = Error::new(failure.kind, message).token_fetch_context(failure.stalled);
    match failure.status {
        Some(status) => error.status_context(status),
        None => error,
    }
}
