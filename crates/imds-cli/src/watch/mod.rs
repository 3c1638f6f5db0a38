//! The loop of `imds watch`: asks, tells what changed, runs the hook.

mod hook;
mod metrics;
mod signals;
mod state;

pub(crate) use hook::HookOptions;

use std::net::TcpListener;
use std::path::PathBuf;
use std::time::Duration;

use imds::{Client, Clock as _, Moment, SystemClock, SystemEnvironment};
use imds_watch::{Change, Kind, Pace, Reading, ServiceManager, Subject, gather};

use crate::output;
use crate::report::{self, Failure};
use hook::Runner;
use metrics::Metrics;
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
    let state = State::open(plan.state)?;
    let runner = plan.hook.map(|options| Runner::new(options, metrics.clone()));
    let mut watch = Watch {
        pace: Pace::new(plan.interval),
        next_poll: SystemClock.now(),
        next_alive: SystemClock.now(),
        client,
        subjects: plan.subjects,
        once: plan.once,
        until: plan.until,
        state,
        runner,
        metrics,
        manager,
        ending: false,
    };
    watch.recover()?;
    watch.run(&signals)
}

struct Watch {
    client: Client,
    subjects: Vec<Subject>,
    once: bool,
    until: Option<regex_lite::Regex>,
    state: State,
    runner: Option<Runner>,
    metrics: Metrics,
    manager: ServiceManager,
    pace: Pace,
    next_poll: Moment,
    next_alive: Moment,
    /// Nothing more is asked; the hook that runs is waited for.
    ending: bool,
}

impl Watch {
    /// Tells of hooks that the last process began and did not see to their end.
    fn recover(&mut self) -> Result<(), Failure> {
        for entry in self.state.recover() {
            let change = &entry.change;
            report::note(&format_args!(
                "the hook for `{}` was cut off when the last process ended; it is not run again",
                change.event
            ));
        }
        Ok(())
    }

    fn run(&mut self, signals: &Signals) -> Result<(), Failure> {
        let mut ready = false;
        loop {
            let now = SystemClock.now();
            if !self.ending && now >= self.next_poll {
                self.poll()?;
                if !ready {
                    ready = true;
                    // So that the first notice finds a file: to make one takes longer than to write
                    // in one.
                    self.state.save();
                    self.manager.ready();
                    self.tell_status();
                }
            }
            self.run_hooks()?;
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
            if signals.wait(self.next_wake(now))? {
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

    /// One round over all subjects.
    fn poll(&mut self) -> Result<(), Failure> {
        let mut retry_after = None;
        let mut failed = false;
        for index in 0..self.subjects.len() {
            let Some(subject) = self.subjects.get(index) else { break };
            let client = &self.client;
            let reading = gather(subject, |path| client.get(path).map(imds::Response::into_bytes))?;
            let mut pointless = false;
            if let Reading::Unreadable(outage) = &reading {
                failed = true;
                retry_after = retry_after.max(outage.retry_after);
                // No answer, or too many questions: that holds for the service and not for the
                // path, and the others are asked after the pause. What else fails may fail for this
                // path alone.
                pointless = matches!(outage.kind, "unreachable" | "throttled");
            }
            let changes = self.state.observe(subject, reading, SystemClock.now(), SystemClock.wall());
            self.take_in(changes)?;
            // A hook starts at once, and not after the other subjects were asked.
            self.run_hooks()?;
            if pointless || self.ending {
                break;
            }
        }
        self.metrics.polled(failed);
        let chance = SystemClock.random();
        let pause = if failed { self.pace.failed(retry_after, chance) } else { self.pace.answered(chance) };
        self.next_poll = SystemClock.now() + pause;
        Ok(())
    }

    fn take_in(&mut self, changes: Vec<Change>) -> Result<(), Failure> {
        if changes.is_empty() {
            return Ok(());
        }
        let mut met = false;
        let mut due = false;
        for change in &changes {
            output::text(&line(change)?)?;
            self.metrics.changed(change);
            let of_value = !matches!(change.change, Kind::Unreachable | Kind::Recovered);
            met |= of_value && self.once;
            met |= of_value && self.until.as_ref().is_some_and(|until| until.is_match(&text(&change.new)));
            if self.runner.is_some() {
                due |= self.state.note(change);
            }
        }
        // Before a hook runs, it is on the disk that it does; where one runs, it is saved once more
        // as begun.
        if !due {
            self.state.save();
        }
        self.tell_status();
        self.ending |= met;
        Ok(())
    }

    /// Takes in what has ended and begins what waits.
    fn run_hooks(&mut self) -> Result<(), Failure> {
        match &mut self.runner {
            Some(runner) => runner.step(&mut self.state, SystemClock.now()),
            None => Ok(()),
        }
    }

    fn is_running(&self) -> bool {
        self.runner.as_ref().is_some_and(|runner| runner.is_busy(&self.state))
    }

    fn next_wake(&self, now: Moment) -> Duration {
        let runner = self.runner.as_ref().and_then(Runner::next_wake);
        let alive = self.manager.watchdog().map(|_| self.next_alive);
        let poll = (!self.ending).then_some(self.next_poll);
        let next = [poll, runner, alive].into_iter().flatten().min();
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
