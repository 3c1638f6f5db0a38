//! The daemon's decisions: what a state, an answer, a signal or the time leads to. No I/O and no clock of its own, so
//! that every path through it is tested with made-up ones.

use std::time::Duration;

use imds::Moment;
use imds_model::TargetLifecycleState;

use crate::details::{Details, Hook};
use crate::record::{Action, Record, Stage, Verdict};

/// The shortest heartbeat timeout that a lifecycle hook can have (Amazon EC2 Auto Scaling API Reference,
/// `PutLifecycleHook`): what is assumed where the hook's own cannot be read.
const SHORTEST_TIMEOUT: Duration = Duration::from_secs(30);
/// The pause after a call that failed, doubled each time up to the longest.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// The target state is shown a moment before the instance waits for its lifecycle action. A completion that finds no
/// action is repeated this often, for so long.
const EARLY_PAUSE: Duration = Duration::from_secs(5);
const EARLY: Duration = Duration::from_secs(60);

/// What the user wants.
#[derive(Clone, Debug)]
pub(crate) struct Rules {
    /// The states that are acted on.
    pub(crate) states: Vec<String>,
    pub(crate) complete: When,
    /// What Auto Scaling is told where the hook failed.
    pub(crate) on_failure: Verdict,
    /// In place of a third of the hook's heartbeat timeout.
    pub(crate) heartbeat: Option<Duration>,
}

/// When an action is completed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum When {
    /// When the command has ended
    OnExit,
    /// When this program is stopped by SIGTERM, as the last thing of a shutdown that the command has begun
    OnStop,
}

/// What happened.
#[derive(Clone, Debug)]
pub(crate) enum Input {
    /// The target lifecycle state, or none; or why it could not be read.
    Reading(Result<Option<String>, String>),
    Details(Result<Details, String>),
    HookEnded {
        number: u64,
        result: HookResult,
    },
    Heartbeat(Result<(), ApiError>),
    Completed(Result<(), ApiError>),
    /// SIGTERM or SIGINT.
    Stop,
    /// Nothing but time.
    Time,
}

/// How a hook ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct HookResult {
    pub(crate) success: bool,
    /// In words: `exit status: 1`.
    pub(crate) told: String,
}

/// Why a call of Auto Scaling's failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ApiError {
    /// There is no lifecycle action to complete or prolong.
    NoAction,
    /// No answer came: it may have been done, or not.
    Lost(String),
    /// Anything that may be otherwise later.
    Other(String),
}

/// What is to be done, in this order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Put the record on the disk. What follows relies on it.
    Save,
    Resolve,
    /// See to it that the hook of this action runs, once.
    RunHook {
        number: u64,
        state: String,
    },
    Heartbeat {
        group: String,
        hook: String,
    },
    Complete {
        group: String,
        hook: String,
        verdict: Verdict,
    },
    /// The files of this action's hook are no longer needed.
    Forget(u64),
    Say(String),
    Exit,
}

/// The state of all this.
#[derive(Debug)]
pub(crate) struct Machine {
    rules: Rules,
    pub(crate) record: Record,
    details: Option<Details>,
    /// The details are those that an earlier process found: good enough to go on with, and to be found again.
    recorded: bool,
    resolving: bool,
    next_resolve: Moment,
    resolve_pause: Duration,
    /// What was said last about details, so that a failure that lasts is said once.
    said: Option<String>,
    outage: bool,
    stopping: bool,
    begun: Moment,
    /// The action was begun by an earlier process.
    resumed: bool,
    /// A completion was sent whose answer was lost.
    lost: bool,
    beating: bool,
    next_beat: Moment,
    /// Auto Scaling has no action that a heartbeat could prolong.
    beatless: bool,
    completing: bool,
    next_complete: Moment,
    complete_pause: Duration,
}

