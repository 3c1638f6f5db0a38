//! Every rule of the call, with a fake clock and fake bytes.

use std::io;
use std::sync::Mutex;
use std::time::{Duration, SystemTime};

use super::*;
use crate::clock::{BootId, Clock};
use crate::config::settings::Given;
use crate::store::{FetchFailure, MemoryStore, StoreKey, StoredToken, TokenStore};
use crate::{EmptyEnvironment, SessionToken};

const SECOND: Duration = Duration::from_secs(1);

/// A clock that the test moves.
#[derive(Clone)]
struct MadeClock(Arc<Mutex<(Moment, BootId)>>);

impl MadeClock {
    fn new() -> Self {
        Self(Arc::new(Mutex::new((Moment::since_boot(1000 * SECOND), BootId::new("boot-1").unwrap()))))
    }

    fn advance(&self, by: Duration) {
        let mut state = self.0.lock().unwrap();
        state.0 = state.0 + by;
    }

    fn reboot(&self) {
        *self.0.lock().unwrap() = (Moment::since_boot(SECOND), BootId::new("boot-2").unwrap());
    }
}

impl Clock for MadeClock {
    fn now(&self) -> Moment {
        self.0.lock().unwrap().0
    }

    fn wall(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH
    }

    fn boot_id(&self) -> Option<BootId> {
        Some(self.0.lock().unwrap().1.clone())
    }

    fn random(&self) -> f64 {
        0.5
    }
}

/// What the fake service does with a request.
#[derive(Clone, Debug)]
enum Does {
    Answer(String),
    /// Never answers.
    Stall,
    /// Answers these bytes and closes.
    Close(&'static str),
    /// Resets the connection.
    Reset,
    /// Nothing listens.
    Refuse,
}

fn answer(status: u16, headers: &str, body: &str) -> Does {
    Does::Answer(format!("HTTP/1.1 {status} X\r\n{headers}Content-Length: {}\r\n\r\n{body}", body.len()))
}

fn token(text: &str) -> Does {
    answer(200, "X-aws-ec2-metadata-token-ttl-seconds: 21600\r\n", text)
}

fn value(text: &str) -> Does {
    answer(200, "", text)
}

/// A client's shared, a service that follows a script, and what was counted.
struct Harness {
    clock: MadeClock,
    shared: Arc<Shared>,
    puts: Vec<Does>,
    gets: Vec<Does>,
    requests: Vec<String>,
    /// Whether a kept connection is offered.
    idle: bool,
}

impl Harness {
    fn new(store: &MemoryStore, change: impl FnOnce(&mut Given)) -> Self {
        Self::with_clock(MadeClock::new(), store, change)
    }

    fn with_clock(clock: MadeClock, store: &MemoryStore, change: impl FnOnce(&mut Given)) -> Self {
        let mut given = Given { endpoint: Some("http://127.0.0.1:1".to_owned()), ..Given::default() };
        change(&mut given);
        let settings = given.resolve(&EmptyEnvironment).unwrap();
        let shared = Arc::new(Shared {
            key: StoreKey::new(settings.endpoint.to_string(), None),
            settings,
            clock: Arc::new(clock.clone()),
            store: Some(Arc::new(store.clone())),
            session: Arc::default(),
            rate_limit: Arc::default(),
            observer: None,
            boot_id: clock.boot_id(),
            observing: Mutex::default(),
        });
        Self { clock, shared, puts: Vec::new(), gets: Vec::new(), requests: Vec::new(), idle: false }
    }

    /// The scripts: each behaviour once, the last for ever.
    fn script(mut self, puts: &[Does], gets: &[Does]) -> Self {
        self.puts = puts.to_vec();
        self.gets = gets.to_vec();
        self
    }

    fn get(&mut self) -> Result<String, Error> {
        let path = MetadataPath::from_static("/latest/meta-data/instance-id");
        let mut call = Call::new(self.shared.clone(), Goal::Get(path), None);
        match self.drive(&mut call)? {
            Success::Answer(answer) => Ok(String::from_utf8(answer.body).unwrap()),
            Success::Token(_) => panic!("a value was asked for"),
        }
    }

