//! A simulation of everything between a call and the network: threads of several processes, their
//! sessions, a store that they may share, and a service with faults. Time is invented, every choice
//! follows from a seed, and a seed that fails is printed with what happened and can be run again.

mod service;
mod world;

use std::fmt::Write as _;
use std::sync::Mutex;

use service::{Connection, Faults, Reply, Service, value_of};
use world::{FaultyStore, Invented, Random};

use super::*;
use crate::EmptyEnvironment;
use crate::clock::Clock;
use crate::config::settings::Given;
use crate::notify::Epoch;
use crate::store::{MemoryStore, StoreKey};

/// What happens to an actor next.
enum Next {
    Begin,
    /// A pause is over or, earlier, a notification moved on.
    Wake(Option<(NotifyName, Epoch)>),
    Connected {
        reused: bool,
    },
    Sent,
    Received(Vec<u8>),
    Failed(std::io::ErrorKind),
    Over,
}

struct Actor {
    process: usize,
    path: Option<String>,
    given: Duration,
    call: Option<Call>,
    connection: Option<Connection>,
    at: Moment,
    next: Next,
    deadline: Moment,
    /// How long its process was stopped.
    stopped: Duration,
}

struct Simulation {
    clock: Invented,
    service: Service,
    processes: Vec<Arc<Shared>>,
    pools: Vec<Vec<Connection>>,
    actors: Vec<Actor>,
    random: Random,
    faults: Faults,
    /// How many groups of processes have a token of their own.
    groups: u64,
    ttl: Duration,
    log: String,
    outcome: Counts,
}

/// What came of the calls.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Counts {
    values: u64,
    tokens: u64,
    unreachable: u64,
    unauthorized: u64,
    other_errors: u64,
    cancelled: u64,
    renewed: u64,
    puts: u64,
}

impl Simulation {
    fn new(seed: u64) -> Self {
        let mut random = Random(seed);
        let begin = Moment::since_boot(Duration::from_secs(1000));
        let clock = Invented(Arc::new(Mutex::new((begin, Random(random.next())))));
        // A third without a fault, a third with a service that gives tokens without a fault, and a
        // third with everything.
        let mut faults = Faults::default();
        let level = seed % 3;
        if level > 0 {
            faults.get = random.below(300);
            faults.revoke = if random.happens(500) { random.below(100) } else { 0 };
        }
        if level > 1 {
            faults.connect = random.below(300);
            faults.put = random.below(400);
            faults.store = if random.happens(500) { random.below(300) } else { 0 };
            faults.caller = if random.happens(500) { random.below(150) } else { 0 };
        }
        let ttl = Duration::from_secs(if random.happens(200) { 1 + random.below(60) } else { 21_600 });
        let shares = random.happens(600);
        let store = FaultyStore { inner: MemoryStore::new(), clock: clock.clone(), per_mille: faults.store };
        let boot_retries = level > 1 && random.happens(300);
        let processes: Vec<_> = (0..1 + random.below(3))
            .map(|_| {
                let given = Given {
                    endpoint: Some("http://127.0.0.1:1".to_owned()),
                    token_ttl: Some(ttl),
                    boot_retries,
                    ..Given::default()
                };
                let settings = given.resolve(&EmptyEnvironment).unwrap();
                Arc::new(Shared {
                    key: StoreKey::new(settings.endpoint.to_string(), None),
                    settings,
                    clock: Arc::new(clock.clone()),
                    store: shares.then(|| Arc::new(store.clone()) as _),
                    session: Arc::default(),
                    rate_limit: Arc::default(),
                    observer: None,
                    boot_id: clock.boot_id(),
                    observing: Mutex::default(),
                })
            })
            .collect();
        let actors: Vec<_> = (0..1 + random.below(12))
            .map(|number| {
                let within = if random.happens(300) { 5_000 } else { 5 };
                // Calls without much time only where a failure is no defect.
                let less = if level > 1 { random.milliseconds(9_900) } else { Duration::ZERO };
                Actor {
                    process: usize::try_from(random.below(processes.len() as u64)).unwrap(),
                    path: (!random.happens(150)).then(|| format!("/latest/meta-data/{}", number % 4)),
                    given: Duration::from_secs(10).saturating_sub(less),
                    call: None,
                    connection: None,
                    at: begin + random.milliseconds(within),
                    next: Next::Begin,
                    deadline: begin,
                    stopped: Duration::ZERO,
                }
            })
            .collect();
        let used = |process: usize| actors.iter().any(|actor: &Actor| actor.process == process);
        let groups = (0..processes.len()).filter(|process| used(*process)).count() as u64;
        Self {
            service: Service {
                random: Random(random.next()),
                faults,
                tokens: Vec::new(),
                puts: 0,
                issued: 0,
                revocations: 0,
            },
            pools: processes.iter().map(|_| Vec::new()).collect(),
            groups: if shares { 1 } else { groups },
            processes,
            actors,
            clock,
            random,
            faults,
            ttl,
            log: String::new(),
            outcome: Counts::default(),
        }
    }