impl Machine {
    /// Goes on from a record. Gives what is to be done at once.
    pub(crate) fn new(rules: Rules, record: Record, now: Moment) -> (Self, Vec<Step>) {
        // Of an action that is not finished; another one may be of another group.
        let known = record.known.as_ref().filter(|_| record.action.is_some());
        let details = known.and_then(|known| known.details.clone());
        let mut machine = Self {
            rules,
            record,
            recorded: details.is_some(),
            details,
            resolving: false,
            next_resolve: now,
            resolve_pause: FIRST_PAUSE,
            said: None,
            outage: false,
            stopping: false,
            begun: now,
            resumed: false,
            lost: false,
            beating: false,
            next_beat: now,
            beatless: false,
            completing: false,
            next_complete: now,
            complete_pause: FIRST_PAUSE,
        };
        let mut steps = Vec::new();
        if let Some(action) = &machine.record.action {
            machine.resumed = true;
            let (number, state) = (action.number, action.state.clone());
            steps.push(Step::Say(format!("state `{state}`: going on where the last process ended")));
            if action.stage == Stage::Hook {
                steps.push(Step::RunHook { number, state });
            }
        }
        machine.on_time(now, &mut steps);
        (machine, steps)
    }

    /// Takes in what happened.
    pub(crate) fn handle(&mut self, now: Moment, input: Input) -> Vec<Step> {
        let mut steps = Vec::new();
        match input {
            Input::Reading(reading) => self.on_reading(now, reading, &mut steps),
            Input::Details(details) => self.on_details(now, details, &mut steps),
            Input::HookEnded { number, result } => self.on_hook_end(now, number, &result, &mut steps),
            Input::Heartbeat(result) => self.on_heartbeat(now, result, &mut steps),
            Input::Completed(result) => self.on_completed(now, result, &mut steps),
            Input::Stop => self.on_stop(now, &mut steps),
            Input::Time => {}
        }
        self.on_time(now, &mut steps);
        steps
    }

    /// When to be woken with [`Input::Time`], if nothing else happens before.
    pub(crate) fn wake(&self) -> Option<Moment> {
        let resolve = (self.is_to_resolve() && !self.resolving).then_some(self.next_resolve);
        let stage = self.record.action.as_ref().map(|action| action.stage);
        let known = self.details.is_some();
        let beat = known && !self.beating && !self.beatless && self.is_beating_stage();
        let complete = known && !self.completing && matches!(stage, Some(Stage::Completing { .. }));
        let beat = beat.then_some(self.next_beat);
        let complete = complete.then_some(self.next_complete);
        [resolve, beat, complete].into_iter().flatten().min()
    }

    const fn is_to_resolve(&self) -> bool {
        self.details.is_none() || self.recorded
    }

    fn is_beating_stage(&self) -> bool {
        let stage = self.record.action.as_ref().map(|action| action.stage);
        matches!(stage, Some(Stage::Hook | Stage::Held { .. }))
    }

    fn on_reading(&mut self, now: Moment, reading: Result<Option<String>, String>, steps: &mut Vec<Step>) {
        let state = match reading {
            Ok(state) => state,
            Err(reason) => {
                if !self.outage {
                    steps.push(Step::Say(format!("the metadata service cannot be read: {reason}")));
                }
                self.outage = true;
                return;
            }
        };
        if std::mem::take(&mut self.outage) {
            steps.push(Step::Say("the metadata service can be read again".to_owned()));
        }
        if state == self.record.seen || self.stopping {
            return;
        }
        self.record.seen.clone_from(&state);
        let Some(state) = state else {
            steps.extend([Step::Save, Step::Say("there is no target lifecycle state any more".to_owned())]);
            return;
        };
        if !self.rules.states.contains(&state) {
            let known = state.parse::<TargetLifecycleState>().is_ok();
            let told = if known {
                format!("state `{state}`: nothing to do")
            } else {
                format!("unknown target lifecycle state `{state}`: nothing to do, watching on")
            };
            steps.extend([Step::Save, Step::Say(told)]);
        } else if self.record.action.is_some() {
            steps.push(Step::Say(format!("state `{state}`: it waits until the last one is completed")));
            self.record.waiting = Some(state);
            steps.push(Step::Save);
        } else {
            self.begin(now, state, steps);
        }
    }

