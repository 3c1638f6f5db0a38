//! A day of the emulator by a stepped clock: memory, open files and processor time per request in
//! its last tenth are those of its first.

use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::thread;

use imds_model::header;

use super::events;
use crate::service::{Client, Emulator, process};

const READERS: u64 = 4;
const TENTHS: u64 = 10;
/// After how many events the clock is moved.
const EVENTS_PER_STEP: u64 = 10;
/// Every so many requests, one asks for what faults meet.
const FAULTY_EVERY: u64 = 16;

/// How much of the first tenth's the last tenth may have.
const MEMORY_GROWTH: f64 = 1.10;
const PROCESSOR_GROWTH: f64 = 1.5;
/// Connections of the control API that had not ended when files were counted.
const DESCRIPTORS_MORE: usize = 8;

/// How much of everything.
pub(super) struct Plan {
    pub(super) hours: u64,
    pub(super) events: u64,
    pub(super) requests: u64,
}

/// What the kernel tells after a tenth.
struct Tenth {
    resident_kib: u64,
    descriptors: usize,
    /// Of this tenth alone.
    microseconds_per_request: f64,
}

pub(super) fn run(imds: &Path, plan: &Plan) -> Result<(), String> {
    let options = ["--clock", "stepped", "--seed", "1", "--record", "256"];
    let emulator = Emulator::start(imds, &options)?;
    for event in events::first().into_iter().chain((0..events::WARM_UP).map(events::number)) {
        emulator.apply(&event)?;
    }
    let address = emulator.address()?;
    let failed = |error: io::Error| format!("a reader: {error}");
    let mut readers: Vec<Reader> =
        (0..READERS).map(|_| Reader::connect(address)).collect::<io::Result<_>>().map_err(failed)?;
    println!(
        "{} h by a stepped clock, {} control events, {} requests by {READERS} readers",
        plan.hours, plan.events, plan.requests
    );
    println!("tenth | resident KiB | open files | processor time per request, us");
    let mut tenths = Vec::new();
    for tenth in 0..TENTHS {
        let before = process::processor_seconds(emulator.pid())?;
        let done: u64 = readers.iter().map(|reader| reader.requests).sum();
        thread::scope(|scope| {
            let reading: Vec<_> = readers
                .iter_mut()
                .map(|reader| scope.spawn(|| reader.read(plan.requests / TENTHS / READERS)))
                .collect();
            let controlled = control(&emulator, plan, tenth);
            for reader in reading {
                reader.join().map_err(|_| "a reader ended in a panic")?.map_err(failed)?;
            }
            controlled
        })?;
        let requests = readers.iter().map(|reader| reader.requests).sum::<u64>() - done;
        let spent = process::processor_seconds(emulator.pid())? - before;
        let found = Tenth {
            resident_kib: process::resident_kib(emulator.pid())?,
            descriptors: process::descriptors(emulator.pid())?,
            microseconds_per_request: spent * 1e6 / precise(requests),
        };
        println!(
            "{:>5} | {:>12} | {:>10} | {:>10.2}",
            tenth + 1,
            found.resident_kib,
            found.descriptors,
            found.microseconds_per_request
        );
        tenths.push(found);
    }
    let seen = readers.iter().map(|reader| reader.newest).max().unwrap_or_default();
    // The tag is written by every twentieth event.
    let written = (events::WARM_UP + plan.events / TENTHS * TENTHS).saturating_sub(1) / 20 * 20;
    println!("values read: every one right; the newest tag read is {seen}, written {written}");
    settle(&emulator, readers.iter().map(|reader| reader.requests).sum())?;
    judge(&tenths)
}

/// The events and the time of a tenth.
fn control(emulator: &Emulator, plan: &Plan, tenth: u64) -> Result<(), String> {
    let events = plan.events / TENTHS;
    let step = format!("{}ms", plan.hours * 3_600_000 * EVENTS_PER_STEP / plan.events.max(1));
    for number in (tenth * events..(tenth + 1) * events).map(|number| number + events::WARM_UP) {
        let event = events::number(number);
        emulator.apply(&event).map_err(|error| format!("event {number}, {event}: {error}"))?;
        if number % EVENTS_PER_STEP == 0 {
            emulator.step(&step)?;
        }
    }
    Ok(())
}

/// Nothing is left of what has expired, and every request was counted once.
fn settle(emulator: &Emulator, requests: u64) -> Result<(), String> {
    emulator.step("10m")?;
    // What is due happens before an answer.
    let client = Client::connect(emulator.address()?).and_then(|mut client| client.token());
    client.map_err(|error| format!("after the last step: {error}"))?;
    let state = emulator.state()?;
    for (name, most) in [("timeline", 0), ("not-listening", 0), ("faults", 150)] {
        let held = state[name].as_array().map_or(usize::MAX, Vec::len);
        if held > most {
            return Err(format!("{held} of `{name}` are left, at most {most} may be: {}", state[name]));
        }
    }
    let counted = state["counters"]["requests"].as_u64();
    if counted != Some(requests + 1) {
        return Err(format!("{} requests were sent, the emulator counted {counted:?}", requests + 1));
    }
    println!("left at the end: no event to come, no address without a listener; every request counted once");
    Ok(())
}

