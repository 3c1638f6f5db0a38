//! Running the hook: one at a time for each event, in order, each with its change in the
//! environment and on standard input. An event never waits for the hook of another.

use std::collections::BTreeMap;
use std::time::Duration;

use imds::{Clock as _, Moment, SystemClock};
use imds_model::backoff::full_jitter;
use imds_watch::command::{Command, Running};
use imds_watch::{Change, deadline_seconds};

use super::metrics::Metrics;
use super::state::State;
use super::text;
use crate::report;

/// The pause before the first retry; each further one is twice as long.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// The hook and its rules.
#[derive(Clone, Debug)]
pub(crate) struct HookOptions {
    /// For the shell.
    pub(crate) command: String,
    /// What runs it instead of `/bin/sh`.
    pub(crate) shell: Option<std::path::PathBuf>,
    /// How often a hook that failed is tried again.
    pub(crate) retries: u32,
    /// How long it may take.
    pub(crate) timeout: Option<Duration>,
}

/// Runs the hook.
pub(super) struct Runner {
    options: HookOptions,
    metrics: Metrics,
    lanes: BTreeMap<String, Lane>,
    stopping: bool,
}

/// The hooks of one event.
#[derive(Default)]
struct Lane {
    running: Option<Running>,
    /// Nothing is begun before.
    not_before: Option<Moment>,
    failures: u32,
}

impl Runner {
    pub(super) fn new(options: HookOptions, metrics: Metrics) -> Self {
        Self { options, metrics, lanes: BTreeMap::new(), stopping: false }
    }

    /// Lets what runs end, and begins nothing more.
    pub(super) fn start_no_more(&mut self) {
        self.stopping = true;
    }

    /// Whether a hook runs, or will.
    pub(super) fn is_busy(&self, state: &State) -> bool {
        self.is_running() || (!self.stopping && !state.waiting().is_empty())
    }

    /// Whether a hook runs now.
    pub(super) fn is_running(&self) -> bool {
        self.lanes.values().any(|lane| lane.running.is_some())
    }

    /// When something has to be done that no signal announces.
    pub(super) fn next_wake(&self) -> Option<Moment> {
        let wake = |lane: &Lane| lane.running.as_ref().map_or(lane.not_before, Running::wake);
        self.lanes.values().filter_map(wake).min()
    }

    /// Takes in what has ended, keeps the time limit, begins what waits.
    pub(super) fn step(&mut self, state: &mut State, now: Moment) {
        for (event, lane) in &mut self.lanes {
            lane.take_in_end(event, &self.options, &self.metrics, state, now);
        }
        if self.stopping {
            return;
        }
        for event in state.waiting() {
            let lane = self.lanes.entry(event.clone()).or_default();
            lane.begin(&event, &self.options, &self.metrics, state, now);
        }
    }
}

impl Lane {
    fn take_in_end(
        &mut self,
        event: &str,
        options: &HookOptions,
        metrics: &Metrics,
        state: &mut State,
        now: Moment,
    ) {
        let Some(running) = &mut self.running else { return };
        let success = match running.try_wait() {
            Ok(None) => {
                if running.keep_time(now) {
                    report::note(&format_args!("the hook for `{event}` is past its time and told to end"));
                }
                return;
            }
            Ok(Some(status)) => {
                if !status.success() {
                    report::note(&format_args!("the hook for `{event}` ended with {status}"));
                }
                status.success()
            }
            Err(error) => {
                report::note(&format_args!("the hook for `{event}` cannot be waited for: {error}"));
                false
            }
        };
        self.ended(event, options, metrics, state, success, now);
    }

    fn begin(
        &mut self,
        event: &str,
        options: &HookOptions,
        metrics: &Metrics,
        state: &mut State,
        now: Moment,
    ) {
        while self.running.is_none() && self.not_before.is_none_or(|time| now >= time) {
            self.not_before = None;
            let Some(change) = state.begin_hook(event) else { return };
            metrics.hook_started();
            let spawned = command(options, change)
                .and_then(|command| command.spawn(options.timeout.map(|timeout| now + timeout)));
            match spawned {
                Ok(running) => self.running = Some(running),
                Err(error) => {
                    report::note(&format_args!("the hook for `{event}` cannot be run: {error}"));
                    self.ended(event, options, metrics, state, false, now);
                }
            }
        }
    }

    fn ended(
        &mut self,
        event: &str,
        options: &HookOptions,
        metrics: &Metrics,
        state: &mut State,
        success: bool,
        now: Moment,
    ) {
        self.running = None;
        metrics.hook_ended(success);
        if state.end_hook(event, success, options.retries) {
            self.failures += 1;
            let random = SystemClock.random();
            self.not_before = Some(now + full_jitter(FIRST_PAUSE, LONGEST_PAUSE, self.failures, random));
        } else {
            self.failures = 0;
        }
    }
}

/// The hook's command for a change. The time that is left is that of now: the change may have
/// waited.
fn command(options: &HookOptions, mut change: Change) -> std::io::Result<Command> {
    if change.seconds_left.is_some() {
        change.seconds_left = deadline_seconds(&change.new, SystemClock.wall());
    }
    let left = change.seconds_left.map(|seconds| seconds.to_string()).unwrap_or_default();
    let mut command = Command::new(&options.command);
    if let Some(shell) = &options.shell {
        command = command.shell(shell);
    }
    Ok(command
        .input(serde_json::to_string(&change)? + "\n")
        .variable("IMDS_EVENT", change.event)
        .variable("IMDS_PATH", change.path.unwrap_or_default())
        .variable("IMDS_CHANGE", change.change.as_str())
        .variable("IMDS_OLD", text(&change.old))
        .variable("IMDS_NEW", text(&change.new))
        .variable("IMDS_TIME", change.time)
        .variable("IMDS_SECONDS_LEFT", left))
}