    fn run(mut self) -> (Result<Counts, String>, String) {
        let result = self.until_all_are_over();
        (result, self.log)
    }

    fn until_all_are_over(&mut self) -> Result<Counts, String> {
        for _ in 0..100_000 {
            self.wake_notified();
            let next = self
                .actors
                .iter()
                .enumerate()
                .filter(|(_, actor)| !matches!(actor.next, Next::Over))
                .min_by_key(|(_, actor)| actor.at)
                .map(|(index, _)| index);
            let Some(index) = next else { return self.judge() };
            self.activate(index)?;
        }
        Err("the calls go on for ever".to_owned())
    }

    /// Checks what all calls did together.
    fn judge(&mut self) -> Result<Counts, String> {
        self.outcome.puts = self.service.puts;
        self.outcome.renewed = self.service.revocations;
        let outcome = self.outcome;
        let Faults { connect, put, get, store, caller, revoke } = self.faults;
        if connect + put + store + caller > 0 {
            return Ok(outcome);
        }
        // Where nothing delays a token, one serves everyone until it is revoked or ends.
        let lives = Duration::from_secs(20).as_secs() / self.ttl.as_secs().max(1) * 2;
        let most = self.groups * (1 + lives + self.service.revocations);
        if self.service.puts > most {
            return Err(format!("{} PUTs, though {most} would do", self.service.puts));
        }
        if get + revoke == 0 && outcome.values + outcome.tokens != self.actors.len() as u64 {
            return Err(format!("a call failed though nothing was wrong: {outcome:?}"));
        }
        Ok(outcome)
    }

    /// Ends the waits whose notification has moved on.
    fn wake_notified(&mut self) {
        let now = self.clock.now();
        for actor in &mut self.actors {
            let Next::Wake(Some((name, seen))) = actor.next else { continue };
            let shared = &self.processes[actor.process];
            let current = match name {
                NotifyName::FlightEnded => shared.session.flight_ended.epoch(),
                NotifyName::PermitReleased => shared.rate_limit.permit_released.epoch(),
            };
            if current != seen {
                // Threads wake in no particular order.
                actor.at = actor.at.min(now + Duration::from_micros(self.random.below(50)));
                actor.next = Next::Wake(None);
            }
        }
    }

    fn note(&mut self, index: usize, what: &str) {
        let now = self.clock.now().as_duration();
        let _ = writeln!(self.log, "{:.6} call {index}: {what}", now.as_secs_f64() - 1000.0);
    }

    fn activate(&mut self, index: usize) -> Result<(), String> {
        let at = self.actors[index].at;
        if self.random.happens(self.faults.caller) {
            if self.random.happens(300) {
                self.note(index, "is cancelled");
                self.outcome.cancelled += 1;
                let actor = &mut self.actors[index];
                (actor.call, actor.connection, actor.next) = (None, None, Next::Over);
                return Ok(());
            }
            let pause = self.random.milliseconds(12_000);
            self.actors[index].at = at + pause;
            self.actors[index].stopped += pause;
            self.note(index, "is stopped for a while");
            return Ok(());
        }
        let now = {
            let mut state = self.clock.state();
            state.0 = state.0.max(at);
            state.0
        };
        self.deliver(index, now);
        self.step(index, now)
    }