    fn begin(&mut self, now: Moment, state: String, steps: &mut Vec<Step>) {
        self.record.number += 1;
        let number = self.record.number;
        self.record.action = Some(Action { number, state: state.clone(), stage: Stage::Hook });
        self.begun = now;
        self.resumed = false;
        self.lost = false;
        self.beatless = false;
        self.next_beat = now + self.beat_interval();
        self.complete_pause = FIRST_PAUSE;
        steps.push(Step::Save);
        steps.push(Step::Say(format!("state `{state}`: running the command")));
        steps.push(Step::RunHook { number, state });
    }

    /// A third of the time that Auto Scaling waits for a heartbeat, so that two in a row may be lost.
    fn beat_interval(&self) -> Duration {
        let state = self.record.action.as_ref().map(|action| action.state.as_str());
        let timeout = match (&self.details, state) {
            (Some(details), Some(state)) => match details.hook(state) {
                Hook::One(_, timeout) => timeout,
                Hook::None | Hook::Unclear(_) => None,
            },
            _ => None,
        };
        self.rules.heartbeat.unwrap_or_else(|| timeout.unwrap_or(SHORTEST_TIMEOUT) / 3)
    }

    fn on_details(&mut self, now: Moment, details: Result<Details, String>, steps: &mut Vec<Step>) {
        self.resolving = false;
        match details {
            Ok(details) => {
                self.resolve_pause = FIRST_PAUSE;
                let told = format!("Auto Scaling group `{}`", details.group);
                self.recorded = false;
                if let Some(known) = &mut self.record.known {
                    known.details = Some(details.clone());
                    // Without an action there is nothing that a restart would need it for.
                    steps.extend(self.record.action.is_some().then_some(Step::Save));
                }
                self.details = Some(details);
                steps.push(Step::Say(told));
                if !self.resumed && self.record.action.is_some() {
                    self.next_beat = self.begun + self.beat_interval();
                }
            }
            Err(reason) => {
                self.next_resolve = now + self.resolve_pause;
                self.resolve_pause = (self.resolve_pause * 2).min(LONGEST_PAUSE);
                self.say_once(reason, steps);
            }
        }
    }

    fn say_once(&mut self, told: String, steps: &mut Vec<Step>) {
        if self.said.as_ref() != Some(&told) {
            steps.push(Step::Say(told.clone()));
            self.said = Some(told);
        }
    }

    fn on_hook_end(&mut self, now: Moment, number: u64, result: &HookResult, steps: &mut Vec<Step>) {
        let (complete, on_failure) = (self.rules.complete, self.rules.on_failure);
        let Some(action) = &mut self.record.action else { return };
        if action.number != number || action.stage != Stage::Hook {
            return;
        }
        steps.push(Step::Say(format!("state `{}`: the command ended with {}", action.state, result.told)));
        action.stage = match complete {
            When::OnStop => Stage::Held { success: result.success },
            When::OnExit => Stage::Completing { verdict: verdict(result.success, on_failure) },
        };
        self.next_complete = now;
        steps.push(Step::Save);
    }

    fn on_heartbeat(&mut self, now: Moment, result: Result<(), ApiError>, steps: &mut Vec<Step>) {
        self.beating = false;
        self.next_beat = now + self.beat_interval();
        match result {
            Ok(()) => {}
            Err(ApiError::NoAction) => {
                self.beatless = true;
                steps.push(Step::Say("Auto Scaling has no action that a heartbeat could prolong".to_owned()));
            }
            Err(ApiError::Lost(reason) | ApiError::Other(reason)) => {
                self.next_beat = now + EARLY_PAUSE.min(self.beat_interval());
                self.say_once(format!("the heartbeat failed: {reason}"), steps);
            }
        }
    }

