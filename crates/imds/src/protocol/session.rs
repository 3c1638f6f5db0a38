//! The session token that the threads and tasks of one client share, and the one flight that
//! fetches it.

use std::sync::Arc;
use std::time::Duration;

use crate::clock::Moment;
use crate::error::Error;
use crate::notify::Notify;
use crate::secret::SessionToken;
use crate::sync::{Mutex, MutexGuard, PoisonError};

/// Longest time before its expiry that a token is renewed.
const MARGIN: Duration = Duration::from_secs(120);

/// A token in use.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Token {
    pub(crate) secret: SessionToken,
    pub(crate) expires: Moment,
    pub(crate) ttl: Duration,
}

impl Token {
    /// Whether the token has life left beyond its renewal margin: 120 s, or a tenth of its TTL if
    /// that is less.
    pub(crate) fn is_fresh(&self, now: Moment) -> bool {
        now + MARGIN.min(self.ttl / 10) < self.expires
    }
}

/// How long after the leader of a flight should have acted it is taken to be gone: a task whose
/// future is not polled, a thread in a debugger.
const GRACE: Duration = Duration::from_millis(200);

/// Returns whether a fetch that had been given `fetch` may have given up too early for a call that
/// is given `call`. Calls that begin together have nearly the same time.
pub(crate) fn is_shorter(fetch: Duration, call: Duration) -> bool {
    fetch < call - call / 10
}

/// What one flight brought. A failure is shared by those who waited for it.
pub(crate) type Outcome = Result<Arc<Token>, Error>;

#[derive(Debug, Default)]
pub(crate) struct Session {
    state: Mutex<State>,
    pub(crate) flight_ended: Notify,
}

#[derive(Debug, Default)]
struct State {
    token: Option<Arc<Token>>,
    /// The flight that is under way.
    flight: Option<Flight>,
    flights: u64,
    /// The last flight that failed, how, and how long it had been given.
    failed: Option<(u64, Error, Duration)>,
}

#[derive(Clone, Copy, Debug)]
struct Flight {
    id: u64,
    /// When the leader acts next, at the latest.
    busy_until: Moment,
}

/// What a request that needs a token does next.
#[derive(Debug)]
pub(crate) enum Entry {
    Use(Arc<Token>),
    /// Fetch one, for all who come meanwhile.
    Fetch(FlightGuard),
    /// Wait for the flight.
    Follow(u64),
}

/// How the flight that was followed ended.
#[derive(Debug)]
pub(crate) enum FlightStatus {
    /// It is under way; its leader is overdue from this moment on.
    InFlight { overdue: Moment },
    /// It failed. It had been given this much time.
    Failed(Error, Duration),
    /// It is over: enter again, there is a token or a flight to lead.
    Over,
}

impl Session {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Enters with the token that was refused, if one was: it is dropped if it is still the one in
    /// use.
    ///
    /// A follower takes over the flight of a leader that is overdue. A `nested` call, made by the
    /// observer of a call that may be the leader itself, does so at once.
    pub(crate) fn enter(self: &Arc<Self>, now: Moment, refused: Option<&Arc<Token>>, nested: bool) -> Entry {
        let mut state = self.state();
        if let (Some(current), Some(refused)) = (&state.token, refused)
            && current.secret == refused.secret
        {
            state.token = None;
        }
        if let Some(token) = state.token.as_ref().filter(|token| token.is_fresh(now)) {
            return Entry::Use(token.clone());
        }
        let takes_over = match state.flight {
            Some(flight) if !nested && now < flight.busy_until + GRACE => return Entry::Follow(flight.id),
            flight => flight.is_some(),
        };
        state.flights += 1;
        let id = state.flights;
        state.flight = Some(Flight { id, busy_until: now });
        Entry::Fetch(FlightGuard { session: self.clone(), flight: id, takes_over })
    }

