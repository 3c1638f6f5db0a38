//! What the answers of the command and of the API lead to.

use imds::Moment;
use imds_model::backoff::full_jitter;

use super::hooks::{Details, Hooks};
use super::record::{ActionResult, Stage};
use super::{
    ApiError, BEAT_AGAIN, Complete, EARLY, HookResult, LONGEST_RETRY_PAUSE, Machine, RETRY_PAUSE, Step,
};

impl Machine {
    pub(super) fn on_details(
        &mut self,
        now: Moment,
        random: f64,
        details: Result<Details, String>,
        steps: &mut Vec<Step>,
    ) {
        self.resolving = false;
        let acting = self.record.action.is_some();
        match details {
            Ok(details) => {
                self.resolve_failures = 0;
                if !acting && let Some(refusal) = self.unclear(&details) {
                    return steps.push(Step::Fail(refusal));
                }
                if let Some(known) = &mut self.record.known
                    && known.details.as_ref() != Some(&details)
                {
                    known.details = Some(details.clone());
                    // Without an action there is nothing that a restart would need it for.
                    steps.extend(acting.then_some(Step::Save));
                }
                if self.group_said.as_ref() != Some(&details.group) {
                    steps.push(Step::Say(format!("Auto Scaling group `{}`", details.group)));
                    self.group_said = Some(details.group.clone());
                }
                self.details = Some(details);
                self.fresh = true;
                let begun = self.record.action.as_ref().map(|action| Moment::since_boot(action.begun));
                if let Some(begun) = begun
                    && self.next_beat > now
                {
                    // The timeout may be shorter than the one that was assumed.
                    self.next_beat = self.next_beat.min((begun + self.beat_interval()).max(now));
                }
                if self.run_at.is_some() && self.is_in(Stage::Hook) {
                    self.run_hook(now, steps);
                }
            }
            Err(reason) => {
                // Without an action there is no need to know; the attempt at the start only tells
                // early what is missing.
                if acting {
                    let pause = Self::pause(&mut self.resolve_failures, random);
                    self.next_resolve = Some(now + pause);
                }
                self.say_once(reason, steps);
            }
        }
    }

    fn is_in(&self, stage: Stage) -> bool {
        self.record.action.as_ref().is_some_and(|action| action.stage == stage)
    }

    /// Why the group's hooks cannot be answered, for the first state that is acted on.
    fn unclear(&self, details: &Details) -> Option<String> {
        details.hooks.as_ref()?;
        self.rules.states.iter().find_map(|state| match details.hooks(state, false) {
            Hooks::Unclear(reason) => Some(reason),
            Hooks::Some(..) | Hooks::None => None,
        })
    }

    pub(super) fn on_hook_end(
        &mut self,
        now: Moment,
        random: f64,
        number: u64,
        result: &HookResult,
        steps: &mut Vec<Step>,
    ) {
        let next = self.result(result.success);
        let completes_now = self.rules.complete == Complete::OnExit || self.stopping.is_some();
        let (retries, limit) = (self.rules.retries, self.time_limit());
        let Some(action) = self.record.action.as_mut().filter(|action| action.number == number) else {
            // The command of an action that was dropped.
            return steps.push(Step::Forget(number));
        };
        if action.stage != Stage::Hook {
            return;
        }
        steps.push(Step::Say(format!("state `{}`: the command ended with {}", action.state, result.told)));
        if action.spot {
            self.record.drained = Some(result.success);
        }
        let spent = now - Moment::since_boot(action.begun);
        let again = !result.success && action.attempts <= retries && spent < limit && self.stopping.is_none();
        if again {
            action.stage = Stage::Retry;
            self.run_at = Some(now + full_jitter(RETRY_PAUSE, LONGEST_RETRY_PAUSE, action.attempts, random));
            let left = retries + 1 - action.attempts;
            steps.push(Step::Say(format!("state `{}`: {left} more attempts", action.state)));
            return steps.push(Step::Save);
        }
        action.stage =
            if result.success && !completes_now { Stage::Held } else { Stage::Completing { result: next } };
        self.next_complete = now;
        steps.push(Step::Save);
    }

    pub(super) fn on_heartbeat(
        &mut self,
        now: Moment,
        hook: &str,
        result: Result<(), ApiError>,
        steps: &mut Vec<Step>,
    ) {
        self.calling = false;
        let interval = self.beat_interval();
        let poll = self.rules.interval;
        let Some(action) = &mut self.record.action else { return };
        let announced = action.stage == Stage::Announced;
        let was_open = action.opened.iter().any(|name| name == hook);
        if self.beats.is_empty() {
            self.next_beat = now + if announced { poll } else { interval };
        }
        match result {
            Ok(()) => {
                if !was_open {
                    action.opened.push(hook.to_owned());
                    steps.push(Step::Say(format!(
                        "state `{}`: lifecycle action of `{hook}` is open",
                        action.state
                    )));
                    steps.push(Step::Save);
                }
                if announced {
                    self.next_beat = now + interval;
                    self.start_hook(now, steps);
                }
            }
            Err(ApiError::NoAction) if was_open => {
                action.ended.push(hook.to_owned());
                let told = format!("state `{}`: Auto Scaling has ended the action of `{hook}`", action.state);
                steps.extend([Step::Save, Step::Say(told)]);
            }
            // Not open yet: behind a load balancer that takes minutes.
            Err(ApiError::NoAction) => {}
            Err(ApiError::Other(reason)) => {
                self.next_beat = now + BEAT_AGAIN.min(interval);
                self.beats.clear();
                self.say_once(format!("the heartbeat failed: {reason}"), steps);
            }
        }
    }