    /// Tells the call what has happened to it.
    fn deliver(&mut self, index: usize, now: Moment) {
        let actor = &mut self.actors[index];
        let next = std::mem::replace(&mut actor.next, Next::Wake(None));
        if let Next::Begin = next {
            actor.deadline = now + actor.given;
            let goal = match &actor.path {
                Some(path) => Goal::Get(path.parse().unwrap()),
                None => Goal::Token,
            };
            let shared = self.processes[actor.process].clone();
            actor.call = Some(Call::new(shared, goal, Some(actor.deadline)));
        }
        let Some(call) = &mut actor.call else { return };
        match next {
            Next::Begin | Next::Wake(_) | Next::Over => {}
            Next::Connected { reused } => call.event(now, Event::Connected { endpoint: 0, reused }),
            Next::Sent => call.event(now, Event::Sent),
            Next::Received(bytes) => call.event(now, Event::Received(&bytes)),
            Next::Failed(kind) => call.event(now, Event::Failed(kind.into())),
        }
    }

    /// Asks the call what to do until that takes time.
    fn step(&mut self, index: usize, now: Moment) -> Result<(), String> {
        loop {
            let actor = &mut self.actors[index];
            let Some(call) = &mut actor.call else { return Ok(()) };
            let step = call.step(now);
            if !matches!(step, Step::Done | Step::Release { .. })
                && step.until().is_some_and(|until| until > actor.deadline)
            {
                return Err(format!("call {index} would go on behind its deadline: {step:?}"));
            }
            let (at, next) = match step {
                Step::Done => return self.end(index, now),
                Step::Release { reusable } => {
                    if let (Some(connection), true) = (actor.connection.take(), reusable) {
                        self.pools[actor.process].push(connection);
                    }
                    continue;
                }
                Step::Wait { on, until } => (until, Next::Wake(on)),
                Step::Connect { fresh, until } => self.connect(index, now, fresh, until),
                Step::Send { .. } => {
                    let bytes = call.outgoing().to_vec();
                    let connection = actor.connection.get_or_insert_default();
                    (connection.request, connection.pieces) = (bytes, Vec::new());
                    (now, Next::Sent)
                }
                Step::Receive { until } => self.receive(index, now, until),
            };
            let actor = &mut self.actors[index];
            (actor.at, actor.next) = (at.max(now), next);
            return Ok(());
        }
    }

    fn connect(&mut self, index: usize, now: Moment, fresh: bool, until: Moment) -> (Moment, Next) {
        let process = self.actors[index].process;
        if fresh {
            self.pools[process].clear();
        }
        if let Some(mut connection) = self.pools[process].pop() {
            connection.dead = self.random.happens(self.faults.connect);
            self.actors[index].connection = Some(connection);
            return (now, Next::Connected { reused: true });
        }
        let taken = self.random.milliseconds(3);
        if self.random.happens(self.faults.connect) {
            self.note(index, "cannot connect");
            return match self.random.below(3) {
                0 => (until, Next::Failed(std::io::ErrorKind::TimedOut)),
                1 => (until.min(now + taken), Next::Failed(std::io::ErrorKind::ConnectionRefused)),
                _ => (until.min(now + taken), Next::Failed(std::io::ErrorKind::ConnectionReset)),
            };
        }
        if now + taken > until {
            return (until, Next::Failed(std::io::ErrorKind::TimedOut));
        }
        self.actors[index].connection = Some(Connection::default());
        (now + taken, Next::Connected { reused: false })
    }

    fn receive(&mut self, index: usize, now: Moment, until: Moment) -> (Moment, Next) {
        let taken = self.random.milliseconds(if self.faults.get > 0 { 40 } else { 4 });
        let Some(connection) = &mut self.actors[index].connection else {
            return (now, Next::Failed(std::io::ErrorKind::NotConnected));
        };
        if connection.dead {
            let next = match self.random.below(3) {
                0 => return (until, Next::Failed(std::io::ErrorKind::TimedOut)),
                1 => Next::Received(Vec::new()),
                _ => Next::Failed(std::io::ErrorKind::ConnectionReset),
            };
            return (now.max(until.min(now + taken)), next);
        }
        if now + taken > until {
            return (until, Next::Failed(std::io::ErrorKind::TimedOut));
        }
        if let Some(piece) = connection.pieces.pop() {
            return (now + taken, Next::Received(piece));
        }
        if connection.request.is_empty() {
            // All was sent, and the call waits for more: the answer was cut.
            return (now + taken, Next::Received(Vec::new()));
        }
        let request = std::mem::take(&mut connection.request);
        let reply = self.service.reply(now, &request);
        let line = String::from_utf8_lossy(&request).lines().next().unwrap_or_default().to_owned();
        match reply {
            Reply::Silence => {
                self.note(index, &format!("{line}: never answered"));
                (until, Next::Failed(std::io::ErrorKind::TimedOut))
            }
            Reply::Reset => {
                self.note(index, &format!("{line}: reset"));
                (now + taken, Next::Failed(std::io::ErrorKind::ConnectionReset))
            }
            Reply::Close => {
                self.note(index, &format!("{line}: closed"));
                (now + taken, Next::Received(Vec::new()))
            }
            Reply::Bytes(mut bytes) => {
                let status = String::from_utf8_lossy(&bytes[9..12]).into_owned();
                self.note(index, &format!("{line}: {status}"));
                let cut = 1 + usize::try_from(self.random.below(bytes.len() as u64)).unwrap_or_default();
                let rest = bytes.split_off(cut.min(bytes.len()));
                if let (false, Some(connection)) = (rest.is_empty(), &mut self.actors[index].connection) {
                    connection.pieces.push(rest);
                }
                (now + taken, Next::Received(bytes))
            }
        }
    }

