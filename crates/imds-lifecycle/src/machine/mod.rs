//! The daemon's decisions: what a state, an answer, a signal or the time leads to. No I/O and no
//! clock of its own, so that every path through it is tested with injected ones.
//!
//! `autoscaling/target-lifecycle-state` changes when the group decides. Behind a load balancer the
//! instance then drains for minutes before it enters `Terminating:Wait`, and only that opens the
//! lifecycle action: heartbeats and completions before it are refused as those after its end are. A
//! refusal therefore ends an action only if a call for it has succeeded before, or if the API says
//! that the instance has moved on.

mod answers;
pub(crate) mod hooks;
mod interface;
pub(crate) mod record;
mod stop;

use std::collections::BTreeSet;
use std::time::Duration;

use imds::Moment;
use imds_model::backoff;
use imds_model::lifecycle::TargetLifecycleState;

use hooks::{Details, Hooks, longest_wait};
pub(crate) use interface::{ApiError, Complete, Hook, HookResult, Input, Rules, Step, When};
use record::{Action, ActionResult, Record, Stage};

/// The shortest heartbeat timeout that a lifecycle hook can have (Amazon EC2 Auto Scaling API
/// Reference, `PutLifecycleHook`): what is assumed if the hook's own is unknown.
const SHORTEST_TIMEOUT: Duration = Duration::from_secs(30);
/// Pauses after a call that failed: full jitter between these.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// A heartbeat that failed is repeated this soon.
const BEAT_AGAIN: Duration = Duration::from_secs(5);
/// The pauses before a command that failed is started again: full jitter between these.
const RETRY_PAUSE: Duration = Duration::from_secs(5);
const LONGEST_RETRY_PAUSE: Duration = Duration::from_secs(320);
/// A launch opens its action at once. If the API may not be asked for the instance's state, a
/// launch without an action for this long has none.
const EARLY: Duration = Duration::from_secs(60);
/// How long a command waits for the names of group and hook, which its environment has.
const ENVIRONMENT: Duration = Duration::from_secs(3);
/// How many different failures are said in one action.
const SAID: usize = 64;
/// Termination of an instance of a group.
const TERMINATED: &str = "Terminated";

/// What begins an action.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cause {
    /// The target state changed.
    Group {
        /// From the group back to the warm pool.
        returning: bool,
    },
    Spot,
}