    /// A driver whose network is the script and whose waiting moves the clock.
    fn drive(&mut self, call: &mut Call) -> Result<Success, Error> {
        let mut behaviour = Does::Refuse;
        for _ in 0..10_000 {
            let now = self.clock.now();
            match call.step(now) {
                Step::Done => return call.take(),
                Step::Wait { until, .. } => self.clock.advance((until - now).max(Duration::from_nanos(1))),
                Step::Release { .. } => {}
                Step::Connect { fresh, .. } => {
                    let refusing = [&mut self.puts, &mut self.gets]
                        .into_iter()
                        .find(|script| matches!(script.first(), Some(Does::Refuse)));
                    if let Some(script) = refusing {
                        if script.len() > 1 {
                            script.remove(0);
                        }
                        call.event(now, Event::Failed(io::ErrorKind::ConnectionRefused.into()));
                    } else {
                        let reused = self.idle && !fresh;
                        call.event(now, Event::Connected { endpoint: 0, reused });
                    }
                }
                Step::Send { .. } => {
                    let request = String::from_utf8(call.outgoing().to_vec()).unwrap();
                    let script = if request.starts_with("PUT ") { &mut self.puts } else { &mut self.gets };
                    behaviour = if script.len() > 1 { script.remove(0) } else { script[0].clone() };
                    self.requests.push(request);
                    call.event(now, Event::Sent);
                }
                Step::Receive { until } => match &behaviour {
                    Does::Answer(bytes) => call.event(now, Event::Received(bytes.as_bytes())),
                    Does::Close("") => call.event(now, Event::Received(&[])),
                    Does::Close(bytes) => {
                        call.event(now, Event::Received(bytes.as_bytes()));
                        behaviour = Does::Close("");
                    }
                    Does::Reset => call.event(now, Event::Failed(io::ErrorKind::ConnectionReset.into())),
                    Does::Stall | Does::Refuse => {
                        self.clock.advance(until - now);
                        call.event(self.clock.now(), Event::Failed(io::ErrorKind::TimedOut.into()));
                    }
                },
            }
        }
        panic!("the call does not end");
    }

