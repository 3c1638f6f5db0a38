//! `imds-trace`: attaches the kernel part and follows what it sends until told to stop.

use std::fs;
use std::io::{self, IsTerminal as _, Write as _};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use imds_model::calendar::DateTime;
use rustix::event::{PollFd, PollFlags, Timespec};

use crate::cli::{Output, TraceArgs};
use crate::endpoint::Endpoint;
use crate::failure::{Exit, Failure};
use crate::host::kernel::{self, Kernel, MOST_ENDPOINTS};
use crate::host::lookup::Lookup;
use crate::host::signals::Signals;
use crate::host::{clock, instance, priority, requirements};
use crate::output::json_lines::JsonLines;
use crate::output::metrics::Shared;
use crate::output::shown::Shown;
use crate::output::terminal::Screen;
use crate::report::line::{End, FORMAT, Line, Start};
use crate::report::record::Request;
use crate::trace::event::{Event, Kind};
use crate::trace::tracker::{Exchange, Tracker};

/// How often the kernel's buffer is looked at, and finished exchanges are looked for, while there
/// is something going on.
const TICK: Duration = Duration::from_millis(100);
/// How often the kernel's buffer is looked at while connections are open and quiet: only a new
/// connection wakes this process.
const QUIET: Duration = Duration::from_secs(1);
/// How long after its last event a connection counts as quiet.
const RECENT: Duration = Duration::from_secs(5);
/// How often the live table is looked at.
const REDRAW: Duration = Duration::from_secs(1);
/// How long nothing has to be done where nothing comes.
const IDLE: Duration = Duration::from_secs(60);

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
    let shared = Shared::default();
    let metrics = args.metrics.map(|address| {
        TcpListener::bind(address).map_err(|error| {
            Failure::new(Exit::Usage, format!("cannot serve metrics at `{address}`")).caused_by(error)
        })
    });
    let metrics = metrics.transpose()?;
    let signals = Signals::register()?;
    let lookup = Lookup::new(&args.host_root, &cgroup_root);
    priority::raise();
    let kernel = Kernel::attach(&cgroup, &endpoints, args.buffer)?;
    if let Some(listener) = metrics {
        shared.serve(listener)?;
    }
    if args.host_root == Path::new("/") && !requirements::sees_host_processes() {
        // Where stderr is gone there is nobody left to tell.
        let _ = writeln!(
            io::stderr(),
            "note: this is not the host's pid namespace: processes are not found by their ids\n\
             hint: run it on the host, or mount the host's root directory and name it with --host-root"
        );
    }
    let now = clock::monotonic();
    let mut session = Session {
        started: now,
        summed: now,
        last_event: now,
        endpoints: endpoints.iter().map(ToString::to_string).collect(),
        shown: shown(&args)?,
        tracker: Tracker::default(),
        shared,
        events: Vec::new(),
        kernel,
        lookup,
        args,
    };
    let fail_on_v1 = session.args.fail_on_v1;
    let result = session.start(&cgroup).and_then(|()| session.follow(&signals)).and_then(|()| session.end());
    match result {
        // What comes after it is not seen, so this is no success.
        Err(failure) if failure.is_reader_gone() && fail_on_v1 => {
            Err(Failure::new(Exit::Incomplete, "cannot go on tracing: the reader of the output has gone"))
        }
        result => result,
    }
}

/// What the trace is shown as.
fn shown(args: &TraceArgs) -> Result<Shown, Failure> {
    let terminal = io::stdout().is_terminal();
    let default = if terminal { Output::Table } else { Output::Json };
    Ok(match args.output.unwrap_or(default) {
        Output::Json => {
            Shown::Json { lines: JsonLines::new(), requests: !args.summary, v1_only: args.v1_only }
        }
        Output::Table if terminal && !args.summary => Shown::Live {
            screen: Screen::open()?,
            title: format!("imds-trace {}", env!("CARGO_PKG_VERSION")),
            shown_at: None,
        },
        Output::Table => Shown::Table,
    })
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
    /// When sums were last shown.
    summed: u64,
    /// When the last event came.
    last_event: u64,
    endpoints: Vec<String>,
    kernel: Kernel,
    tracker: Tracker,
    lookup: Lookup,
    shared: Shared,
    /// Events that were read and not looked at yet.
    events: Vec<Event>,
    shown: Shown,
}

impl Session {
    fn start(&mut self, cgroup: &Path) -> Result<(), Failure> {
        let system = rustix::system::uname();
        let id = self.args.instance_id.clone();
        let start = Start {
            format: FORMAT,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            time: now(),
            instance_id: id.or_else(|| instance::instance_id(&self.args.host_root)),
            host: system.nodename().to_string_lossy().into_owned(),
            kernel: system.release().to_string_lossy().into_owned(),
            cgroup: cgroup.to_string_lossy().into_owned(),
            endpoints: self.endpoints.clone(),
        };
        self.shown.line(&Line::Start(Box::new(start)))?;
        self.shown.settle(&self.shared.lock(), clock::monotonic())
    }

