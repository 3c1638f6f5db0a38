//! The loop of `imds watch`: takes in what polls bring, runs the hook, tells what changed, in this
//! order.

mod hook;
mod metrics;
mod poller;
mod printer;
mod signals;
mod state;

pub(crate) use hook::HookOptions;

use std::net::TcpListener;
use std::path::PathBuf;
use std::sync::mpsc::Receiver;
use std::time::Duration;

use imds::{BootId, Client, Clock as _, Moment, SystemClock, SystemEnvironment};
use imds_watch::{Change, Kind, Reading, ServiceManager, Subject};

use crate::report::{self, Failure};
use hook::Runner;
use metrics::Metrics;
use poller::Polled;
use printer::Printer;
use signals::Signals;
use state::State;

/// What is watched, and what is done about it.
pub(crate) struct Plan {
    pub(crate) subjects: Vec<Subject>,
    pub(crate) interval: Duration,
    /// End with the first change.
    pub(crate) once: bool,
    /// End with the first new value that matches.
    pub(crate) until: Option<regex_lite::Regex>,
    pub(crate) hook: Option<HookOptions>,
    pub(crate) state: Option<PathBuf>,
    pub(crate) metrics: Option<TcpListener>,
}

/// Watches until a signal, or until `once` or `until` is met.
pub(crate) fn run(client: Client, plan: Plan) -> Result<(), Failure> {
    let signals = Signals::register()?;
    let manager = ServiceManager::from_environment(&SystemEnvironment);
    let metrics = Metrics::default();
    if let Some(listener) = plan.metrics {
        metrics.serve(listener)?;
    }
    let boot = SystemClock.boot_id();
    let instance_id = || client.get("instance-id").ok()?.text().ok().map(str::to_owned);
    let mut state =
        State::open(plan.state.as_deref(), boot.as_ref().map_or("", BootId::as_str), instance_id)?;
    recover(&mut state);
    // So that the first notice finds a file: to make one takes longer than to write in one.
    state.save();
    let mut watch = Watch {
        polled: poller::start(&client, &plan.subjects, plan.interval, signals.wake())?,
        printer: Printer::start(signals.wake().another().map_err(signals::cannot)?)?,
        runner: plan.hook.map(|options| Runner::new(options, metrics.clone())),
        next_alive: SystemClock.now(),
        subjects: plan.subjects,
        once: plan.once,
        until: plan.until,
        state,
        metrics,
        manager,
        ready: false,
        ending: false,
    };
    let result = watch.run(&signals);
    let unwritten = watch.printer.finish();
    match (result, unwritten) {
        (Ok(()), Some(failure)) if watch.runner.is_none() => Err(failure),
        (result, _) => result,
    }
}

/// Tells of hooks that the last process began and did not see to their end.
fn recover(state: &mut State) {
    for entry in state.recover() {
        report::note(&format_args!(
            "the hook for `{}` was cut off when the last process ended; it is not run again",
            entry.change.event
        ));
    }
}

struct Watch {
    subjects: Vec<Subject>,
    once: bool,
    until: Option<regex_lite::Regex>,
    state: State,
    runner: Option<Runner>,
    metrics: Metrics,
    manager: ServiceManager,
    polled: Receiver<Polled>,
    printer: Printer,
    next_alive: Moment,
    /// A first answer has come.
    ready: bool,
    /// Nothing more is taken in; the hook that runs is waited for.
    ending: bool,
}

impl Watch {
    fn run(&mut self, signals: &Signals) -> Result<(), Failure> {
        loop {
            while !self.ending {
                let Ok((index, polled)) = self.polled.try_recv() else { break };
                self.take_in(index, polled?)?;
            }
            self.run_hooks();
            if let Some(failure) = self.printer.failure() {
                // Hooks matter more than lines. Without one there is nobody left to watch for.
                if self.runner.is_none() {
                    return Err(failure);
                }
                report::note(&format_args!("stdout cannot be written: going on with the hook alone"));
            }
            if self.ending && !self.is_running() {
                self.state.save();
                self.manager.stopping();
                return Ok(());
            }
            let now = SystemClock.now();
            if let Some(time) = self.manager.watchdog()
                && now >= self.next_alive
            {
                self.manager.alive();
                self.next_alive = now + time;
            }
            let children = self.runner.as_ref().is_some_and(Runner::is_running);
            if signals.wait(self.next_wake(now), children)? {
                if self.ending {
                    return Ok(());
                }
                // The hook that runs has been promised to run once: it is let end. A second signal
                // does not wait.
                self.manager.stopping();
                self.ending = true;
                self.once = false;
                if let Some(runner) = &mut self.runner {
                    runner.start_no_more();
                }
            }
        }
    }

    /// What one poll of a subject brought.
    fn take_in(&mut self, index: usize, reading: Reading) -> Result<(), Failure> {
        let Some(subject) = self.subjects.get(index) else { return Ok(()) };
        let failed = matches!(reading, Reading::Unreadable(_));
        let changes = self.state.observe(subject, reading, SystemClock.now(), SystemClock.wall());
        self.metrics.polled(failed, self.state.is_failing());
        if !std::mem::replace(&mut self.ready, true) {
            self.manager.ready();
            self.tell_status();
        }
        if changes.is_empty() {
            return Ok(());
        }
        let mut met = false;
        let mut due = false;
        for change in &changes {
            self.metrics.changed(change);
            let of_value = !matches!(change.change, Kind::Unreachable | Kind::Recovered);
            met |= of_value && self.once;
            met |= of_value && self.until.as_ref().is_some_and(|until| until.is_match(&text(&change.new)));
            if self.runner.is_some() {
                due |= self.state.note(change);
            }
        }
        if due {
            // Before a hook runs, it is on the disk that it does.
            self.run_hooks();
        } else {
            self.state.save();
        }
        for change in &changes {
            self.printer.print(line(change)?);
        }
        self.tell_status();
        self.ending |= met;
        Ok(())
    }

    /// Takes in what has ended and begins what waits.
    fn run_hooks(&mut self) {
        if let Some(runner) = &mut self.runner {
            runner.step(&mut self.state, SystemClock.now());
        }
    }

    fn is_running(&self) -> bool {
        self.runner.as_ref().is_some_and(|runner| runner.is_busy(&self.state))
    }

    fn next_wake(&self, now: Moment) -> Duration {
        let runner = self.runner.as_ref().and_then(Runner::next_wake);
        let alive = self.manager.watchdog().map(|_| self.next_alive);
        let next = [runner, alive].into_iter().flatten().min();
        next.map_or(Duration::from_secs(3_600), |next| next - now)
    }

    fn tell_status(&self) {
        let number = self.subjects.len();
        let s = if number == 1 { "" } else { "s" };
        self.manager.status(&if self.state.is_failing() {
            "the metadata service cannot be read".to_owned()
        } else {
            format!("watching {number} subject{s}")
        });
    }
}

/// The line for a change.
fn line(change: &Change) -> Result<String, Failure> {
    let mut line = serde_json::to_string(change).map_err(|error| {
        Failure::told(crate::exit::Exit::Unexpected, "cannot write a change as JSON").caused_by(error)
    })?;
    line.push('\n');
    Ok(line)
}

/// A value as text: a string without its quotes, anything else as JSON, nothing for null.
fn text(value: &serde_json::Value) -> String {
    match value {
        serde_json::Value::Null => String::new(),
        serde_json::Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