    /// Token PUTs and GETs so far.
    fn counts(&self) -> (usize, usize) {
        let puts = self.requests.iter().filter(|request| request.starts_with("PUT ")).count();
        (puts, self.requests.len() - puts)
    }
}

fn store_with(text: &str, expires: Moment) -> MemoryStore {
    let store = MemoryStore::new();
    let stored = StoredToken {
        token: SessionToken::new(text.as_bytes()).unwrap(),
        boot_id: BootId::new("boot-1").unwrap(),
        expires,
        ttl: Duration::from_secs(21_600),
    };
    store.save(&StoreKey::new("http://127.0.0.1:1".to_owned(), None), &stored).unwrap();
    store
}

fn at(seconds: u64) -> Moment {
    Moment::since_boot(Duration::from_secs(seconds))
}

#[test]
fn one_token_serves_calls_clients_and_processes() {
    let store = MemoryStore::new();
    let mut first = Harness::new(&store, |_| {}).script(&[token("T1")], &[value("i-1")]);
    assert_eq!((first.get().unwrap(), first.get().unwrap()), ("i-1".to_owned(), "i-1".to_owned()));
    assert_eq!(first.counts(), (1, 2));
    assert!(first.requests[1].contains("\r\nX-Aws-Ec2-Metadata-Token: T1\r\n"), "{}", first.requests[1]);
    let mut second =
        Harness::with_clock(first.clock.clone(), &store, |_| {}).script(&[token("T2")], &[value("i-1")]);
    second.get().unwrap();
    assert_eq!(second.counts(), (0, 1));
}

#[test]
fn renewed_within_its_margin() {
    let fresh = store_with("T1", at(1000 + 121));
    let mut harness = Harness::new(&fresh, |_| {}).script(&[token("T2")], &[value("v")]);
    harness.get().unwrap();
    assert_eq!(harness.counts(), (0, 1));
    let stale = store_with("T1", at(1000 + 120));
    let mut harness = Harness::new(&stale, |_| {}).script(&[token("T2")], &[value("v")]);
    harness.get().unwrap();
    assert_eq!(harness.counts(), (1, 1));
}

#[test]
fn a_store_of_another_boot_or_clock_is_passed_over() {
    let store = store_with("T1", at(20_000));
    let clock = MadeClock::new();
    clock.reboot();
    let mut harness = Harness::with_clock(clock, &store, |_| {}).script(&[token("T2")], &[value("v")]);
    harness.get().unwrap();
    assert_eq!(harness.counts(), (1, 1));
    // Same boot id, but more life than any token has: a clock of another namespace.
    let mut harness =
        Harness::new(&store_with("T1", at(99_999)), |_| {}).script(&[token("T2")], &[value("v")]);
    harness.get().unwrap();
    assert_eq!(harness.counts(), (1, 1));
}

#[test]
fn a_token_stored_after_the_time_was_read_is_used() {
    // A process that is stopped between reading the clock and the store finds a token that has more
    // life left than its TTL, by the earlier time.
    let store = store_with("T1", at(1010 + 21_600));
    let harness = Harness::new(&store, |_| {});
    let earlier = harness.clock.now();
    harness.clock.advance(10 * SECOND);
    let mut fetch = TokenFetch::new(harness.shared.clone(), None, earlier + 60 * SECOND, 60 * SECOND);
    assert!(matches!(fetch.step(earlier), Step::Done));
    assert_eq!(fetch.take().unwrap().secret, SessionToken::new(b"T1").unwrap());
}

#[test]
fn a_refused_token_is_replaced_once() {
    let store = store_with("OLD", at(20_000));
    let mut harness =
        Harness::new(&store, |_| {}).script(&[token("NEW")], &[answer(401, "", ""), value("v")]);
    assert_eq!(harness.get().unwrap(), "v");
    assert_eq!(harness.counts(), (1, 2));
    assert!(harness.requests[0].contains(": OLD\r\n") && harness.requests[2].contains(": NEW\r\n"));
    let kept = store.load(&harness.shared.key).unwrap().unwrap();
    assert_eq!(kept.token.expose(), "NEW");
}

#[test]
fn every_token_refused_is_final_after_one_renewal() {
    let mut harness =
        Harness::new(&MemoryStore::new(), |_| {}).script(&[token("A"), token("B")], &[answer(401, "", "")]);
    let error = harness.get().unwrap_err();
    assert_eq!(
        (error.kind(), error.status(), error.lacked_token()),
        (ErrorKind::Unauthorized, Some(401), false)
    );
    assert_eq!(
        error.to_string(),
        "`/latest/meta-data/instance-id` was refused (401) with a token that was just fetched"
    );
    assert_eq!(harness.counts(), (2, 2));
}

#[test]
fn without_a_ttl_header_the_token_stays_in_the_process() {
    let store = MemoryStore::new();
    let mut harness = Harness::new(&store, |_| {}).script(&[answer(200, "", "T")], &[value("v")]);
    harness.get().unwrap();
    harness.get().unwrap();
    assert_eq!(harness.counts(), (1, 2));
    assert_eq!(store.load(&harness.shared.key).unwrap(), None);
}

#[test]
fn a_granted_ttl_is_never_taken_for_more_than_was_asked() {
    let store = MemoryStore::new();
    let long = answer(200, "X-aws-ec2-metadata-token-ttl-seconds: 999999\r\n", "T");
    let mut harness =
        Harness::new(&store, |given| given.token_ttl = Some(60 * SECOND)).script(&[long], &[value("v")]);
    harness.get().unwrap();
    assert!(harness.requests[0].contains("\r\nX-Aws-Ec2-Metadata-Token-Ttl-Seconds: 60\r\n"));
    assert_eq!(store.load(&harness.shared.key).unwrap().unwrap().expires, at(1060));
}

/// What one call comes to: kind, whether a token fetch failed, token PUTs, GETs.
fn failure(puts: &[Does], gets: &[Does]) -> (ErrorKind, bool, (usize, usize)) {
    let mut harness = Harness::new(&MemoryStore::new(), |_| {}).script(puts, gets);
    let error = harness.get().unwrap_err();
    assert_eq!(error.path().map(MetadataPath::as_str), Some("/latest/meta-data/instance-id"), "{error:?}");
    (error.kind(), error.is_token_fetch(), harness.counts())
}

#[test]
fn what_the_service_says_decides_the_kind() {
    let ok = [token("T")];
    let open = [value("v")];
    let status = |status| [answer(status, "", "")];
    for (code, kind, gets) in [
        (400, ErrorKind::Protocol, 1),
        (403, ErrorKind::Forbidden, 1),
        (404, ErrorKind::NotFound, 1),
        (405, ErrorKind::Protocol, 1),
        (204, ErrorKind::Protocol, 1),
        (302, ErrorKind::Protocol, 1),
        (501, ErrorKind::Server, 1),
        (408, ErrorKind::Protocol, 3),
        (429, ErrorKind::Throttled, 3),
        (500, ErrorKind::Server, 3),
        (502, ErrorKind::Server, 3),
        (503, ErrorKind::Server, 3),
        (504, ErrorKind::Server, 3),
    ] {
        assert_eq!(failure(&ok, &status(code)), (kind, false, (1, gets)), "GET {code}");
    }
    for (code, kind, puts) in [
        (400, ErrorKind::Protocol, 1),
        (401, ErrorKind::Unauthorized, 1),
        (403, ErrorKind::Forbidden, 1),
        (404, ErrorKind::Protocol, 1),
        (405, ErrorKind::Protocol, 1),
        (302, ErrorKind::Protocol, 1),
        (429, ErrorKind::Throttled, 3),
        (503, ErrorKind::Server, 3),
    ] {
        assert_eq!(
            failure(&status(code), &open),
            (kind, true, (puts, 0)),
            "PUT {code}: no GET without a token"
        );
    }
    let portal = [answer(200, "Content-Type: text/html\r\n", "<html>Log in</html>")];
    assert_eq!(failure(&portal, &open), (ErrorKind::Protocol, true, (1, 0)));
}

#[test]
fn what_the_network_does_decides_the_kind() {
    let ok = [token("T")];
    assert_eq!(failure(&ok, &[Does::Stall]), (ErrorKind::Unreachable, false, (1, 3)));
    assert_eq!(failure(&[Does::Stall], &[value("v")]), (ErrorKind::Unreachable, true, (3, 0)));
    assert_eq!(failure(&[Does::Refuse], &[value("v")]), (ErrorKind::Unreachable, true, (0, 0)));
    assert_eq!(failure(&ok, &[Does::Reset]), (ErrorKind::Unreachable, false, (1, 3)));
    let cut = Does::Close("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf");
    assert_eq!(failure(&ok, std::slice::from_ref(&cut)), (ErrorKind::Protocol, false, (1, 3)));
    // A poller goes on: what a call retries, a later call may find.
    for (gets, retryable) in [
        (cut, true),
        (Does::Stall, true),
        (answer(503, "", ""), true),
        (answer(404, "", ""), false),
        (answer(501, "", ""), false),
    ] {
        let mut harness = Harness::new(&MemoryStore::new(), |_| {}).script(&ok, std::slice::from_ref(&gets));
        assert_eq!(harness.get().unwrap_err().is_retryable(), retryable, "{gets:?}");
    }
    let large = Does::Close("HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n");
    assert_eq!(failure(&ok, &[large]), (ErrorKind::Protocol, false, (1, 1)));
}

#[test]
fn only_a_stalled_put_is_the_hop_limit_symptom() {
    for (puts, gets, stalled) in [
        (vec![Does::Stall], vec![value("v")], true),
        (vec![token("T")], vec![Does::Stall], false),
        (vec![Does::Reset], vec![value("v")], false),
        (vec![Does::Refuse], vec![value("v")], false),
    ] {
        let mut harness = Harness::new(&MemoryStore::new(), |_| {}).script(&puts, &gets);
        assert_eq!(harness.get().unwrap_err().is_stalled_token_fetch(), stalled, "{puts:?} {gets:?}");
    }
}

#[test]
fn transient_failures_are_survived() {
    let busy = |status| answer(status, "", "busy");
    for gets in [
        vec![busy(503), busy(503), value("v")],
        vec![busy(500), value("v")],
        vec![Does::Stall, value("v")],
        vec![Does::Reset, value("v")],
        vec![Does::Close(""), value("v")],
        vec![Does::Close("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf"), value("v")],
    ] {
        let mut harness = Harness::new(&MemoryStore::new(), |_| {}).script(&[busy(503), token("T")], &gets);
        assert_eq!(harness.get().unwrap(), "v", "{gets:?}");
        assert_eq!(harness.counts(), (2, gets.len()));
    }
}

#[test]
fn retry_after_is_obeyed_within_the_deadline() {
    let throttled = |seconds: u64| answer(429, &format!("Retry-After: {seconds}\r\n"), "");
    let mut harness =
        Harness::new(&MemoryStore::new(), |_| {}).script(&[token("T")], &[throttled(4), value("v")]);
    let begun = harness.clock.now();
    assert_eq!(harness.get().unwrap(), "v");
    assert_eq!(harness.clock.now() - begun, 4 * SECOND);

    let mut harness =
        Harness::new(&MemoryStore::new(), |_| {}).script(&[token("T")], &[throttled(60), value("v")]);
    let begun = harness.clock.now();
    let error = harness.get().unwrap_err();
    assert_eq!((error.kind(), error.retry_after()), (ErrorKind::Throttled, Some(60 * SECOND)));
    assert_eq!(
        (harness.clock.now() - begun, harness.counts()),
        (Duration::ZERO, (1, 1)),
        "it does not wait in vain"
    );
}

#[test]
fn the_deadline_bounds_everything() {
    let short = |given: &mut Given| {
        given.deadline = Some(Duration::from_millis(2500));
        given.attempts = Some(100);
    };
    let mut harness = Harness::new(&MemoryStore::new(), short).script(&[token("T")], &[Does::Stall]);
    let begun = harness.clock.now();
    assert_eq!(harness.get().unwrap_err().kind(), ErrorKind::Unreachable);
    assert!(harness.clock.now() - begun <= Duration::from_millis(2500), "{:?}", harness.clock.now() - begun);
}

#[test]
fn a_kept_connection_that_was_closed_costs_no_attempt() {
    let mut harness = Harness::new(&store_with("T", at(20_000)), |given| given.attempts = Some(1))
        .script(&[token("T")], &[Does::Close(""), value("v")]);
    harness.idle = true;
    assert_eq!(harness.get().unwrap(), "v");
    assert_eq!(harness.counts(), (0, 2));
}

#[test]
fn a_timeout_on_a_kept_connection_costs_no_attempt_and_is_not_the_hop_limit() {
    let mut harness = Harness::new(&MemoryStore::new(), |given| given.attempts = Some(1))
        .script(&[Does::Stall, token("T")], &[value("v")]);
    harness.idle = true;
    assert_eq!(harness.get().unwrap(), "v");
    assert_eq!(harness.counts(), (2, 1));
}

/// A client at the service's own address, or at another with or without the switch, on a machine
/// that started this many seconds ago.
fn booting(endpoint: &str, uptime: u64, switch: bool) -> Harness {
    let clock = MadeClock::new();
    clock.0.lock().unwrap().0 = at(uptime);
    Harness::with_clock(clock, &MemoryStore::new(), |given| {
        given.endpoint = Some(endpoint.to_owned());
        given.boot_retries = switch;
    })
}

const OWN: [&str; 2] = ["http://169.254.169.254", "http://[fd00:ec2::254]"];
const OTHER: &str = "http://127.0.0.1:1";

#[test]
fn a_service_that_refuses_connections_while_the_machine_starts_is_awaited() {
    let script = [vec![Does::Refuse; 8], vec![token("T")]].concat();
    for (endpoint, uptime, switch) in [(OWN[0], 5, false), (OWN[1], 290, false), (OTHER, 5000, true)] {
        let mut harness = booting(endpoint, uptime, switch).script(&script, &[value("v")]);
        assert_eq!(harness.get().unwrap(), "v", "{endpoint} {uptime}");
        assert_eq!(harness.counts(), (1, 1));
    }
    for (endpoint, uptime) in [(OWN[0], 300), (OTHER, 5)] {
        let mut harness = booting(endpoint, uptime, false).script(&script, &[value("v")]);
        let error = harness.get().unwrap_err();
        assert_eq!((error.kind(), error.attempts(), error.is_retryable()), (ErrorKind::Unreachable, 1, true));
    }
    // It ends with the deadline.
    let mut harness = booting(OWN[0], 5, false).script(&[Does::Refuse], &[value("v")]);
    assert_eq!(harness.get().unwrap_err().kind(), ErrorKind::Unreachable);
    assert!(harness.clock.now() - at(5) <= 10 * SECOND, "{:?}", harness.clock.now());
}

#[test]
fn a_service_that_refuses_its_own_tokens_while_the_machine_starts_is_awaited() {
    let refused = answer(401, "", "");
    let script = [vec![refused.clone(); 6], vec![value("v")]].concat();
    for (endpoint, uptime, switch) in [(OWN[0], 5, false), (OTHER, 5000, true)] {
        let mut harness = booting(endpoint, uptime, switch).script(&[token("T")], &script);
        assert_eq!(harness.get().unwrap(), "v", "{endpoint}");
        assert_eq!(harness.counts(), (7, 7), "a new token for each refusal");
    }
    for (endpoint, uptime) in [(OWN[0], 300), (OTHER, 5)] {
        let mut harness = booting(endpoint, uptime, false).script(&[token("T")], &script);
        let error = harness.get().unwrap_err();
        assert_eq!((error.kind(), error.is_retryable()), (ErrorKind::Unauthorized, true));
        assert_eq!(harness.counts(), (2, 2));
    }
    let mut harness = booting(OWN[0], 5, false).script(&[token("T")], &[refused]);
    assert_eq!(harness.get().unwrap_err().kind(), ErrorKind::Unauthorized);
    assert!(harness.clock.now() - at(5) <= 10 * SECOND);
}

#[test]
fn v1_is_spoken_by_name_only_and_without_a_token() {
    let v1 = |given: &mut Given| given.version = ImdsVersion::V1;
    let mut harness =
        Harness::new(&MemoryStore::new(), v1).script(&[token("T")], &[value("v"), answer(401, "", "")]);
    assert_eq!(harness.get().unwrap(), "v");
    assert_eq!(harness.counts(), (0, 1));
    assert!(!harness.requests[0].to_ascii_lowercase().contains("token"), "{}", harness.requests[0]);
    let error = harness.get().unwrap_err();
    assert_eq!((error.kind(), error.lacked_token()), (ErrorKind::Unauthorized, true));
    assert!(!error.is_retryable());
}

#[test]
fn disabled_sends_nothing() {
    let harness = Harness::new(&MemoryStore::new(), |_| {});
    let mut settings = harness.shared.settings.clone();
    settings.disabled = Some("the metadata service is disabled".to_owned());
    let shared = Shared {
        settings,
        clock: harness.shared.clock.clone(),
        store: None,
        key: harness.shared.key.clone(),
        session: Arc::default(),
        rate_limit: Arc::default(),
        observer: None,
        boot_id: None,
        observing: Mutex::default(),
    };
    let mut call = Call::new(Arc::new(shared), Goal::Token, None);
    assert_eq!(call.step(harness.clock.now()), Step::Done);
    let error = call.take().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Disabled);
    assert_eq!(error.to_string(), "the metadata service is disabled");
}

