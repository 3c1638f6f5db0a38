//! The daemon, a watch and twenty readers at once, for as long as was asked: under faults that
//! rotate, with credentials that rotate and metrics that are scraped, no value is wrong, no
//! termination is missed or answered twice, one token serves a whole TTL, and memory and open
//! files stay as they were.
//!
//! `IMDS_SOAK_SECONDS` sets the time, 5 by default; `IMDS_SOAK_WATCH` names the command `imds`,
//! whose watch then runs too.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use imds::ErrorKind;
use imds_emulator::instance::TargetLifecycleState;
use imds_emulator::{Emulator, Event, Fault, FaultKind, Status};

use crate::auto_scaling::{AutoScaling, INSTANCE};
use crate::daemon::Place;
use crate::set_state;

const READERS: usize = 20;
const TTL: Duration = Duration::from_secs(20);
/// Open files that a poll or a command under way has for a moment.
const DESCRIPTORS_MORE: usize = 6;

#[allow(clippy::disallowed_methods, reason = "the gate asks for a longer run than a person waits for")]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// A child that ends with the test.
struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        // Fails where it has ended.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// KiB that are resident, and files that are open.
fn held(pid: u32) -> (u64, usize) {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    let kib = line.trim().strip_suffix(" kB").unwrap().parse().unwrap();
    (kib, std::fs::read_dir(format!("/proc/{pid}/fd")).unwrap().count())
}

/// A port that is free.
fn port() -> u16 {
    TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port()
}

/// The metrics are whole and end as OpenMetrics does.
fn scrape(port: u16) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    assert!(text.starts_with("HTTP/1.1 200") && text.ends_with("# EOF\n"), "{text}");
    text
}

/// What a reader may see and read on: faults that were ordered, and nothing else.
const fn is_ordered(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::Unreachable
            | ErrorKind::Server
            | ErrorKind::Throttled
            | ErrorKind::Protocol
            | ErrorKind::Io
    )
}

/// Reads until it is over; how many values it read.
fn read(client: &imds::Client, written: &AtomicU64, over: &AtomicBool) -> u64 {
    let (mut newest, mut values) = (0, 0);
    while !over.load(Ordering::Relaxed) {
        match client.get("tags/instance/Soak") {
            Ok(value) => {
                let number: u64 = value.text().unwrap().parse().unwrap();
                let most = written.load(Ordering::SeqCst);
                assert!((newest..=most).contains(&number), "{number} is not in {newest}..={most}");
                (newest, values) = (number, values + 1);
            }
            Err(error) => assert!(is_ordered(error.kind()), "{error}"),
        }
        match client.get("iam/security-credentials/my-role") {
            Ok(value) => {
                let document: serde_json::Value = value.json().unwrap();
                assert_eq!(document["Code"], "Success");
                values += 1;
            }
            Err(error) => assert!(is_ordered(error.kind()), "{error}"),
        }
    }
    values
}

fn fault(round: u64) -> Fault {
    let kinds = [
        FaultKind::Status(Status::ServiceUnavailable),
        FaultKind::Truncate,
        FaultKind::Reset,
        FaultKind::Status(Status::TooManyRequests),
        FaultKind::Slow(20_000),
        FaultKind::Status(Status::InternalServerError),
    ];
    let kind = kinds[usize::try_from(round).unwrap() % kinds.len()];
    // Token requests are left alone: how many there are is counted.
    Fault::new(kind).method("GET").rate(0.1)
}