    pub(crate) fn status(&self, id: u64) -> FlightStatus {
        let state = self.state();
        match (&state.failed, state.flight) {
            (_, Some(flight)) if flight.id == id => {
                FlightStatus::InFlight { overdue: flight.busy_until + GRACE }
            }
            (Some((failed, error, given)), _) if *failed == id => FlightStatus::Failed(error.clone(), *given),
            _ => FlightStatus::Over,
        }
    }

    /// Forgets the token.
    pub(crate) fn clear(&self) {
        self.state().token = None;
    }
}

/// Guard held by the call that fetches the token. If it is dropped without a result (cancelled),
/// the next waiter takes over.
#[derive(Debug)]
pub(crate) struct FlightGuard {
    session: Arc<Session>,
    flight: u64,
    takes_over: bool,
}

impl FlightGuard {
    /// Returns whether the flight replaces one whose leader is gone, and may still hold its locks.
    pub(crate) fn takes_over(&self) -> bool {
        self.takes_over
    }

    /// Says when the leader acts next, at the latest.
    pub(crate) fn busy_until(&self, moment: Moment) {
        if let Some(flight) = self.session.state().flight.as_mut().filter(|flight| flight.id == self.flight) {
            flight.busy_until = moment;
        }
    }

    /// Ends the flight, which had been given this much time. A flight that was taken over still
    /// brings its token, but its failure is its own.
    pub(crate) fn land(self, outcome: &Outcome, given: Duration) {
        let mut state = self.session.state();
        let is_current = state.flight.is_some_and(|flight| flight.id == self.flight);
        match outcome {
            Ok(token) if is_current || state.token.is_none() => state.token = Some(token.clone()),
            Err(error) if is_current => state.failed = Some((self.flight, error.clone(), given)),
            _ => {}
        }
    }
}