    /// Checks what a call brought.
    fn end(&mut self, index: usize, now: Moment) -> Result<(), String> {
        let actor = &mut self.actors[index];
        let Some(mut call) = actor.call.take() else { return Ok(()) };
        (actor.connection, actor.next) = (None, Next::Over);
        if now > actor.deadline + actor.stopped {
            let late = now - (actor.deadline + actor.stopped);
            return Err(format!("call {index} ended {late:?} behind its deadline"));
        }
        let path = actor.path.clone();
        let what = match call.take() {
            Ok(Success::Answer(answer)) => {
                self.outcome.values += 1;
                let right = path.as_deref().map(value_of);
                if answer.status != 200 || right.as_deref().map(str::as_bytes) != Some(&*answer.body) {
                    return Err(format!("call {index} of {path:?} brought another value"));
                }
                "has its value".to_owned()
            }
            Ok(Success::Token(token)) => {
                self.outcome.tokens += 1;
                let number = token.secret.expose().strip_prefix("TOKEN-").and_then(|n| n.parse().ok());
                if path.is_some() || number.is_none_or(|number: u64| number > self.service.issued) {
                    return Err(format!("call {index} brought a token that the service did not issue"));
                }
                "has a token".to_owned()
            }
            Err(error) => {
                match error.kind() {
                    ErrorKind::Unreachable => self.outcome.unreachable += 1,
                    ErrorKind::Unauthorized => self.outcome.unauthorized += 1,
                    _ => self.outcome.other_errors += 1,
                }
                format!("failed: {error}")
            }
        };
        self.note(index, &what);
        Ok(())
    }
}

/// Runs one seed. A failure shows what happened, in order.
fn run(seed: u64) -> Counts {
    match Simulation::new(seed).run() {
        (Ok(counts), _) => counts,
        (Err(failure), log) => panic!("seed {seed}: {failure}\n{log}run `run({seed})` to see it again"),
    }
}

/// How many seeds are run: `IMDS_SEEDS`, 10,000 by default.
fn seeds() -> u64 {
    #[allow(clippy::disallowed_methods, reason = "a scheduled run asks for more than a person waits for")]
    let given = std::env::var("IMDS_SEEDS").ok();
    given.map_or(10_000, |text| text.parse().unwrap()).max(10_000)
}

#[test]
fn ten_thousand_seeds_without_a_hang_a_wrong_value_or_a_needless_token() {
    let mut all = Counts::default();
    for seed in 0..seeds() {
        let counts = run(seed);
        all.values += counts.values;
        all.tokens += counts.tokens;
        all.unreachable += counts.unreachable;
        all.unauthorized += counts.unauthorized;
        all.other_errors += counts.other_errors;
        all.cancelled += counts.cancelled;
        all.renewed += counts.renewed;
        all.puts += counts.puts;
    }
    // Each kind of end was met, or the simulation simulates nothing.
    assert!(all.values > 40_000 && all.tokens > 5_000 && all.unreachable > 500, "{all:?}");
    assert!(all.other_errors > 200 && all.cancelled > 500 && all.renewed > 500, "{all:?}");
}

#[test]
fn a_seed_runs_again_exactly() {
    for seed in [2, 5, 8, 11] {
        let (first, second) = (Simulation::new(seed).run(), Simulation::new(seed).run());
        assert_eq!(first, second);
        assert!(!first.1.is_empty());
    }
}