fn judge(tenths: &[Tenth]) -> Result<(), String> {
    let (Some(first), Some(last)) = (tenths.first(), tenths.last()) else {
        return Err("no tenth".to_owned());
    };
    let memory = precise(last.resident_kib) / precise(first.resident_kib);
    let processor = last.microseconds_per_request / first.microseconds_per_request;
    println!("memory, last tenth of first: {memory:.3} (at most {MEMORY_GROWTH:.2})");
    println!(
        "processor time per request, last tenth of first: {processor:.2} (at most {PROCESSOR_GROWTH:.1})"
    );
    let mut missed = Vec::new();
    if memory > MEMORY_GROWTH {
        missed.push("memory grows");
    }
    // One slow tenth is the machine's; a trend is ours, and is there before the last one too.
    let before_last = tenths.get(tenths.len().saturating_sub(2)).unwrap_or(last);
    if processor > PROCESSOR_GROWTH
        && before_last.microseconds_per_request / first.microseconds_per_request > PROCESSOR_GROWTH
    {
        missed.push("requests become slower");
    }
    if last.descriptors > first.descriptors + DESCRIPTORS_MORE {
        missed.push("open files grow");
    }
    if missed.is_empty() { Ok(()) } else { Err(missed.join(", ")) }
}

#[allow(clippy::cast_precision_loss, reason = "counts far below 2^53")]
fn precise(value: u64) -> f64 {
    value as f64
}

/// A client that knows what every answer has to be.
struct Reader {
    address: SocketAddr,
    steady: Client,
    token: String,
    /// A connection of its own for what faults meet, since some of them end it.
    faulty: Option<Client>,
    requests: u64,
    newest: u64,
}

impl Reader {
    fn connect(address: SocketAddr) -> io::Result<Self> {
        let mut steady = Client::connect(address)?;
        let token = steady.token()?;
        Ok(Self { address, steady, token, faulty: None, requests: 1, newest: 0 })
    }

    fn read(&mut self, requests: u64) -> io::Result<()> {
        // While the events of the last tenth went on, the connection was idle for too long.
        self.steady = Client::connect(self.address)?;
        self.faulty = None;
        let until = self.requests + requests;
        while self.requests < until {
            match self.requests % FAULTY_EVERY {
                0 => self.read_faulty()?,
                1 => {
                    let value = self.value(events::TAG)?;
                    let newest: u64 =
                        value.parse().map_err(|_| io::Error::other(format!("the tag is `{value}`")))?;
                    if newest < self.newest {
                        return Err(io::Error::other(format!("the tag was {}, is {newest}", self.newest)));
                    }
                    self.newest = newest;
                }
                2 => {
                    let path = "/latest/meta-data/iam/security-credentials/my-role";
                    let value: serde_json::Value = serde_json::from_str(&self.value(path)?)?;
                    if value["Code"] != "Success" || value["Expiration"].as_str().is_none() {
                        return Err(io::Error::other("the credentials are none"));
                    }
                }
                3 => self.expect("/latest/meta-data/instance-id", "i-1234567890abcdef0")?,
                _ => self.expect("/latest/meta-data/placement/region", "us-east-1")?,
            }
        }
        Ok(())
    }

    fn expect(&mut self, path: &str, wanted: &str) -> io::Result<()> {
        let value = self.value(path)?;
        if value == wanted { Ok(()) } else { Err(io::Error::other(format!("`{path}` is `{value}`"))) }
    }

    /// A value that no fault meets. Tokens expire every six hours of the day.
    fn value(&mut self, path: &str) -> io::Result<String> {
        for _ in 0..2 {
            self.requests += 1;
            let answer = self.steady.ask("GET", path, header::TOKEN, &self.token)?;
            if answer.status != 401 {
                return answer.value(path);
            }
            self.requests += 1;
            self.token = self.steady.token()?;
        }
        Err(io::Error::other(format!("`{path}`: a new token is refused")))
    }

    /// A fault or the value, and no other value.
    fn read_faulty(&mut self) -> io::Result<()> {
        let mut client = match self.faulty.take() {
            Some(client) => client,
            None => Client::connect(self.address)?,
        };
        self.requests += 1;
        // Cut and reset connections are what was ordered.
        let Ok(answer) = client.ask("GET", events::FAULTY, header::TOKEN, &self.token) else { return Ok(()) };
        match answer.status {
            200 if answer.body == "ami-0abcdef1234567890" => {}
            401 | 404 | 500 | 503 => {}
            status => return Err(io::Error::other(format!("the faulty path: {status} `{}`", answer.body))),
        }
        self.faulty = Some(client);
        Ok(())
    }
}
