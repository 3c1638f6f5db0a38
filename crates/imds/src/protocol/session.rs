//! The session token that the threads and tasks of one client share, and the one flight that
//! fetches it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::clock::Moment;
use crate::error::Error;
use crate::notify::Notify;
use crate::secret::SessionToken;

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
    flight: Option<u64>,
    flights: u64,
    /// The last flight that failed, and how.
    failed: Option<(u64, Error)>,
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
    /// It is still under way.
    InFlight,
    Failed(Error),
    /// It is over: enter again, there is a token or a flight to lead.
    Over,
}

impl Session {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Enters with the token that was refused, if one was: it is dropped where it is still the one
    /// in use.
    pub(crate) fn enter(self: &Arc<Self>, now: Moment, refused: Option<&Arc<Token>>) -> Entry {
        let mut state = self.state();
        if let (Some(current), Some(refused)) = (&state.token, refused)
            && current.secret == refused.secret
        {
            state.token = None;
        }
        match (&state.token, state.flight) {
            (Some(token), _) if token.is_fresh(now) => Entry::Use(token.clone()),
            (_, Some(flight)) => Entry::Follow(flight),
            (_, None) => {
                state.flights += 1;
                state.flight = Some(state.flights);
                Entry::Fetch(FlightGuard { session: self.clone(), flight: state.flights })
            }
        }
    }

    pub(crate) fn landing(&self, flight: u64) -> FlightStatus {
        let state = self.state();
        match (&state.failed, state.flight) {
            (_, Some(current)) if current == flight => FlightStatus::InFlight,
            (Some((failed, error)), _) if *failed == flight => FlightStatus::Failed(error.clone()),
            _ => FlightStatus::Over,
        }
    }

    /// Forgets the token.
    pub(crate) fn clear(&self) {
        self.state().token = None;
    }
}

/// The duty to end a flight. Dropped without an outcome (a cancelled task), the next who enters
/// leads.
#[derive(Debug)]
pub(crate) struct FlightGuard {
    session: Arc<Session>,
    flight: u64,
}

impl FlightGuard {
    pub(crate) fn land(self, outcome: &Outcome) {
        let mut state = self.session.state();
        match outcome {
            Ok(token) => state.token = Some(token.clone()),
            Err(error) => state.failed = Some((self.flight, error.clone())),
        }
    }
}

impl Drop for FlightGuard {
    fn drop(&mut self) {
        self.session.state().flight = None;
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

    fn token(text: &str, expires: u64, ttl: u64) -> Arc<Token> {
        let secret = SessionToken::new(text.as_bytes()).unwrap();
        Arc::new(Token { secret, expires: at(expires), ttl: Duration::from_secs(ttl) })
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
        let Entry::Fetch(guard) = session.enter(at(0), None) else { panic!("the first leads") };
        let Entry::Follow(flight) = session.enter(at(0), None) else { panic!("the second follows") };
        assert!(matches!(session.landing(flight), FlightStatus::InFlight));
        guard.land(&Err(Error::new(ErrorKind::Forbidden, "turned off")));
        assert!(
            matches!(session.landing(flight), FlightStatus::Failed(error) if error.kind() == ErrorKind::Forbidden)
        );

        let Entry::Fetch(guard) = session.enter(at(0), None) else { panic!("a later caller tries again") };
        let Entry::Follow(flight) = session.enter(at(0), None) else { panic!("the second follows") };
        guard.land(&Ok(token("a", 100, 100)));
        assert!(matches!(session.landing(flight), FlightStatus::Over));
        assert!(matches!(session.enter(at(0), None), Entry::Use(used) if used.secret.expose() == "a"));
    }

    #[test]
    fn a_refused_token_is_dropped_only_while_it_is_the_one_in_use() {
        let session = Arc::new(Session::default());
        let old = token("old", 100, 100);
        let Entry::Fetch(guard) = session.enter(at(0), Some(&old)) else { panic!("there is none yet") };
        guard.land(&Ok(token("new", 100, 100)));
        assert!(
            matches!(session.enter(at(0), Some(&old)), Entry::Use(used) if used.secret.expose() == "new")
        );
        let new = token("new", 100, 100);
        assert!(matches!(session.enter(at(0), Some(&new)), Entry::Fetch(_)));
    }

    #[test]
    fn an_abandoned_flight_is_led_by_the_next() {
        let session = Arc::new(Session::default());
        let Entry::Fetch(guard) = session.enter(at(0), None) else { panic!("the first leads") };
        let Entry::Follow(flight) = session.enter(at(0), None) else { panic!("the second follows") };
        drop(guard);
        assert!(matches!(session.landing(flight), FlightStatus::Over));
        assert!(matches!(session.enter(at(0), None), Entry::Fetch(_)));
    }
}
