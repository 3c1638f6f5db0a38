//! The client's session and its notification in every interleaving of their threads, by loom.
//!
//! It compiles the client's own files with loom's locks instead of the standard library's. No wait
//! times out there, so that a notification that is missed once is a deadlock, which loom reports.
#![forbid(unsafe_code)]

mod clock {
    pub(crate) use imds::Moment;
}
mod error {
    pub(crate) use imds::Error;
}
mod secret {
    pub(crate) use imds::SessionToken;
}
mod sync {
    pub(crate) use loom::sync::{Condvar, Mutex, MutexGuard};
    pub(crate) use std::sync::PoisonError;
}
#[allow(dead_code, reason = "the client uses the rest")]
#[path = "../../crates/imds/src/notify.rs"]
mod notify;
#[allow(dead_code, reason = "the client uses the rest")]
#[path = "../../crates/imds/src/protocol/session.rs"]
mod session;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use clock::Moment;
use error::Error;
use loom::thread;
use secret::SessionToken;
use session::{Entry, FlightGuard, FlightStatus, Session, Token};

const GIVEN: Duration = Duration::from_secs(10);

fn at(seconds: u64) -> Moment {
    Moment::since_boot(Duration::from_secs(seconds))
}

fn token(text: &str) -> Arc<Token> {
    let secret = SessionToken::new(text.as_bytes()).expect("a token");
    Arc::new(Token { secret, expires: at(21_600), ttl: Duration::from_secs(21_600) })
}

fn failure() -> Error {
    // Any error of the library's own.
    imds::Client::builder()
        .environment(imds::EmptyEnvironment)
        .endpoint("ftp://x")
        .build()
        .expect_err("no such scheme")
}

/// What a thread that leads does with its flight.
type Leader = fn(FlightGuard, &Counts) -> Option<()>;

/// How a call ended.
type Ended = Result<Arc<Token>, ()>;

#[derive(Default)]
struct Counts {
    led: AtomicUsize,
}

/// A call, as `protocol/call.rs` makes it: lead, follow, or use. Returns the token, or that the
/// flight which it followed or led failed.
fn call(session: &Arc<Session>, refused: Option<&Arc<Token>>, counts: &Counts, lead: Leader) -> Ended {
    loop {
        match session.enter(at(1), refused, false) {
            Entry::Use(token) => return Ok(token),
            Entry::Fetch(guard) => {
                counts.led.fetch_add(1, Ordering::Relaxed);
                // The flight is under way for as long as anybody cares to wait.
                guard.busy_until(at(1_000_000));
                lead(guard, counts).ok_or(())?;
            }
            Entry::Follow(flight) => loop {
                let seen = session.flight_ended.epoch();
                match session.status(flight) {
                    FlightStatus::InFlight { .. } => session.flight_ended.wait(seen, GIVEN),
                    FlightStatus::Failed(..) => return Err(()),
                    FlightStatus::Over => break,
                }
            },
        }
    }
}

fn lands(guard: FlightGuard, _: &Counts) -> Option<()> {
    guard.land(&Ok(token("new")), GIVEN);
    Some(())
}

fn fails(guard: FlightGuard, _: &Counts) -> Option<()> {
    guard.land(&Err(failure()), GIVEN);
    None
}

/// The first leader is cancelled; those after it are not.
fn is_cancelled_first(guard: FlightGuard, counts: &Counts) -> Option<()> {
    if counts.led.load(Ordering::Relaxed) == 1 {
        drop(guard);
        return Some(());
    }
    lands(guard, counts)
}

/// Runs the threads in every order, with at most three switches that none of them asked for.
fn every_order(
    name: &str,
    threads: usize,
    refused: Option<&'static str>,
    lead: Leader,
    check: fn(&[Ended], usize),
) {
    let orders = Arc::new(AtomicUsize::new(0));
    let counted = orders.clone();
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(3);
    builder.check(move || {
        counted.fetch_add(1, Ordering::Relaxed);
        let (session, counts) = (Arc::new(Session::default()), Arc::new(Counts::default()));
        let refused = refused.map(token);
        let begin = || {
            let (session, counts, refused) = (session.clone(), counts.clone(), refused.clone());
            thread::spawn(move || call(&session, refused.as_ref(), &counts, lead))
        };
        let running: Vec<_> = (0..threads).map(|_| begin()).collect();
        let ended: Vec<_> = running.into_iter().map(|thread| thread.join().expect("no panic")).collect();
        check(&ended, counts.led.load(Ordering::Relaxed));
    });
    println!("{name}: {} orders", orders.load(Ordering::Relaxed));
}

fn main() {
    every_order("one fetch serves all", 3, None, lands, |ended, led| {
        assert!(led == 1 && ended.iter().all(Result::is_ok), "{led} fetches");
    });
    every_order("a refused token is replaced once", 3, Some("old"), lands, |ended, led| {
        assert!(led == 1 && ended.iter().all(Result::is_ok), "{led} fetches");
    });
    every_order("a cancelled leader is replaced", 3, None, is_cancelled_first, |ended, led| {
        assert!(led == 2 && ended.iter().all(Result::is_ok), "{led} fetches");
    });
    every_order("a failure reaches everyone who waited", 3, None, fails, |ended, led| {
        assert!((1..=3).contains(&led) && ended.iter().all(Result::is_err), "{led} fetches");
    });
    late_leader();
}

/// A leader that is overdue is replaced, and what it does later does not take the place of the new
/// one.
fn late_leader() {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(3);
    builder.check(|| {
        let session = Arc::new(Session::default());
        let Entry::Fetch(late) = session.enter(at(1), None, false) else { panic!("the first leads") };
        let late = thread::spawn(move || late.land(&Err(failure()), GIVEN));
        let follower = {
            let session = session.clone();
            // Long after the leader's time: it leads itself.
            thread::spawn(move || match session.enter(at(100), None, false) {
                Entry::Fetch(guard) => guard.land(&Ok(token("new")), GIVEN),
                Entry::Follow(_) => panic!("the leader is overdue"),
                Entry::Use(_) => panic!("there is no token"),
            })
        };
        late.join().expect("no panic");
        follower.join().expect("no panic");
        assert!(matches!(session.enter(at(100), None, false), Entry::Use(_)));
    });
    println!("a leader that is overdue is replaced");
}
