//! `imds-trace`: attaches the kernel part and follows what it sends until told to stop.

use std::fs;
use std::io;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use imds_model::calendar::DateTime;
use rustix::event::{PollFd, PollFlags, Timespec};

use crate::cli::TraceArgs;
use crate::endpoint::Endpoint;
use crate::failure::{Exit, Failure};
use crate::host::kernel::{self, Kernel, MOST_ENDPOINTS};
use crate::host::lookup::Lookup;
use crate::host::signals::Signals;
use crate::host::{clock, instance, priority};
use crate::output::Sink;
use crate::output::json_lines::JsonLines;
use crate::report::record::{Counts, End, FORMAT, Line, Request, Start};
use crate::trace::event::{Event, Kind};
use crate::trace::request::RequestKind;
use crate::trace::tracker::{Exchange, Tracker};

/// How often finished exchanges are looked for while some are open.
const TICK: Duration = Duration::from_millis(100);
/// How long nothing has to be done where nothing comes.
const IDLE: Duration = Duration::from_secs(3_600);

pub(crate) fn run(args: TraceArgs) -> Result<ExitCode, Failure> {
    let endpoints = if args.endpoints.is_empty() { Endpoint::defaults() } else { args.endpoints.clone() };
    if endpoints.len() > MOST_ENDPOINTS {
        return Err(Failure::new(
            Exit::Usage,
            format!("cannot trace {} endpoints: at most {MOST_ENDPOINTS}", endpoints.len()),
        ));
    }
    let cgroup_root = cgroup_root(&args)?;
    let cgroup = args.cgroup.clone().unwrap_or_else(|| cgroup_root.clone());
    let signals = Signals::register()?;
    let lookup = Lookup::new(&args.host_root, &cgroup_root);
    priority::raise();
    let kernel = Kernel::attach(&cgroup, &endpoints, args.buffer)?;
    let mut session = Session {
        started: clock::monotonic(),
        endpoints: endpoints.iter().map(ToString::to_string).collect(),
        sink: Box::new(JsonLines::new()),
        tracker: Tracker::default(),
        counts: Counts::default(),
        events: Vec::new(),
        kernel,
        lookup,
        args,
    };
    session.start(&cgroup)?;
    session.follow(&signals)?;
    session.end()
}

fn cgroup_root(args: &TraceArgs) -> Result<PathBuf, Failure> {
    let mounts = args.host_root.join("proc/self/mounts");
    let text = fs::read_to_string(&mounts).map_err(|error| {
        Failure::new(Exit::Failed, format!("cannot read `{}`", mounts.display())).caused_by(error)
    })?;
    kernel::cgroup2_root(&text).ok_or_else(|| {
        Failure::new(Exit::Unsupported, "cannot find the cgroup v2 tree: it is not mounted")
            .hint("mount it anywhere: mkdir /run/cgroup2 && mount -t cgroup2 none /run/cgroup2")
    })
}

/// A trace that runs.
struct Session {
    args: TraceArgs,
    /// `CLOCK_MONOTONIC`, in nanoseconds.
    started: u64,
    endpoints: Vec<String>,
    kernel: Kernel,
    tracker: Tracker,
    lookup: Lookup,
    counts: Counts,
    /// Events that were read and not looked at yet.
    events: Vec<Event>,
    sink: Box<dyn Sink>,
}

impl Session {
    fn start(&mut self, cgroup: &std::path::Path) -> Result<(), Failure> {
        let system = rustix::system::uname();
        let start = Start {
            format: FORMAT,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            time: now(),
            instance_id: self
                .args
                .instance_id
                .clone()
                .or_else(|| instance::instance_id(&self.args.host_root)),
            host: system.nodename().to_string_lossy().into_owned(),
            kernel: system.release().to_string_lossy().into_owned(),
            cgroup: cgroup.to_string_lossy().into_owned(),
            endpoints: self.endpoints.clone(),
        };
        self.sink.line(&Line::Start(Box::new(start)))?;
        self.sink.flush()
    }