#[test]
fn a_waiter_shares_the_failure_of_the_flight() {
    let store = MemoryStore::new();
    let mut harness = Harness::new(&store, |_| {}).script(&[token("T")], &[value("v")]);
    let key = harness.shared.key.clone();
    let Some(mut other) = store.try_lock(&key).unwrap() else { panic!("the lock is free") };
    let path = MetadataPath::from_static("/latest/meta-data/instance-id");
    let mut call = Call::new(harness.shared.clone(), Goal::Get(path), None);
    let Step::Wait { on: None, until } = call.step(harness.clock.now()) else {
        panic!("it waits for the other")
    };
    harness.clock.advance(until - harness.clock.now());
    let failure = FetchFailure {
        at: harness.clock.now(),
        boot_id: BootId::new("boot-1").unwrap(),
        kind: ErrorKind::Unreachable,
        status: None,
        stalled: true,
        given: 10 * SECOND,
    };
    other.record_failure(&failure).unwrap();
    drop(other);
    let error = harness.drive(&mut call).unwrap_err();
    assert_eq!((error.kind(), error.is_stalled_token_fetch()), (ErrorKind::Unreachable, true));
    assert_eq!(harness.counts(), (0, 0), "nothing is sent for a failure that is known");
    // A later call tries again.
    harness.clock.advance(SECOND);
    assert_eq!(harness.get().unwrap(), "v");
}