#[test]
fn nothing_is_wrong_and_nothing_grows() {
    let seconds = variable("IMDS_SOAK_SECONDS").map_or(5, |text| text.parse().unwrap());
    let (time, place) = (Duration::from_secs(seconds), Place::new());
    let builder = Emulator::builder().set("tags/instance/aws:autoscaling:groupName", "web").seed(1);
    let instance = builder.start().unwrap();
    let tag = |number: u64| Event::Tag("Soak".to_owned(), Some(number.to_string()));
    instance.service().apply(tag(0));
    instance.service().apply(Event::TargetLifecycleState(Some(TargetLifecycleState::InService)));
    let api = AutoScaling::start(3_600);
    api.world(|world| world.lifecycle.launch("InService"));
    let (daemon_port, watch_port) = (port(), port());
    let command = place.command();
    let metrics = format!("127.0.0.1:{daemon_port}");
    let mut daemon = place.daemon(&instance, &api, &["--exec", &command, "--metrics", &metrics]);
    daemon.says("state `InService`: nothing to do");
    let watch = variable("IMDS_SOAK_WATCH").map(|imds| {
        let mut command = Command::new(imds);
        command.args(["watch", "--interval", "10ms", "tags", "lifecycle", "--metrics"]);
        command.arg(format!("127.0.0.1:{watch_port}")).env_clear().env("HOME", place.path());
        command.env("IMDS_CACHE_DIR", place.path().join("cache"));
        command.env("AWS_EC2_METADATA_SERVICE_ENDPOINT", instance.endpoint());
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        Killed(command.spawn().unwrap())
    });
    let readers_cache = place.path().join("readers");
    let (written, over) = (AtomicU64::new(0), AtomicBool::new(false));
    #[allow(clippy::disallowed_methods, reason = "a soak lasts as long as was asked")]
    let started = Instant::now();
    let (mut rounds, mut early) = (0, None);
    let before = instance.service().counters().token_puts;
    let values: u64 = std::thread::scope(|scope| {
        let readers: Vec<_> = (0..READERS)
            .map(|_| {
                let client = reader(&instance, &readers_cache);
                let (written, over) = (&written, &over);
                scope.spawn(move || read(&client, written, over))
            })
            .collect();
        // A round that panics ends the readers too.
        let ends = Ends(&over);
        while started.elapsed() < time {
            rounds += 1;
            // Counted before it can be read.
            written.store(rounds, Ordering::SeqCst);
            instance.service().apply(tag(rounds));
            instance.service().apply(Event::ClearFaults);
            instance.service().apply(Event::Fault(fault(rounds)));
            instance.service().apply(Event::RotateCredentials);
            api.world(|world| world.lifecycle.terminate(Duration::ZERO));
            set_state(&instance, "Terminated");
            api.wait_for(|world| !world.lifecycle.is_waiting());
            daemon.says("state `Terminated`: completed");
            api.world(|world| world.lifecycle.launch("InService"));
            set_state(&instance, "InService");
            daemon.says("state `InService`: nothing to do");
            daemon.said.clear();
            let _ = scrape(daemon_port);
            if watch.is_some() && rounds > 1 {
                let _ = scrape(watch_port);
            }
            if early.is_none() && started.elapsed() > time / 5 {
                early = Some((held(daemon.id()), watch.as_ref().map(|watch| held(watch.0.id()))));
            }
        }
        drop(ends);
        readers.into_iter().map(|reader| reader.join().unwrap()).sum()
    });
    let late = (held(daemon.id()), watch.as_ref().map(|watch| held(watch.0.id())));
    let puts = instance.service().counters().token_puts - before;
    instance.service().apply(Event::ClearFaults);
    let (elapsed, runs) = (started.elapsed(), u64::try_from(place.runs()).unwrap());
    println!(
        "{} s: {rounds} terminations, {runs} commands, {values} values of {READERS} readers",
        elapsed.as_secs()
    );
    println!("token requests: {puts}; KiB and open files early {early:?}, late {late:?} (daemon, watch)");
    assert_eq!(runs, rounds, "each termination has one command");
    assert_eq!(api.world(|world| world.completed()), vec!["CONTINUE"; runs.try_into().unwrap()]);
    // A token is renewed a tenth of its life early. The daemon and the watch share another one.
    let tokens = elapsed.as_secs() / (TTL - TTL / 10).as_secs() + 1;
    assert!((1..=tokens + 2).contains(&puts), "{puts} token requests, at most {tokens} and one");
    let (early_daemon, early_watch) = early.unwrap_or(late);
    let pairs = [(Some(early_daemon), Some(late.0)), (early_watch, late.1)];
    for (early, late) in pairs.into_iter().filter_map(|(early, late)| Some((early?, late?))) {
        assert!(late.0 <= early.0 + early.0 / 5 + 1_024, "memory grows: {early:?}, {late:?}");
        assert!(late.1 <= early.1 + DESCRIPTORS_MORE, "open files grow: {early:?}, {late:?}");
    }
    daemon.stop();
    assert_eq!(INSTANCE, instance.service().instance().instance_id);
}

/// Ends the readers.
struct Ends<'a>(&'a AtomicBool);

impl Drop for Ends<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// A client of its own with the store of all readers.
fn reader(instance: &Emulator, cache: &Path) -> imds::Client {
    let builder = imds::Client::builder().environment(imds::EmptyEnvironment);
    let builder = builder.endpoint(instance.endpoint()).token_ttl(TTL);
    builder.store(imds::FileStore::new(cache)).build().unwrap()
}