    fn on_completed(&mut self, now: Moment, result: Result<(), ApiError>, steps: &mut Vec<Step>) {
        self.completing = false;
        match result {
            Ok(()) => self.done(now, "completed", steps),
            // Either Auto Scaling was told and its answer did not arrive, or there is none.
            Err(ApiError::NoAction) if self.resumed || self.lost || now - self.begun >= EARLY => {
                self.done(now, "Auto Scaling has no action waiting for it", steps);
            }
            Err(ApiError::NoAction) => self.next_complete = now + EARLY_PAUSE,
            Err(ApiError::Lost(reason)) => {
                self.lost = true;
                self.complete_later(now, &reason, steps);
            }
            Err(ApiError::Other(reason)) => self.complete_later(now, &reason, steps),
        }
    }

    fn complete_later(&mut self, now: Moment, reason: &str, steps: &mut Vec<Step>) {
        self.next_complete = now + self.complete_pause;
        self.complete_pause = (self.complete_pause * 2).min(LONGEST_PAUSE);
        self.say_once(format!("the completion failed: {reason}"), steps);
    }

    fn done(&mut self, now: Moment, told: &str, steps: &mut Vec<Step>) {
        let Some(action) = self.record.action.take() else { return };
        self.resumed = false;
        let waiting = self.record.waiting.take();
        steps.push(Step::Save);
        steps.push(Step::Say(format!("state `{}`: {told}", action.state)));
        steps.push(Step::Forget(action.number));
        if self.stopping {
            steps.push(Step::Exit);
        } else if let Some(state) = waiting {
            self.begin(now, state, steps);
        }
    }

    fn on_stop(&mut self, now: Moment, steps: &mut Vec<Step>) {
        if self.stopping {
            // Asked twice: whoever asks does not want to wait.
            return steps.push(Step::Exit);
        }
        self.stopping = true;
        let (complete, on_failure) = (self.rules.complete, self.rules.on_failure);
        let Some(action) = &mut self.record.action else { return steps.push(Step::Exit) };
        let success = match (complete, action.stage) {
            (_, Stage::Completing { .. }) => return,
            (When::OnExit, _) => {
                let told = format!(
                    "state `{}`: stopped before the command has ended; a restart goes on",
                    action.state
                );
                return steps.extend([Step::Say(told), Step::Exit]);
            }
            (When::OnStop, Stage::Hook) => true,
            (When::OnStop, Stage::Held { success }) => success,
        };
        action.stage = Stage::Completing { verdict: verdict(success, on_failure) };
        self.next_complete = now;
        steps.push(Step::Save);
    }

    /// What is due.
    fn on_time(&mut self, now: Moment, steps: &mut Vec<Step>) {
        if steps.contains(&Step::Exit) {
            return;
        }
        if self.is_to_resolve() && !self.resolving && now >= self.next_resolve {
            self.resolving = true;
            steps.push(Step::Resolve);
        }
        let Some(details) = &self.details else { return };
        let Some(action) = &self.record.action else { return };
        let group = details.group.clone();
        match (details.hook(&action.state), action.stage) {
            (Hook::One(hook, _), Stage::Hook | Stage::Held { .. }) => {
                if !self.beating && !self.beatless && now >= self.next_beat {
                    self.beating = true;
                    steps.push(Step::Heartbeat { group, hook });
                }
            }
            (Hook::One(hook, _), Stage::Completing { verdict }) => {
                if !self.completing && now >= self.next_complete {
                    self.completing = true;
                    steps.push(Step::Complete { group, hook, verdict });
                }
            }
            (Hook::None, Stage::Completing { .. }) => {
                self.done(
                    now,
                    "the group has no lifecycle hook for it, so there is nothing to complete",
                    steps,
                );
            }
            (Hook::Unclear(reason), _) => {
                // The answer may be another one once the group has changed.
                self.details = None;
                self.recorded = false;
                self.next_resolve = now + LONGEST_PAUSE;
                self.say_once(reason, steps);
            }
            (Hook::None, Stage::Hook | Stage::Held { .. }) => self.beatless = true,
        }
    }
}

const fn verdict(success: bool, on_failure: Verdict) -> Verdict {
    if success { Verdict::Continue } else { on_failure }
}

#[cfg(test)]
#[path = "machine_tests.rs"]
mod tests;