#[test]
fn a_waiter_with_more_time_than_the_failed_fetch_had_tries_for_itself() {
    for (kind, status, shares) in
        [(ErrorKind::Unreachable, None, false), (ErrorKind::Forbidden, Some(403), true)]
    {
        let store = MemoryStore::new();
        let mut harness = Harness::new(&store, |_| {}).script(&[token("T")], &[value("v")]);
        let mut other = store.try_lock(&harness.shared.key).unwrap().unwrap();
        let path = MetadataPath::from_static("/latest/meta-data/instance-id");
        let mut call = Call::new(harness.shared.clone(), Goal::Get(path), None);
        let now = harness.clock.now();
        assert!(matches!(call.step(now), Step::Wait { on: None, .. }));
        let given = Duration::from_millis(200);
        let boot_id = BootId::new("boot-1").unwrap();
        other.record_failure(&FetchFailure { at: now, boot_id, kind, status, stalled: true, given }).unwrap();
        drop(other);
        let shared = harness.drive(&mut call).err().map(|error| error.kind());
        assert_eq!(shared, shares.then_some(kind));
        assert_eq!(harness.counts(), if shares { (0, 0) } else { (1, 1) });
    }
}

#[test]
fn a_leader_that_is_not_polled_is_replaced_within_one_attempts_time() {
    let store = MemoryStore::new();
    let mut harness = Harness::new(&store, |_| {}).script(&[token("T")], &[value("v")]);
    let path = MetadataPath::from_static("/latest/meta-data/instance-id");
    let mut leader = Call::new(harness.shared.clone(), Goal::Get(path), None);
    let begun = harness.clock.now();
    assert!(matches!(leader.step(begun), Step::Connect { .. }));
    // It holds the flight and the store's lock, and nobody polls it again.
    assert_eq!(harness.get().unwrap(), "v");
    let waited = harness.clock.now() - begun;
    assert!(waited <= Duration::from_millis(1200), "{waited:?}");
    assert_eq!(harness.counts(), (1, 1));
    assert!(store.load(&harness.shared.key).unwrap().is_some(), "the token is stored nevertheless");
    // Polled at last, it goes on with what it began.
    assert!(matches!(harness.drive(&mut leader), Ok(Success::Answer(_))));
}

