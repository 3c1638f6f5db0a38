//! Every rule of the call, with a clock that the test moves and a service that follows a script.

mod boot;
mod failures;
mod requests;
mod sharing;
mod tokens;

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
    answer(200, &format!("{}: 21600\r\n", header::TOKEN_TTL), text)
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

/// Shared state for tests elsewhere in the crate.
pub(crate) fn shared() -> Arc<Shared> {
    Harness::new(&MemoryStore::new(), |_| {}).shared
}