impl Drop for FlightGuard {
    fn drop(&mut self) {
        let mut state = self.session.state();
        if state.flight.is_some_and(|flight| flight.id == self.flight) {
            state.flight = None;
        }
        drop(state);
        self.session.flight_ended.notify();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    fn at(seconds: u64) -> Moment {
        Moment::since_boot(Duration::from_secs(seconds))
    }

    const GIVEN: Duration = Duration::from_secs(10);

    fn token(text: &str, expires: u64, ttl: u64) -> Arc<Token> {
        let secret = SessionToken::new(text.as_bytes()).unwrap();
        Arc::new(Token { secret, expires: at(expires), ttl: Duration::from_secs(ttl) })
    }

    #[test]
    fn a_fetch_with_nine_tenths_of_the_time_did_not_give_up_too_early() {
        let nine = Duration::from_secs(9);
        assert!(!is_shorter(nine, GIVEN) && !is_shorter(GIVEN, GIVEN));
        assert!(is_shorter(nine - Duration::from_nanos(1), GIVEN));
    }

    #[test]
    fn renewed_120_seconds_or_a_tenth_of_the_ttl_early() {
        let six_hours = token("a", 21_600, 21_600);
        assert!(six_hours.is_fresh(at(21_479)));
        assert!(!six_hours.is_fresh(at(21_480)));
        let minute = token("a", 60, 60);
        assert!(minute.is_fresh(at(53)));
        assert!(!minute.is_fresh(at(54)));
    }

    #[test]
    fn one_leads_the_others_follow_and_share() {
        let session = Arc::new(Session::default());
        let Entry::Fetch(guard) = session.enter(at(0), None, false) else { panic!("the first leads") };
        let Entry::Follow(flight) = session.enter(at(0), None, false) else { panic!("the second follows") };
        assert!(matches!(session.status(flight), FlightStatus::InFlight { .. }));
        guard.land(&Err(Error::new(ErrorKind::Forbidden, "turned off")), GIVEN);
        assert!(
            matches!(session.status(flight), FlightStatus::Failed(error, GIVEN) if error.kind() == ErrorKind::Forbidden)
        );

        let Entry::Fetch(guard) = session.enter(at(0), None, false) else {
            panic!("a later caller tries again")
        };
        let Entry::Follow(flight) = session.enter(at(0), None, false) else { panic!("the second follows") };
        guard.land(&Ok(token("a", 100, 100)), GIVEN);
        assert!(matches!(session.status(flight), FlightStatus::Over));
        assert!(matches!(session.enter(at(0), None, false), Entry::Use(used) if used.secret.expose() == "a"));
    }

    #[test]
    fn a_refused_token_is_dropped_only_while_it_is_the_one_in_use() {
        let session = Arc::new(Session::default());
        let old = token("old", 100, 100);
        let Entry::Fetch(guard) = session.enter(at(0), Some(&old), false) else {
            panic!("there is none yet")
        };
        guard.land(&Ok(token("new", 100, 100)), GIVEN);
        assert!(
            matches!(session.enter(at(0), Some(&old), false), Entry::Use(used) if used.secret.expose() == "new")
        );
        let new = token("new", 100, 100);
        assert!(matches!(session.enter(at(0), Some(&new), false), Entry::Fetch(_)));
    }

    #[test]
    fn an_abandoned_flight_is_led_by_the_next() {
        let session = Arc::new(Session::default());
        let Entry::Fetch(guard) = session.enter(at(0), None, false) else { panic!("the first leads") };
        let Entry::Follow(flight) = session.enter(at(0), None, false) else { panic!("the second follows") };
        drop(guard);
        assert!(matches!(session.status(flight), FlightStatus::Over));
        assert!(matches!(session.enter(at(0), None, false), Entry::Fetch(_)));
    }

    #[test]
    fn a_leader_that_is_overdue_is_replaced_and_changes_nothing_any_more() {
        let session = Arc::new(Session::default());
        let Entry::Fetch(gone) = session.enter(at(0), None, false) else { panic!("the first leads") };
        gone.busy_until(at(1));
        let Entry::Follow(flight) = session.enter(at(1), None, false) else { panic!("it is not overdue") };
        let FlightStatus::InFlight { overdue } = session.status(flight) else { panic!("it is under way") };
        assert_eq!(overdue, at(1) + GRACE);
        let Entry::Fetch(guard) = session.enter(overdue, None, false) else { panic!("it is overdue") };
        assert!(guard.takes_over() && !gone.takes_over());
        assert!(matches!(session.status(flight), FlightStatus::Over));
        guard.busy_until(at(2));
        gone.busy_until(at(0));
        gone.land(&Err(Error::new(ErrorKind::Unreachable, "too late")), GIVEN);
        let Entry::Follow(second) = session.enter(at(2), None, false) else { panic!("the new one leads") };
        assert!(matches!(session.status(second), FlightStatus::InFlight { .. }));
        guard.land(&Ok(token("a", 100, 100)), GIVEN);
        assert!(matches!(session.enter(at(2), None, false), Entry::Use(used) if used.secret.expose() == "a"));
    }

    #[test]
    fn the_token_of_a_late_leader_is_used_if_there_is_no_other() {
        let session = Arc::new(Session::default());
        let Entry::Fetch(late) = session.enter(at(0), None, false) else { panic!("the first leads") };
        let Entry::Fetch(guard) = session.enter(at(9), None, false) else { panic!("it is overdue") };
        late.land(&Ok(token("late", 100, 100)), GIVEN);
        assert!(
            matches!(session.enter(at(9), None, false), Entry::Use(used) if used.secret.expose() == "late")
        );
        guard.land(&Ok(token("new", 100, 100)), GIVEN);
        assert!(
            matches!(session.enter(at(9), None, false), Entry::Use(used) if used.secret.expose() == "new")
        );
    }

    #[test]
    fn a_nested_call_does_not_wait_for_the_call_that_it_is_nested_in() {
        let session = Arc::new(Session::default());
        let Entry::Fetch(guard) = session.enter(at(0), None, false) else { panic!("the first leads") };
        guard.busy_until(at(5));
        assert!(matches!(session.enter(at(0), None, true), Entry::Fetch(nested) if nested.takes_over()));
    }
}