#[test]
fn a_leader_that_is_stopped_takes_half_the_deadline_at_most() {
    let store = MemoryStore::new();
    let mut harness = Harness::new(&store, |_| {}).script(&[token("T")], &[value("v")]);
    let stopped = store.try_lock(&harness.shared.key).unwrap();
    let begun = harness.clock.now();
    assert_eq!(harness.get().unwrap(), "v");
    assert_eq!(harness.clock.now() - begun, 5 * SECOND);
    assert_eq!(harness.counts(), (1, 1));
    drop(stopped);
}

#[test]
fn the_prefix_of_the_endpoint_stands_in_front_of_every_path() {
    let prefixed = |given: &mut Given| given.endpoint = Some("http://127.0.0.1:1/base/".to_owned());
    let mut harness = Harness::new(&MemoryStore::new(), prefixed).script(&[token("T")], &[value("v")]);
    harness.get().unwrap();
    assert!(harness.requests[0].starts_with("PUT /base/latest/api/token HTTP/1.1\r\nHost: 127.0.0.1:1\r\n"));
    assert!(harness.requests[1].starts_with("GET /base/latest/meta-data/instance-id HTTP/1.1\r\n"));
}

#[test]
fn nothing_that_can_be_printed_holds_the_token() {
    let mut harness = Harness::new(&MemoryStore::new(), |_| {}).script(&[token("SECRET")], &[value("v")]);
    harness.get().unwrap();
    let path = MetadataPath::from_static("/latest/user-data");
    let mut call = Call::new(harness.shared.clone(), Goal::Get(path), None);
    while !matches!(call.step(harness.clock.now()), Step::Send { .. }) {
        call.event(harness.clock.now(), Event::Connected { endpoint: 0, reused: false });
    }
    assert!(call.outgoing().windows(6).any(|bytes| bytes == b"SECRET"));
    let shown = format!("{call:?} {:?} {:?}", harness.shared, harness.shared.session);
    assert!(!shown.contains("SECRET") && !shown.contains("83, 69, 67"), "{shown}");
}

/// Shared state for tests elsewhere in the crate.
pub(crate) fn shared() -> Arc<Shared> {
    Harness::new(&MemoryStore::new(), |_| {}).shared
}