    /// Follows events until a signal or the end of the time.
    fn follow(&mut self, signals: &Signals) -> Result<(), Failure> {
        loop {
            let wait = match self.time_left() {
                Some(left) if left.is_zero() => return Ok(()),
                left => left.unwrap_or(IDLE).min(if self.tracker.waits() { TICK } else { IDLE }),
            };
            let timeout = Timespec::try_from(wait).unwrap_or(Timespec { tv_sec: 1, tv_nsec: 0 });
            let mut ready = [PollFd::new(&self.kernel, PollFlags::IN), PollFd::new(signals, PollFlags::IN)];
            match rustix::event::poll(&mut ready, Some(&timeout)) {
                Ok(_) | Err(rustix::io::Errno::INTR) => {}
                Err(error) => {
                    return Err(Failure::new(Exit::Failed, "cannot wait for events")
                        .caused_by(io::Error::from(error)));
                }
            }
            self.drain()?;
            if signals.came() {
                return Ok(());
            }
        }
    }

    fn time_left(&self) -> Option<Duration> {
        let passed = Duration::from_nanos(clock::monotonic().saturating_sub(self.started));
        self.args.duration.map(|duration| duration.saturating_sub(passed))
    }

    /// Takes every event that there is, and shows what they finish.
    fn drain(&mut self) -> Result<(), Failure> {
        let Self { kernel, lookup, events, .. } = self;
        // Callers may be gone in a millisecond: theirs is read before anything else is looked at.
        kernel.drain(|raw| {
            let Some(event) = Event::decode(raw) else { return };
            if event.kind == Kind::Connect {
                lookup.connected(&event.origin);
            }
            events.push(event);
        });
        let mut finished = Vec::new();
        for event in std::mem::take(&mut self.events) {
            if event.kind == Kind::Connect {
                self.lookup.complete(event.cookie, &event.origin);
            }
            self.tracker.event(&event, |exchange| finished.push(exchange));
        }
        self.tracker.tick(clock::monotonic(), |exchange| finished.push(exchange));
        self.show(finished)
    }

    fn show(&mut self, finished: Vec<Exchange>) -> Result<(), Failure> {
        for exchange in finished {
            let caller = self.lookup.caller(exchange.cookie, &exchange.origin);
            let endpoint = self.endpoints.get(usize::from(exchange.endpoint)).cloned().unwrap_or_default();
            let time = clock::wall_millis(exchange.time);
            let request = Request::new(exchange, time, endpoint, caller);
            self.counts.add(&request);
            if !self.args.v1_only || request.kind == RequestKind::V1 {
                self.sink.line(&Line::Request(Box::new(request)))?;
            }
        }
        for cookie in self.tracker.take_ended() {
            self.lookup.forget(cookie);
        }
        self.sink.flush()
    }

    fn end(mut self) -> Result<ExitCode, Failure> {
        self.drain()?;
        let mut finished = Vec::new();
        self.tracker.finish(|exchange| finished.push(exchange));
        self.show(finished)?;
        self.counts.connections_without_request = self.tracker.silent();
        self.counts.connections_evicted = self.tracker.evicted();
        self.counts.lost = self.kernel.lost()?;
        let end = End { time: now(), counts: self.counts.clone() };
        self.sink.line(&Line::End(Box::new(end)))?;
        self.sink.flush()?;
        if !self.args.fail_on_v1 {
            return Ok(ExitCode::SUCCESS);
        }
        Ok(match self.counts {
            ref counts if counts.v1 > 0 => ExitCode::from(Exit::Failed as u8),
            ref counts if counts.is_complete() => ExitCode::SUCCESS,
            _ => ExitCode::from(Exit::Incomplete as u8),
        })
    }
}

fn now() -> String {
    DateTime::from_unix_millis(clock::wall_millis(clock::monotonic())).rfc3339_millis()
}
