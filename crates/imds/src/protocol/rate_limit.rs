//! How much of the interface a client may use: requests in flight, and packets per second.
//!
//! An interface may send 1,024 packets a second to IMDS, DNS and NTP together; what is beyond is
//! dropped silently (EC2 User Guide, "Access instance metadata", query throttling;
//! amazonlinux/amazon-ec2-net-utils#120).

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::clock::Moment;
use crate::notify::Notify;

/// Most requests of one client in flight.
pub(crate) const IN_FLIGHT: usize = 4;
/// Most packets of one client in any second: half of what the interface may send.
pub(crate) const PACKETS_PER_SECOND: u32 = 512;
/// Packets sent for a request on a new connection: SYN, ACK, request, ACK of the answer, FIN, ACK.
const PACKETS_NEW: u32 = 6;
/// Packets sent for a request on a connection that is already there: request and ACK of the answer.
const PACKETS_REUSED: u32 = 2;

const WINDOW: Duration = Duration::from_secs(1);

/// The requests and packets of one client.
#[derive(Debug, Default)]
pub(crate) struct RateLimit {
    state: Mutex<State>,
    pub(crate) permit_released: Notify,
}

#[derive(Debug, Default)]
struct State {
    in_flight: usize,
    /// When packets were spent in the last second, and how many.
    spent: VecDeque<(Moment, u32)>,
}

/// The right to one request in flight; it ends when dropped.
#[derive(Debug)]
pub(crate) struct Permit(Arc<RateLimit>);

/// Whether a request may go out.
#[derive(Debug)]
pub(crate) enum Admission {
    Granted(Permit),
    /// Too many are in flight: wait until one is through.
    Full,
    /// Too many packets in the last second: wait until then.
    At(Moment),
}

impl RateLimit {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns a permit for a request now. A `nested` request, of the observer of a call that has a
    /// permit, does not wait for the others.
    pub(crate) fn admit(self: &Arc<Self>, now: Moment, nested: bool) -> Admission {
        let mut state = self.state();
        if state.in_flight >= IN_FLIGHT && !nested {
            return Admission::Full;
        }
        while state.spent.front().is_some_and(|(at, _)| *at + WINDOW <= now) {
            state.spent.pop_front();
        }
        let mut room = PACKETS_PER_SECOND;
        for (_, packets) in &state.spent {
            room = room.saturating_sub(*packets);
        }
        if room < PACKETS_NEW {
            let oldest = state.spent.front().map_or(now, |(at, _)| *at);
            return Admission::At(oldest + WINDOW);
        }
        // Whether a connection is there is known later; until then the dearer case is assumed.
        state.spent.push_back((now, PACKETS_NEW));
        state.in_flight += 1;
        Admission::Granted(Permit(self.clone()))
    }
}

impl Permit {
    /// Gives back what a request on a connection that was already there does not cost.
    pub(crate) fn reused_connection(&self) {
        if let Some((_, packets)) =
            self.0.state().spent.iter_mut().rev().find(|(_, packets)| *packets == PACKETS_NEW)
        {
            *packets = PACKETS_REUSED;
        }
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.in_flight = state.in_flight.saturating_sub(1);
        drop(state);
        self.0.permit_released.notify();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(milliseconds: u64) -> Moment {
        Moment::since_boot(Duration::from_millis(milliseconds))
    }

    #[test]
    fn four_in_flight() {
        let rate_limit = Arc::new(RateLimit::default());
        let permits: Vec<_> = (0..IN_FLIGHT).map(|_| rate_limit.admit(at(0), false)).collect();
        assert!(permits.iter().all(|admission| matches!(admission, Admission::Granted(_))));
        assert!(matches!(rate_limit.admit(at(0), false), Admission::Full));
        drop(permits);
        assert!(matches!(rate_limit.admit(at(0), false), Admission::Granted(_)));
    }

    /// Asks for a permit every millisecond for ten seconds and counts the packets of the fullest
    /// second.
    fn fullest_second(reused: bool) -> (u32, usize) {
        let rate_limit = Arc::new(RateLimit::default());
        let mut sent = Vec::new();
        for millisecond in 0..10_000 {
            while let Admission::Granted(permit) = rate_limit.admit(at(millisecond), false) {
                if reused {
                    permit.reused_connection();
                }
                sent.push(millisecond);
            }
        }
        let cost = if reused { PACKETS_REUSED } else { PACKETS_NEW };
        let in_second = |from: &u64| sent.iter().filter(|at| (*from..*from + 1000).contains(*at)).count();
        let fullest = sent.iter().step_by(25).map(in_second).max().unwrap();
        (u32::try_from(fullest).unwrap() * cost, sent.len())
    }

    #[test]
    fn never_more_than_the_limit_in_any_second() {
        let (packets, requests) = fullest_second(false);
        assert!(packets <= PACKETS_PER_SECOND, "{packets}");
        assert_eq!(requests, 850, "85 new connections a second are made use of");
        let (packets, requests) = fullest_second(true);
        assert!(packets <= PACKETS_PER_SECOND, "{packets}");
        assert!(requests >= 2_500, "{requests}");
    }
}