    pub(super) fn on_completed(
        &mut self,
        now: Moment,
        random: f64,
        hook: &str,
        result: Result<(), ApiError>,
        steps: &mut Vec<Step>,
    ) {
        self.calling = false;
        let Some(action) = &mut self.record.action else { return };
        let was_open = action.opened.iter().any(|name| name == hook);
        match result {
            Ok(()) => {
                action.ended.push(hook.to_owned());
                let abandoned = action.stage == Stage::Completing { result: ActionResult::Abandon };
                let state = action.state.clone();
                let names = self.hook_names();
                let ended = self.record.action.as_ref().map(|action| action.ended.as_slice());
                let left = names.iter().filter(|name| !ended.unwrap_or_default().contains(name)).count();
                // ABANDON stops the remaining actions (User Guide, "Considerations and limitations
                // for lifecycle hooks").
                if left == 0 || abandoned {
                    return self.done(now, "completed", steps);
                }
                let told = format!("state `{state}`: the action of `{hook}` is completed, {left} left");
                steps.extend([Step::Save, Step::Say(told)]);
                self.next_complete = now;
            }
            Err(ApiError::NoAction) if was_open => {
                action.ended.push(hook.to_owned());
                let told = format!("state `{}`: Auto Scaling has ended the action of `{hook}`", action.state);
                steps.extend([Step::Save, Step::Say(told)]);
                self.next_complete = now;
            }
            Err(ApiError::NoAction) => {
                let told = format!("state `{}`: the action of `{hook}` is not open yet", action.state);
                self.next_complete = now + self.rules.interval;
                self.say_once(told, steps);
                if !self.asking && now >= self.next_ask {
                    self.asking = true;
                    steps.push(Step::AskState);
                }
            }
            Err(ApiError::Other(reason)) => {
                self.next_complete = now + Self::pause(&mut self.complete_failures, random);
                self.say_once(format!("the completion failed: {reason}"), steps);
            }
        }
    }

    pub(super) fn on_instance_state(
        &mut self,
        now: Moment,
        random: f64,
        state: Result<Option<String>, String>,
        steps: &mut Vec<Step>,
    ) {
        self.asking = false;
        let Some(action) = &self.record.action else { return };
        if !matches!(action.stage, Stage::Completing { .. }) {
            return;
        }
        let terminating = action.transition().ends_with("TERMINATING");
        let returning = action.returning;
        match state {
            Ok(state) => {
                self.next_ask = now + self.rules.interval;
                if has_moved_on(state.as_deref(), terminating, returning) {
                    let told = match state {
                        Some(state) => format!("Auto Scaling has ended the action (`{state}`)"),
                        None => "the instance is in no Auto Scaling group any more".to_owned(),
                    };
                    self.done(now, &told, steps);
                }
            }
            Err(reason) => {
                let early = now - Moment::since_boot(action.begun) < EARLY;
                self.next_ask = now + Self::pause(&mut self.ask_failures, random).max(self.rules.interval);
                if !terminating && !early {
                    return self.done(now, "Auto Scaling has no action waiting for it", steps);
                }
                self.say_once(format!("the instance's state cannot be described: {reason}"), steps);
            }
        }
    }
}

/// Whether an instance in this state (`LifecycleState`) has left the wait state of the transition
/// behind (User Guide, "Amazon EC2 Auto Scaling instance lifecycle").
fn has_moved_on(state: Option<&str>, terminating: bool, returning: bool) -> bool {
    let Some(state) = state else { return true };
    let proceeds = state.ends_with(":Proceed");
    if terminating {
        // `Terminating:Retained`: an abandoned termination may keep the instance ("Instance
        // lifecycle policy").
        let pooled = matches!(state, "Warmed:Stopped" | "Warmed:Running" | "Warmed:Hibernated");
        proceeds || state.ends_with("Terminated") || state.ends_with(":Retained") || (returning && pooled)
    } else {
        proceeds || !state.trim_start_matches("Warmed:").starts_with("Pending")
    }
}

#[cfg(test)]
mod tests {
    use super::has_moved_on;

    #[test]
    fn the_wait_is_over_when_the_instance_proceeds() {
        for (state, returning, over) in [
            (Some("InService"), true, false),
            (Some("Warmed:Pending"), true, false),
            (Some("Warmed:Pending:Wait"), true, false),
            (Some("Warmed:Pending:Proceed"), true, true),
            (Some("Warmed:Stopped"), true, true),
            (Some("Warmed:Running"), true, true),
            (Some("Warmed:Stopped"), false, false),
            (Some("Terminating:Wait"), true, false),
        ] {
            assert_eq!(has_moved_on(state, true, returning), over, "{state:?} {returning}");
        }
        for (state, terminating, over) in [
            (Some("Terminating:Retained"), true, true),
            (Some("Warmed:Terminating:Retained"), true, true),
            (Some("InService"), true, false),
            (Some("Terminating"), true, false),
            (Some("Terminating:Wait"), true, false),
            (Some("Terminating:Proceed"), true, true),
            (Some("Terminated"), true, true),
            (Some("Warmed:Terminating:Wait"), true, false),
            (Some("Warmed:Terminated"), true, true),
            (None, true, true),
            (Some("Pending"), false, false),
            (Some("Pending:Wait"), false, false),
            (Some("Warmed:Pending:Wait"), false, false),
            (Some("Warmed:Pending:Proceed"), false, true),
            (Some("InService"), false, true),
            (Some("Warmed:Stopped"), false, true),
            (Some("Terminating:Wait"), false, true),
        ] {
            assert_eq!(has_moved_on(state, terminating, false), over, "{state:?} {terminating}");
        }
    }
}