/// The state of all this.
#[derive(Debug)]
pub(crate) struct Machine {
    rules: Rules,
    pub(crate) record: Record,
    details: Option<Details>,
    /// The details were read for the current action, or for the start if there is none.
    fresh: bool,
    resolving: bool,
    next_resolve: Option<Moment>,
    resolve_failures: u32,
    /// What was said about failures in this action, so that one that lasts is said once.
    said: BTreeSet<String>,
    /// The group that was named last.
    group_said: Option<String>,
    outage: bool,
    /// A reading, good or bad, has come in this process.
    read: bool,
    /// When the end of the process no longer waits.
    stopping: Option<Moment>,
    /// When the command starts, if it waits for something.
    run_at: Option<Moment>,
    /// How long is left by a Spot interruption notice.
    spot_ends: Option<Moment>,
    /// A call is under way.
    calling: bool,
    next_beat: Moment,
    /// Lifecycle hooks that are still to be sent a heartbeat in this round.
    beats: Vec<String>,
    next_complete: Moment,
    complete_failures: u32,
    asking: bool,
    next_ask: Moment,
    ask_failures: u32,
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
            details,
            fresh: false,
            resolving: false,
            next_resolve: Some(now),
            resolve_failures: 0,
            said: BTreeSet::new(),
            group_said: None,
            outage: false,
            read: false,
            stopping: None,
            run_at: None,
            spot_ends: None,
            calling: false,
            next_beat: now,
            beats: Vec::new(),
            next_complete: now,
            complete_failures: 0,
            asking: false,
            next_ask: now,
            ask_failures: 0,
        };
        let mut steps = Vec::new();
        if let Some(action) = &machine.record.action {
            let told = format!("state `{}`: going on where the last process ended", action.state);
            steps.push(Step::Say(told));
        }
        machine.on_time(now, &mut steps);
        (machine, steps)
    }

    /// Takes in what happened. `random` is from 0 to 1.
    pub(crate) fn handle(&mut self, now: Moment, random: f64, input: Input) -> Vec<Step> {
        let mut steps = Vec::new();
        match input {
            Input::Reading(reading) => self.on_reading(now, reading, &mut steps),
            Input::Spot(notice, left) => self.on_spot(now, notice, left, &mut steps),
            Input::Details(details) => self.on_details(now, random, details, &mut steps),
            Input::HookEnded { number, result } => {
                self.on_hook_end(now, random, number, &result, &mut steps);
            }
            Input::Heartbeat(hook, result) => self.on_heartbeat(now, &hook, result, &mut steps),
            Input::Completed(hook, result) => self.on_completed(now, random, &hook, result, &mut steps),
            Input::InstanceState(state) => self.on_instance_state(now, random, state, &mut steps),
            Input::Stop { going_down } => self.on_stop(now, going_down, &mut steps),
            Input::Time => {}
        }
        self.on_time(now, &mut steps);
        steps
    }

    /// When to be woken with [`Input::Time`], if nothing else happens before.
    pub(crate) fn wake(&self) -> Option<Moment> {
        let resolve = self.next_resolve.filter(|_| !self.resolving);
        let stage = self.record.action.as_ref().map(|action| action.stage);
        let known = self.details.is_some() && !self.calling;
        let beat = (known && self.beats_now()).then_some(self.next_beat);
        let complete = (known && self.read && matches!(stage, Some(Stage::Completing { .. })))
            .then_some(self.next_complete);
        [resolve, beat, complete, self.run_at, self.stopping].into_iter().flatten().min()
    }

    /// Whether heartbeats are due in this stage.
    fn beats_now(&self) -> bool {
        self.record.action.as_ref().is_some_and(|action| !matches!(action.stage, Stage::Completing { .. }))
    }

    fn on_reading(&mut self, now: Moment, reading: Result<Option<String>, String>, steps: &mut Vec<Step>) {
        let first = !std::mem::replace(&mut self.read, true);
        let state = match reading {
            Ok(state) => state,
            Err(reason) => {
                if !self.outage {
                    steps.push(Step::Say(format!("the metadata service cannot be read: {reason}")));
                }
                self.outage = true;
                if first {
                    self.resume(now, steps);
                }
                return;
            }
        };
        if std::mem::take(&mut self.outage) {
            steps.push(Step::Say("the metadata service can be read again".to_owned()));
        }
        if state != self.record.seen {
            let before = std::mem::replace(&mut self.record.seen, state.clone());
            match state {
                // Not a sign that the group has changed its mind: the action stays, and Auto
                // Scaling refuses its completion if there is none.
                None => {
                    let told = "there is no target lifecycle state any more".to_owned();
                    steps.extend([Step::Save, Step::Say(told)]);
                }
                Some(state) => self.on_state(now, before.as_deref(), state, steps),
            }
        }
        if first {
            self.resume(now, steps);
        }
    }

    /// Goes on with the command of an action that the last process left: the state is known now.
    fn resume(&mut self, now: Moment, steps: &mut Vec<Step>) {
        let Some(action) = &self.record.action else { return };
        match action.stage {
            // It was begun by the very reading that this is about.
            Stage::Hook if self.run_at.is_some() || has_run(steps) => {}
            Stage::Hook => self.run_hook(now, steps),
            Stage::Retry => self.run_at = Some(now),
            _ => {}
        }
    }

    fn on_state(&mut self, now: Moment, before: Option<&str>, state: String, steps: &mut Vec<Step>) {
        if let Some(action) = &mut self.record.action {
            if action.state == state {
                action.spot = false;
                let told = format!("state `{state}`: its command was already started");
                return steps.extend([Step::Save, Step::Say(told)]);
            }
            if action.spot {
                // Spot takes the instance whatever the group wants.
                return steps.push(Step::Save);
            }
            self.drop_action(steps);
        }
        if self.stopping.is_some() {
            return steps.push(Step::Save);
        }
        if !self.rules.states.contains(&state) {
            let known = state.parse::<TargetLifecycleState>().is_ok();
            let told = if known {
                format!("state `{state}`: nothing to do")
            } else {
                format!(
                    "unknown target lifecycle state `{}`: nothing to do, watching on",
                    state.escape_debug()
                )
            };
            steps.extend([Step::Save, Step::Say(told)]);
        } else if let Some(success) = self.record.drained.filter(|_| state == TERMINATED) {
            let told = format!("state `{state}`: its command ran when Spot announced the interruption");
            steps.push(Step::Say(told));
            let result = self.result(success);
            self.begin(now, state, Cause::Group { returning: false }, Stage::Completing { result }, steps);
        } else {
            let returning = hooks::is_return(before, &state);
            self.begin(now, state, Cause::Group { returning }, Stage::Hook, steps);
        }
    }

    /// A termination pre-empts what runs; an action whose state is no longer the target is never
    /// completed, because the result would count for another transition.
    fn drop_action(&mut self, steps: &mut Vec<Step>) {
        let Some(action) = self.record.action.take() else { return };
        if action.stage == Stage::Hook {
            steps.push(Step::StopHook(action.number));
        }
        self.run_at = None;
        let told = "is no longer the target: the action is dropped and not completed";
        steps.push(Step::Say(format!("state `{}` {told}", action.state)));
    }

    fn on_spot(&mut self, now: Moment, notice: String, left: Option<Duration>, steps: &mut Vec<Step>) {
        if self.record.spot.is_some() || self.stopping.is_some() {
            return;
        }
        self.record.spot = Some(notice);
        self.spot_ends = left.map(|left| now + left);
        let draining = self.record.action.as_ref().is_some_and(|action| action.state == TERMINATED);
        let decided = self.record.seen.as_deref() == Some(TERMINATED);
        if draining || decided || self.record.drained.is_some() {
            let told = "Spot interruption: the command of state `Terminated` was already started".to_owned();
            return steps.extend([Step::Save, Step::Say(told)]);
        }
        self.drop_action(steps);
        steps.push(Step::Say("Spot interruption: the command of state `Terminated` is due".to_owned()));
        self.begin(now, TERMINATED.to_owned(), Cause::Spot, Stage::Hook, steps);
    }

    fn begin(&mut self, now: Moment, state: String, cause: Cause, stage: Stage, steps: &mut Vec<Step>) {
        let spot = cause == Cause::Spot;
        let waits = stage == Stage::Hook && self.rules.when == When::Waiting && !spot;
        self.record.action = Some(Action {
            number: self.record.number,
            state,
            stage: if waits { Stage::Announced } else { stage },
            begun: now - Moment::since_boot(Duration::ZERO),
            attempts: 0,
            returning: cause == (Cause::Group { returning: true }),
            spot,
            opened: Vec::new(),
            ended: Vec::new(),
        });
        self.beats.clear();
        self.next_beat = now + self.beat_interval();
        self.next_complete = now;
        (self.complete_failures, self.ask_failures, self.next_ask) = (0, 0, now);
        self.said.clear();
        // The group's hooks may have changed since they were described last.
        self.fresh = false;
        (self.next_resolve, self.resolve_failures) = (Some(now), 0);
        if waits {
            self.next_beat = now;
            let state = self.state();
            steps.extend([Step::Save, Step::Say(format!("state `{state}`: waiting for the wait state"))]);
        } else if stage == Stage::Hook {
            self.start_hook(now, steps);
        } else {
            steps.push(Step::Save);
        }
    }

    /// Starts the command, or lets it wait a moment for what its environment tells.
    fn start_hook(&mut self, now: Moment, steps: &mut Vec<Step>) {
        self.record.number += 1;
        let number = self.record.number;
        let Some(action) = &mut self.record.action else { return };
        (action.number, action.stage) = (number, Stage::Hook);
        action.attempts += 1;
        steps.push(Step::Save);
        if self.details.is_some() {
            self.run_hook(now, steps);
        } else {
            self.run_at = Some(now + ENVIRONMENT);
        }
    }

    fn run_hook(&mut self, now: Moment, steps: &mut Vec<Step>) {
        self.run_at = None;
        let Some(action) = &self.record.action else { return };
        let hooks = self.hook_names();
        let limit = self.time_limit();
        let left = self.spot_ends.filter(|_| action.spot).map(|ends| ends - now);
        steps.push(Step::Say(format!("state `{}`: running the command", action.state)));
        steps.push(Step::RunHook(Hook {
            number: action.number,
            state: action.state.clone(),
            transition: action.transition(),
            spot: action.spot,
            group: self.details.as_ref().map(|details| details.group.clone()),
            hooks,
            limit,
            left: Some(left.unwrap_or(limit)),
        }));
    }

    /// As given, else until a heartbeat before Auto Scaling ends the action itself.
    fn time_limit(&self) -> Duration {
        self.rules.time_limit.unwrap_or_else(|| match self.heartbeat_timeout() {
            Some(timeout) => longest_wait(timeout).saturating_sub(timeout / 3),
            None => longest_wait(Duration::MAX),
        })
    }

    fn heartbeat_timeout(&self) -> Option<Duration> {
        match self.hooks()? {
            Hooks::Some(_, timeout) => timeout,
            Hooks::None | Hooks::Unclear(_) => None,
        }
    }

    /// The lifecycle hooks of the action, as far as they are known.
    fn hooks(&self) -> Option<Hooks> {
        let action = self.record.action.as_ref()?;
        Some(self.details.as_ref()?.hooks(&action.state, action.returning))
    }

    fn hook_names(&self) -> Vec<String> {
        match self.hooks() {
            Some(Hooks::Some(names, _)) => names,
            Some(Hooks::None | Hooks::Unclear(_)) | None => Vec::new(),
        }
    }

    fn state(&self) -> &str {
        self.record.action.as_ref().map_or("", |action| &action.state)
    }

    /// A third of the time that Auto Scaling waits for a heartbeat, so that two in a row may be
    /// lost.
    fn beat_interval(&self) -> Duration {
        let default = || self.heartbeat_timeout().unwrap_or(SHORTEST_TIMEOUT) / 3;
        self.rules.heartbeat.unwrap_or_else(default)
    }

    const fn result(&self, success: bool) -> ActionResult {
        if success { ActionResult::Continue } else { self.rules.on_failure }
    }

    fn say_once(&mut self, told: String, steps: &mut Vec<Step>) {
        if self.said.len() < SAID && self.said.insert(told.clone()) {
            steps.push(Step::Say(told));
        }
    }

    fn pause(failures: &mut u32, random: f64) -> Duration {
        *failures = failures.saturating_add(1);
        backoff::full_jitter(FIRST_PAUSE, LONGEST_PAUSE, *failures, random)
    }

    /// What is due.
    fn on_time(&mut self, now: Moment, steps: &mut Vec<Step>) {
        let is_over = |steps: &[Step]| steps.iter().any(|step| matches!(step, Step::Exit | Step::Fail(_)));
        if is_over(steps) || self.stop_if_due(now, steps) {
            return;
        }
        if !self.resolving && self.next_resolve.is_some_and(|time| now >= time) {
            self.resolving = true;
            self.next_resolve = None;
            steps.push(Step::Resolve);
        }
        if self.run_at.is_some_and(|time| now >= time) {
            self.run_at = None;
            if self.record.action.as_ref().is_some_and(|action| action.stage == Stage::Retry) {
                self.start_hook(now, steps);
            } else {
                self.run_hook(now, steps);
            }
        }
        self.call(now, steps);
    }

    /// The call of the API that is due, if any: one at a time.
    fn call(&mut self, now: Moment, steps: &mut Vec<Step>) {
        let (Some(details), Some(action)) = (&self.details, &self.record.action) else { return };
        let (group, stage) = (details.group.clone(), action.stage);
        let ended = action.ended.clone();
        match details.hooks(&action.state, action.returning) {
            Hooks::Some(names, _) => match stage {
                Stage::Completing { result } => {
                    if self.calling || !self.read || now < self.next_complete {
                        return;
                    }
                    match names.into_iter().find(|name| !ended.contains(name)) {
                        Some(hook) => {
                            self.calling = true;
                            steps.push(Step::Complete { group, hook, result });
                        }
                        None => self.done(now, "its lifecycle actions have ended", steps),
                    }
                }
                _ => {
                    if self.calling || now < self.next_beat {
                        return;
                    }
                    if self.beats.is_empty() {
                        self.beats = names.into_iter().rev().filter(|name| !ended.contains(name)).collect();
                    }
                    match self.beats.pop() {
                        Some(hook) => {
                            self.calling = true;
                            steps.push(Step::Heartbeat { group, hook });
                        }
                        None => self.next_beat = now + self.beat_interval(),
                    }
                }
            },
            Hooks::None if stage == Stage::Announced => {
                let told = format!("group `{group}` has no lifecycle hook for it, so there is no wait state");
                steps.push(Step::Say(told));
                self.start_hook(now, steps);
            }
            Hooks::None if matches!(stage, Stage::Completing { .. }) && self.read && self.fresh => {
                let told = "the group has no lifecycle hook for it, so there is nothing to complete";
                self.done(now, told, steps);
            }
            Hooks::None => self.next_beat = now + self.beat_interval(),
            Hooks::Unclear(reason) => {
                // The answer may be another one once the group or the role has changed.
                self.next_beat = now + LONGEST_PAUSE;
                self.next_complete = now + LONGEST_PAUSE;
                if !self.resolving && self.next_resolve.is_none() {
                    self.next_resolve = Some(now + LONGEST_PAUSE);
                }
                self.say_once(reason, steps);
                if stage == Stage::Announced {
                    self.start_hook(now, steps);
                } else if matches!(stage, Stage::Completing { .. }) && self.stopping.is_some() {
                    steps.push(Step::Exit);
                }
            }
        }
    }

    fn done(&mut self, _now: Moment, told: &str, steps: &mut Vec<Step>) {
        let Some(action) = self.record.action.take() else { return };
        self.next_resolve = None;
        self.run_at = None;
        steps.push(Step::Save);
        steps.push(Step::Say(format!("state `{}`: {told}", action.state)));
        steps.push(Step::Forget(action.number));
        if self.stopping.is_some() {
            steps.push(Step::Exit);
        }
    }
}

fn has_run(steps: &[Step]) -> bool {
    steps.iter().any(|step| matches!(step, Step::RunHook(_)))
}

#[cfg(test)]
mod simulation;