    /// Follows events until a signal, a key, or the end of the time.
    fn follow(&mut self, signals: &Signals) -> Result<(), Failure> {
        loop {
            let wait = self.wait();
            if self.time_left().is_some_and(|left| left.is_zero()) {
                return Ok(());
            }
            let timeout = Timespec::try_from(wait).unwrap_or(Timespec { tv_sec: 1, tv_nsec: 0 });
            let stdin = io::stdin();
            let mut ready =
                vec![PollFd::new(&self.kernel, PollFlags::IN), PollFd::new(signals, PollFlags::IN)];
            if self.shown.has_keys() {
                ready.push(PollFd::new(&stdin, PollFlags::IN));
            }
            match rustix::event::poll(&mut ready, Some(&timeout)) {
                Ok(_) | Err(rustix::io::Errno::INTR) => {}
                Err(error) => {
                    return Err(Failure::new(Exit::Failed, "cannot wait for events")
                        .caused_by(io::Error::from(error)));
                }
            }
            let key = ready.get(2).is_some_and(|stdin| !stdin.revents().is_empty());
            drop(ready);
            self.drain()?;
            if signals.came() || (key && Screen::quit_pressed()) {
                return Ok(());
            }
            self.sum_up_when_due()?;
        }
    }

    /// How long nothing has to be done, unless something comes.
    fn wait(&self) -> Duration {
        let mut wait = self.time_left().unwrap_or(IDLE).min(IDLE);
        if let Some(every) = self.args.every {
            wait = wait.min(every.saturating_sub(since(self.summed)));
        }
        if self.tracker.waits() || (self.tracker.follows() && since(self.last_event) < RECENT) {
            wait = wait.min(TICK);
        } else if self.tracker.follows() {
            wait = wait.min(QUIET);
        }
        if self.shown.is_live() { wait.min(REDRAW) } else { wait }
    }

    fn time_left(&self) -> Option<Duration> {
        self.args.duration.map(|duration| duration.saturating_sub(since(self.started)))
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
            self.last_event = event.time;
            if event.kind == Kind::Connect {
                self.lookup.complete(event.cookie, &event.origin);
            }
            self.tracker.event(&event, |exchange| finished.push(exchange));
        }
        self.tracker.tick(clock::monotonic(), |exchange| finished.push(exchange));
        self.show(finished)
    }

    fn show(&mut self, finished: Vec<Exchange>) -> Result<(), Failure> {
        let mut totals = self.shared.lock();
        for exchange in finished {
            let caller = self.lookup.caller(exchange.cookie, &exchange.origin);
            let endpoint = self.endpoints.get(usize::from(exchange.endpoint)).cloned().unwrap_or_default();
            let time = clock::wall_millis(exchange.time);
            let request = Request::new(exchange, time, endpoint, caller);
            totals.counts.add(&request);
            totals.summary.add(&request);
            self.shown.line(&Line::Request(Box::new(request)))?;
        }
        for cookie in self.tracker.take_ended() {
            self.lookup.forget(cookie);
        }
        totals.counts.connections_without_request = self.tracker.silent();
        totals.counts.connections_evicted = self.tracker.evicted();
        totals.counts.lost = self.kernel.lost()?;
        self.shown.settle(&totals, clock::monotonic())
    }

    /// Shows the sums, and begins new ones, as often as `--every` says.
    fn sum_up_when_due(&mut self) -> Result<(), Failure> {
        if self.args.every.is_none_or(|every| since(self.summed) < every) {
            return Ok(());
        }
        self.summed = clock::monotonic();
        let mut totals = self.shared.lock();
        self.shown.summary(&totals, self.args.v1_only)?;
        let counts = End { time: now(), counts: totals.counts.clone() };
        self.shown.line(&Line::Counts(Box::new(counts)))?;
        self.shown.settle(&totals, clock::monotonic())?;
        totals.summary.clear();
        Ok(())
    }

    fn end(mut self) -> Result<ExitCode, Failure> {
        self.drain()?;
        let mut finished = Vec::new();
        self.tracker.finish(|exchange| finished.push(exchange));
        self.show(finished)?;
        let totals = self.shared.lock();
        self.shown.summary(&totals, self.args.v1_only)?;
        let end = End { time: now(), counts: totals.counts.clone() };
        self.shown.line(&Line::End(Box::new(end)))?;
        self.shown.settle(&totals, clock::monotonic())?;
        let counts = &totals.counts;
        if !self.args.fail_on_v1 {
            return Ok(ExitCode::SUCCESS);
        }
        Ok(match counts.v1 {
            0 if counts.is_complete() => ExitCode::SUCCESS,
            0 => ExitCode::from(Exit::Incomplete as u8),
            _ => ExitCode::from(Exit::Failed as u8),
        })
    }
}

/// How long ago `CLOCK_MONOTONIC` was at `then`.
fn since(then: u64) -> Duration {
    Duration::from_nanos(clock::monotonic().saturating_sub(then))
}

fn now() -> String {
    DateTime::from_unix_millis(clock::wall_millis(clock::monotonic())).rfc3339_millis()
}
