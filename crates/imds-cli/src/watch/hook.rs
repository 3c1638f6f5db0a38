//! Running the hook: one at a time, in order, each with its change in the environment and on
//! standard input.

use std::io::Write as _;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use imds::{Clock as _, Moment, SystemClock};
use imds_model::backoff::full_jitter;
use imds_watch::Change;
use rustix::process::{Pid, Signal};

use super::metrics::Metrics;
use super::state::State;
use super::{line, text};
use crate::report::{self, Failure};

/// A pipe takes at least this much without a reader (pipe(7)).
const PIPE: usize = 4_096;
/// Longest value that is also given as a variable: the kernel refuses one of 128 KiB (execve(2)).
const VARIABLE: usize = 32 * 1_024;
/// The pause before the first retry; each further one is twice as long.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// Longest pause between two runs of a failing hook.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// How long a hook that is past its time has to end by itself.
const GRACE: Duration = Duration::from_secs(10);

/// The hook and its rules.
#[derive(Clone, Debug)]
pub(crate) struct HookOptions {
    /// For `sh -c`.
    pub(crate) command: String,
    /// How often a hook that failed is tried again.
    pub(crate) retries: u32,
    /// How long it may take.
    pub(crate) timeout: Option<Duration>,
}

/// Runs the hook.
pub(super) struct Runner {
    options: HookOptions,
    metrics: Metrics,
    running: Option<Run>,
    /// Nothing is begun before.
    not_before: Option<Moment>,
    failures: u32,
    stopping: bool,
}

struct Run {
    child: Child,
    event: String,
    /// When it is told to end, and whether that has been done: then, when it is killed.
    deadline: Option<Moment>,
    told: bool,
}

impl Runner {
    pub(super) fn new(options: HookOptions, metrics: Metrics) -> Self {
        Self { options, metrics, running: None, not_before: None, failures: 0, stopping: false }
    }

    /// Lets what runs end, and begins nothing more.
    pub(super) fn start_no_more(&mut self) {
        self.stopping = true;
    }

    /// Whether a hook runs, or will.
    pub(super) fn is_busy(&self, state: &State) -> bool {
        self.running.is_some() || (!self.stopping && state.is_hook_waiting())
    }

    /// When something has to be done that no signal announces.
    pub(super) fn next_wake(&self) -> Option<Moment> {
        match &self.running {
            Some(run) => run.deadline,
            None => self.not_before,
        }
    }

    /// Takes in an end, keeps the time limit, begins what waits.
    pub(super) fn step(&mut self, state: &mut State, now: Moment) -> Result<(), Failure> {
        if let Some(run) = &mut self.running {
            match run.child.try_wait() {
                Ok(None) => {
                    run.keep_time(now);
                    return Ok(());
                }
                Ok(Some(status)) => {
                    if !status.success() {
                        report::note(&format_args!("the hook for `{}` ended with {status}", run.event));
                    }
                    self.ended(state, status.success(), now);
                }
                Err(error) => {
                    report::note(&format_args!("the hook for `{}` cannot be waited for: {error}", run.event));
                    self.ended(state, false, now);
                }
            }
        }
        while self.running.is_none() && !self.stopping && self.not_before.is_none_or(|time| now >= time) {
            self.not_before = None;
            let Some(change) = state.begin_hook() else { break };
            self.metrics.hook_started();
            match self.spawn(&change) {
                Ok(child) => {
                    let deadline = self.options.timeout.map(|timeout| now + timeout);
                    self.running = Some(Run { child, event: change.event, deadline, told: false });
                }
                Err(error) => {
                    report::note(&format_args!("the hook for `{}` cannot be run: {error}", change.event));
                    self.ended(state, false, now);
                }
            }
        }
        Ok(())
    }

    fn ended(&mut self, state: &mut State, success: bool, now: Moment) {
        self.running = None;
        self.metrics.hook_ended(success);
        if state.end_hook(success, self.options.retries) {
            self.failures += 1;
            let random = SystemClock.random();
            self.not_before = Some(now + full_jitter(FIRST_PAUSE, LONGEST_PAUSE, self.failures, random));
        } else {
            self.failures = 0;
        }
    }

    fn spawn(&self, change: &Change) -> std::io::Result<Child> {
        let mut command = Command::new("/bin/sh");
        command.arg("-c").arg(&self.options.command).stdin(Stdio::piped());
        // The hook talks to people on stderr: stdout is for the lines of changes.
        command.stdout(std::io::stderr());
        // A group of its own, so that the time limit reaches what the shell has started, and a
        // Ctrl-C does not.
        command.process_group(0);
        // Only this process speaks to the service manager for the service.
        for name in ["NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"] {
            command.env_remove(name);
        }
        let left = change.seconds_left.map(|seconds| seconds.to_string());
        let variables = [
            ("IMDS_EVENT", change.event.clone()),
            ("IMDS_PATH", change.path.clone().unwrap_or_default()),
            ("IMDS_CHANGE", change.change.as_str().to_owned()),
            ("IMDS_OLD", text(&change.old)),
            ("IMDS_NEW", text(&change.new)),
            ("IMDS_TIME", change.time.clone()),
            ("IMDS_SECONDS_LEFT", left.unwrap_or_default()),
        ];
        for (name, value) in variables {
            // What no variable can hold is on standard input.
            let fits = value.len() <= VARIABLE && !value.contains('\0');
            command.env(name, if fits { value } else { String::new() });
        }
        let mut child = command.spawn()?;
        if let (Some(mut stdin), Ok(line)) = (child.stdin.take(), line(change)) {
            // A hook that does not read its input leaves a broken pipe, which is its right.
            if line.len() <= PIPE {
                let _ = stdin.write_all(line.as_bytes());
            } else {
                std::thread::spawn(move || stdin.write_all(line.as_bytes()));
            }
        }
        Ok(child)
    }
}

impl Run {
    fn keep_time(&mut self, now: Moment) {
        if self.deadline.is_none_or(|deadline| now < deadline) {
            return;
        }
        let (signal, next) = if self.told { (Signal::KILL, None) } else { (Signal::TERM, Some(now + GRACE)) };
        if !self.told {
            report::note(&format_args!("the hook for `{}` is past its time and told to end", self.event));
        }
        // Fails where the whole group has ended meanwhile, which the next look finds.
        let _ = rustix::process::kill_process_group(Pid::from_child(&self.child), signal);
        self.told = true;
        self.deadline = next;
    }
}
