//! The daemon's decisions against Auto Scaling's timeline, second by second of an injected clock.

use imds_fake_aws::autoscaling::lifecycle::{Lifecycle, LifecycleHook, Transition};

use super::hooks::HookInfo;
use super::record::Known;
use super::*;

const MINUTE: u64 = 60;
/// How often the target state is read.
const POLL: u64 = 5;

fn rules() -> Rules {
    Rules {
        states: ["Terminated", "Warmed:Terminated", "InService", "Warmed:Stopped"]
            .map(str::to_owned)
            .to_vec(),
        when: When::Announced,
        complete: Complete::OnExit,
        on_failure: ActionResult::Abandon,
        retries: 0,
        heartbeat: None,
        time_limit: None,
        interval: Duration::from_secs(POLL),
        stop_timeout: Duration::from_secs(6 * MINUTE),
    }
}

fn at(seconds: u64) -> Moment {
    Moment::since_boot(Duration::from_secs(seconds))
}

/// A machine, the group that it works for, and what it did.
struct Simulation {
    machine: Machine,
    api: Lifecycle,
    named: Vec<String>,
    /// The API cannot be reached.
    offline: bool,
    seconds: u64,
    said: Vec<String>,
    /// Calls, with what came of them.
    calls: Vec<String>,
    /// Commands: number and state.
    started: Vec<(u64, String)>,
    stopped: Vec<u64>,
    ended: Option<String>,
}

impl Simulation {
    fn new(rules: Rules) -> Self {
        Self::resumed(rules, Record::new("i-1", "b-1"), Self::group(), 1_000)
    }

    /// A group with a hook for each transition, whose heartbeat timeout is a minute.
    fn group() -> Lifecycle {
        let mut api = Lifecycle::in_service("web", "i-1");
        api.hooks = vec![
            LifecycleHook::new("drain", Transition::Terminating, 60),
            LifecycleHook::new("warm", Transition::Launching, 60),
        ];
        api
    }

    fn resumed(rules: Rules, record: Record, api: Lifecycle, seconds: u64) -> Self {
        let known = Some(Known { region: "us-east-1".to_owned(), details: None });
        let record = Record { known: record.known.clone().or(known), ..record };
        Self::named(rules, record, api, seconds, &[])
    }

    fn named(rules: Rules, record: Record, api: Lifecycle, seconds: u64, names: &[&str]) -> Self {
        let (machine, steps) = Machine::new(rules, record, at(seconds));
        let mut simulation = Self {
            machine,
            api,
            named: names.iter().map(|name| (*name).to_owned()).collect(),
            offline: false,
            seconds,
            said: Vec::new(),
            calls: Vec::new(),
            started: Vec::new(),
            stopped: Vec::new(),
            ended: None,
        };
        simulation.perform(steps);
        simulation.read();
        simulation
    }

    /// Another process, with what the journal holds, after so many seconds without one.
    fn restart(self, rules: Rules, away: u64) -> Self {
        let mut api = self.api;
        api.advance(Duration::from_secs(away));
        let mut next = Self::named(rules, self.machine.record, api, self.seconds + away, &[]);
        next.started.splice(0..0, self.started);
        next
    }

    fn input(&mut self, input: Input) {
        if self.ended.is_none() {
            let steps = self.machine.handle(at(self.seconds), 1.0, input);
            self.perform(steps);
        }
    }

    fn call(&mut self, action: &str, hook: &str, result: &str) -> Result<(), ApiError> {
        if self.offline {
            return Err(ApiError::Other("no route".to_owned()));
        }
        let answer = self.api.answer(action, &|name| match name {
            "AutoScalingGroupName" => Some("web"),
            "LifecycleHookName" => Some(Box::leak(hook.to_owned().into_boxed_str())),
            "InstanceId" => Some("i-1"),
            "LifecycleActionResult" => Some(Box::leak(result.to_owned().into_boxed_str())),
            _ => None,
        });
        let done = if answer.status == 200 { "ok" } else { "refused" };
        let words = [action, hook, result, done].into_iter().filter(|word| !word.is_empty());
        self.calls.push(words.collect::<Vec<_>>().join(" "));
        let body = String::from_utf8(answer.body).unwrap();
        match answer.status {
            200 => Ok(()),
            400 if body.contains("No active Lifecycle Action found") => Err(ApiError::NoAction),
            _ => Err(ApiError::Other(body)),
        }
    }

    fn details(&mut self) -> Result<Details, String> {
        self.call("DescribeLifecycleHooks", "", "").map_err(|error| format!("{error:?}"))?;
        let hooks = self.api.hooks.iter().map(|hook| HookInfo {
            name: hook.name.clone(),
            transition: format!(
                "autoscaling:EC2_INSTANCE_{}",
                if hook.transition == Transition::Terminating { "TERMINATING" } else { "LAUNCHING" }
            ),
            heartbeat_timeout: Some(Duration::from_secs(hook.heartbeat_timeout.into())),
        });
        Ok(Details { group: "web".to_owned(), named: self.named.clone(), hooks: Some(hooks.collect()) })
    }

    fn perform(&mut self, steps: Vec<Step>) {
        for step in steps {
            match step {
                Step::Say(text) => self.said.push(text),
                Step::Save | Step::Forget(_) | Step::Extend(_) => {}
                Step::RunHook(hook) => self.started.push((hook.number, hook.state)),
                Step::StopHook(number) => self.stopped.push(number),
                Step::Exit => self.ended = Some("exit".to_owned()),
                Step::Fail(reason) => self.ended = Some(reason),
                Step::Resolve => {
                    let details = self.details();
                    self.input(Input::Details(details));
                }
                Step::AskState => {
                    let asked = self.call("DescribeAutoScalingInstances", "", "");
                    let state = asked.map(|()| Some(self.api.state().to_owned()));
                    self.input(Input::InstanceState(state.map_err(|error| format!("{error:?}"))));
                }
                Step::Heartbeat { hook, .. } => {
                    let result = self.call("RecordLifecycleActionHeartbeat", &hook, "");
                    self.input(Input::Heartbeat(hook, result));
                }
                Step::Complete { hook, result, .. } => {
                    let result = self.call("CompleteLifecycleAction", &hook, result.as_str());
                    self.input(Input::Completed(hook, result));
                }
            }
        }
    }

    fn read(&mut self) {
        let state = self.api.target_state().to_owned();
        self.input(Input::Reading(Ok(Some(state))));
    }

    /// Lets so many seconds pass, with a poll every five.
    fn pass(&mut self, seconds: u64) -> &mut Self {
        for _ in 0..seconds {
            self.seconds += 1;
            self.api.advance(Duration::from_secs(1));
            if self.seconds.is_multiple_of(POLL) {
                self.read();
            }
            // Each wake may lead to the next one at once.
            for _ in 0..9 {
                if self.machine.wake().is_some_and(|wake| wake <= at(self.seconds)) {
                    self.input(Input::Time);
                }
            }
        }
        self
    }

    fn terminate(&mut self, delay: u64) -> &mut Self {
        self.api.terminate(Duration::from_secs(delay));
        self.pass(POLL)
    }

    /// The command that was started last ends.
    fn end(&mut self, success: bool) -> &mut Self {
        let number = self.started.last().unwrap().0;
        let told = if success { "exit status: 0" } else { "exit status: 1" };
        let result = HookResult { success, told: told.to_owned() };
        self.input(Input::HookEnded { number, result });
        self
    }

    fn count(&self, text: &str) -> usize {
        self.calls.iter().filter(|call| call.contains(text)).count()
    }

    fn said(&self) -> String {
        self.said.join("; ")
    }

    /// Commands by state.
    fn runs(&self) -> Vec<&str> {
        self.started.iter().map(|(_, state)| state.as_str()).collect()
    }

    fn results(&self) -> Vec<String> {
        self.api.ended.iter().map(|(hook, result)| format!("{hook} {result}")).collect()
    }
}

/// The instance's own launch is of no interest in most tests.
fn terminating() -> Rules {
    Rules { states: vec![TERMINATED.to_owned()], ..rules() }
}

#[test]
fn a_wait_that_begins_late_is_completed_within_a_poll() {
    for delay in [0, 1, 75, 300] {
        let mut it = Simulation::new(terminating());
        it.terminate(delay).pass(1).end(true);
        it.pass(delay.saturating_sub(POLL + 1));
        assert_eq!(it.machine.record.action.is_some(), delay > POLL + 1, "{delay}: {}", it.said());
        it.pass(POLL + 1);
        assert_eq!(it.results(), ["drain CONTINUE"], "{delay}: {}", it.said());
        assert_eq!(it.machine.record.action, None);
        assert_eq!(it.runs(), [TERMINATED]);
    }
}

#[test]
fn heartbeats_that_are_refused_early_go_on_when_the_wait_begins() {
    let mut it = Simulation::new(terminating());
    it.terminate(90).pass(20 * MINUTE);
    let refused = it.count("Heartbeat drain refused");
    let taken = it.count("Heartbeat drain ok");
    assert!((4..=5).contains(&refused), "{refused}");
    assert!(taken >= 50, "{taken}");
    it.end(true);
    assert_eq!(it.results(), ["drain CONTINUE"]);
}

#[test]
fn a_command_that_waits_starts_when_the_wait_begins() {
    let mut it = Simulation::new(Rules { when: When::Waiting, ..terminating() });
    it.terminate(300).pass(290);
    assert_eq!(it.runs(), [""; 0]);
    it.pass(POLL + 5);
    assert_eq!(it.runs(), [TERMINATED]);
    it.pass(10 * MINUTE).end(true);
    assert_eq!(it.results(), ["drain CONTINUE"]);
}

#[test]
fn without_a_hook_there_is_no_wait_to_wait_for() {
    let mut it = Simulation::new(Rules { when: When::Waiting, ..terminating() });
    it.api.hooks.clear();
    it.terminate(300);
    assert_eq!(it.runs(), [TERMINATED]);
    it.end(true);
    assert_eq!((it.machine.record.action.is_none(), it.count("Complete")), (true, 0));
    assert!(it.said().contains("no lifecycle hook"), "{}", it.said());
}

#[test]
fn the_end_of_a_shutdown_completes_even_if_the_wait_begins_during_it() {
    for delay in [0, 65, 300] {
        let mut it = Simulation::new(Rules { complete: Complete::OnStop, ..terminating() });
        it.terminate(delay).end(true);
        assert_eq!(it.count("Complete"), 0);
        it.input(Input::Stop { going_down: true });
        it.pass(delay + POLL);
        assert_eq!((it.results(), it.ended), (vec!["drain CONTINUE".to_owned()], Some("exit".to_owned())));
    }
}

#[test]
fn the_end_of_a_shutdown_is_not_waited_for_without_end() {
    let mut it = Simulation::new(Rules { complete: Complete::OnStop, ..terminating() });
    it.terminate(3_000).end(true).input(Input::Stop { going_down: true });
    it.pass(6 * MINUTE - 1);
    assert_eq!(it.ended, None);
    it.pass(1);
    assert_eq!(it.ended.as_deref(), Some("exit"));
    assert!(it.said().contains("the time to stop is over"), "{}", it.said());
}

#[test]
fn hooks_are_described_when_an_action_begins() {
    let mut it = Simulation::new(terminating());
    it.api.hooks.clear();
    it.pass(MINUTE);
    it.api.hooks = vec![LifecycleHook::new("added", Transition::Terminating, 30)];
    it.terminate(0).pass(5 * MINUTE).end(true);
    assert_eq!(it.results(), ["added CONTINUE"], "{}", it.said());

    let mut it = Simulation::new(terminating());
    it.api.hooks[0].heartbeat_timeout = 3_600;
    let mut it = it.restart(terminating(), 0);
    it.api.hooks[0].heartbeat_timeout = 30;
    it.terminate(0).pass(5 * MINUTE).end(true);
    assert_eq!(it.results(), ["drain CONTINUE"], "the lowered timeout counts");
}

#[test]
fn idle_it_asks_the_api_once() {
    let mut it = Simulation::new(terminating());
    it.pass(60 * MINUTE);
    assert_eq!(it.calls, ["DescribeLifecycleHooks ok"]);
    let mut group = Simulation::group();
    group.denied.push("DescribeLifecycleHooks".to_owned());
    let mut denied = Simulation::resumed(terminating(), Record::new("i-1", "b-1"), group, 1_000);
    denied.pass(60 * MINUTE);
    assert_eq!(denied.calls, ["DescribeLifecycleHooks refused"]);
    // In an action it is repeated with pauses that grow to half a minute at most.
    denied.terminate(0).pass(10 * MINUTE);
    let asked = denied.count("DescribeLifecycleHooks");
    assert!((20..=26).contains(&asked), "{asked}");
    assert_eq!(denied.said().matches("not authorized").count(), 2, "once idle, once acting");
}

#[test]
fn a_launch_that_the_group_gave_up_is_dropped() {
    let mut group = Simulation::group();
    group.launch("InService");
    let mut it = Simulation::resumed(rules(), Record::new("i-1", "b-1"), group, 1_000);
    it.pass(POLL);
    assert_eq!(it.runs(), ["InService"]);
    it.terminate(0);
    assert_eq!((it.runs(), it.stopped.clone()), (vec!["InService", TERMINATED], vec![1]));
    assert!(it.said().contains("state `InService` is no longer the target: the action is dropped"));
    // The command that was pre-empted ends badly, which counts for nothing.
    let killed = HookResult { success: false, told: "signal: 15 (SIGTERM)".to_owned() };
    it.input(Input::HookEnded { number: 1, result: killed });
    assert_eq!(it.results(), [""; 0]);
    it.end(true);
    assert_eq!(it.results(), ["drain CONTINUE"]);
}

#[test]
fn an_action_of_another_boot_is_dropped_and_a_healthy_launch_is_not_abandoned() {
    let mut group = Simulation::group();
    group.launch("Warmed:Stopped");
    let mut it = Simulation::resumed(rules(), Record::new("i-1", "b-1"), group, 1_000);
    it.pass(POLL);
    assert_eq!(it.runs(), ["Warmed:Stopped"]);
    // The instance is stopped in the middle, and later launched from the pool.
    let (record, dropped) = it.machine.record.clone().into_boot("b-2");
    assert_eq!(dropped.as_deref(), Some("Warmed:Stopped"));
    it.api.launch("InService");
    let mut next = Simulation::resumed(rules(), record, it.api, 10);
    next.pass(POLL);
    assert_eq!(next.started, [(2, "InService".to_owned())], "a number of its own");
    next.end(true);
    assert_eq!(next.results(), ["warm CONTINUE"]);
    // Nothing was unfinished: the state that was seen is not acted on again after a reboot.
    let (record, dropped) = next.machine.record.clone().into_boot("b-3");
    assert_eq!(dropped, None);
    let mut rebooted = Simulation::resumed(rules(), record, next.api, 10);
    rebooted.pass(MINUTE);
    assert_eq!(rebooted.runs(), [""; 0]);
}

#[test]
fn a_state_that_moved_on_while_no_daemon_ran_is_dropped() {
    let mut group = Simulation::group();
    group.launch("InService");
    let mut it = Simulation::resumed(rules(), Record::new("i-1", "b-1"), group, 1_000);
    it.pass(POLL).end(false);
    // Killed before the result was sent.
    let mut it = Simulation::resumed(rules(), Record::new("i-1", "b-1"), Simulation::group(), 1_000);
    it.api.launch("InService");
    it.offline = true;
    it.pass(POLL).end(false).pass(POLL);
    it.api.terminate(Duration::ZERO);
    let mut next = it.restart(rules(), 10);
    assert_eq!(next.results(), [""; 0], "{:?}", next.calls);
    next.pass(POLL).end(true);
    assert_eq!(next.results(), ["drain CONTINUE"]);
}

#[test]
fn killed_in_the_early_minutes_it_goes_on_as_if_never_killed() {
    let mut it = Simulation::new(terminating());
    it.terminate(200).end(true).pass(20);
    assert!(it.count("Complete") >= 3);
    let mut next = it.restart(terminating(), 10);
    next.pass(20);
    assert!(next.machine.record.action.is_some(), "{}", next.said());
    let mut last = next.restart(terminating(), 10);
    last.pass(200);
    assert_eq!((last.results(), last.runs()), (vec!["drain CONTINUE".to_owned()], vec![TERMINATED]));
}

#[test]
fn a_restart_beats_at_once_with_what_the_last_process_knew() {
    let mut it = Simulation::new(terminating());
    it.terminate(0).pass(25);
    let known = it.machine.record.known.clone().unwrap().details.unwrap();
    assert_eq!(known.group, "web");
    let mut record = it.machine.record.clone();
    record.known.as_mut().unwrap().details = Some(known);
    let (mut machine, steps) = Machine::new(terminating(), record, at(it.seconds + 30));
    let beat = Step::Heartbeat { group: "web".to_owned(), hook: "drain".to_owned() };
    assert!(steps.contains(&Step::Resolve) && steps.contains(&beat), "{steps:?}");
    // The command is gone on with once the state was read, or cannot be.
    let steps = machine.handle(at(it.seconds + 31), 1.0, Input::Reading(Err("timed out".to_owned())));
    assert!(has_run(&steps), "{steps:?}");
}

#[test]
fn an_action_that_auto_scaling_ended_is_over() {
    // The daemon was away for longer than the heartbeat timeout.
    let mut it = Simulation::new(terminating());
    it.terminate(0).pass(30);
    let mut next = it.restart(terminating(), 2 * MINUTE);
    next.pass(30).end(true).pass(POLL);
    assert_eq!(
        (next.results(), next.machine.record.action.is_none()),
        (vec!["drain timeout".to_owned()], true)
    );
    assert!(next.said().contains("Auto Scaling has ended"), "{}", next.said());
}

#[test]
fn a_completion_whose_answer_was_lost_is_not_sent_for_ever() {
    let mut it = Simulation::new(terminating());
    it.terminate(0);
    it.offline = true;
    it.end(true);
    it.offline = false;
    // It had arrived.
    it.call("CompleteLifecycleAction", "drain", "CONTINUE").unwrap();
    it.pass(10);
    assert!(it.machine.record.action.is_none(), "the API says `Terminated`: {}", it.said());
    assert_eq!(it.results(), ["drain CONTINUE"]);
}

#[test]
fn a_launch_without_an_action_is_given_up_after_a_minute_if_the_api_does_not_tell() {
    let mut group = Simulation::group();
    group.denied.push("DescribeAutoScalingInstances".to_owned());
    let mut it = Simulation::resumed(rules(), Record::new("i-1", "b-1"), group, 1_000);
    it.end(true).pass(MINUTE - 1);
    assert!(it.machine.record.action.is_some());
    it.pass(MINUTE / 2 + POLL);
    assert!(it.machine.record.action.is_none(), "{}", it.said());
    // A termination opens minutes later: it is not given up.
    it.terminate(290).end(true).pass(280);
    assert!(it.machine.record.action.is_some(), "{}", it.said());
    it.pass(3 * POLL);
    assert_eq!(it.results(), ["drain CONTINUE"]);
}

#[test]
fn named_hooks_are_served_in_order_and_unnamed_ones_are_refused_at_the_start() {
    let mut group = Simulation::group();
    group.hooks.push(LifecycleHook::new("second", Transition::Terminating, 30));
    let it = Simulation::resumed(terminating(), Record::new("i-1", "b-1"), group.clone(), 1_000);
    let refusal = it.ended.unwrap();
    assert!(
        refusal.ends_with("name those to answer, in order, of `drain`, `second` with `--hook NAME`"),
        "{refusal}"
    );

    let names = ["second", "drain"];
    let mut it = Simulation::named(terminating(), Record::new("i-1", "b-1"), group.clone(), 1_000, &names);
    it.terminate(75).pass(10 * MINUTE).end(true);
    assert_eq!(it.results(), ["second CONTINUE", "drain CONTINUE"], "{}", it.said());
    let mut it = Simulation::named(terminating(), Record::new("i-1", "b-1"), group, 1_000, &names);
    it.terminate(0).end(false);
    assert_eq!((it.results(), it.machine.record.action.is_none()), (vec!["second ABANDON".to_owned()], true));
}

#[test]
fn hooks_that_become_unclear_while_it_runs_leave_the_end_possible() {
    let mut it = Simulation::new(terminating());
    it.api.hooks.push(LifecycleHook::new("second", Transition::Terminating, 30));
    it.terminate(0).end(true).pass(MINUTE);
    assert!(it.said().contains("several lifecycle hooks"), "{}", it.said());
    assert_eq!(it.count("Complete"), 0);
    it.input(Input::Stop { going_down: true });
    it.pass(MINUTE);
    assert_eq!(it.ended.as_deref(), Some("exit"));
}

#[test]
fn a_stop_completes_by_the_command_s_result_if_the_machine_goes_down() {
    for success in [true, false] {
        let mut it = Simulation::new(terminating());
        it.terminate(0).pass(20).input(Input::Stop { going_down: true });
        it.pass(40);
        assert_eq!(it.ended, None, "it waits for the command");
        it.end(success);
        let result = if success { "drain CONTINUE" } else { "drain ABANDON" };
        assert_eq!((it.results(), it.ended), (vec![result.to_owned()], Some("exit".to_owned())));
    }
    let mut it = Simulation::new(terminating());
    it.terminate(0).pass(20).input(Input::Stop { going_down: false });
    assert_eq!(it.ended.as_deref(), Some("exit"), "a restart goes on");
    let mut next = it.restart(terminating(), 1);
    next.pass(1).end(true);
    assert_eq!((next.results(), next.machine.record.number), (vec!["drain CONTINUE".to_owned()], 1));
    let mut it = Simulation::new(terminating());
    it.terminate(0).input(Input::Stop { going_down: true });
    it.input(Input::Stop { going_down: true });
    assert_eq!(it.ended.as_deref(), Some("exit"), "asked twice, it does not wait");
    let mut it = Simulation::new(terminating());
    it.input(Input::Stop { going_down: true });
    assert_eq!(it.ended.as_deref(), Some("exit"), "nothing is to be done");
}

#[test]
fn a_command_that_fails_is_retried_by_rule_and_then_told() {
    let on_stop = Rules { complete: Complete::OnStop, retries: 2, ..terminating() };
    let mut it = Simulation::new(on_stop.clone());
    it.terminate(0).end(false).pass(4);
    assert_eq!(it.started.len(), 1);
    it.pass(1);
    assert_eq!(it.started.len(), 2);
    it.end(false).pass(10);
    assert_eq!(it.started, [1, 2, 3].map(|number| (number, TERMINATED.to_owned())));
    it.end(false);
    assert_eq!((it.results(), it.machine.record.action.is_none()), (vec!["drain ABANDON".to_owned()], true));
    let mut it = Simulation::new(Rules { on_failure: ActionResult::Continue, retries: 0, ..on_stop });
    it.terminate(0).end(false);
    assert_eq!(it.results(), ["drain CONTINUE"]);
}

#[test]
fn the_time_limit_follows_from_the_hook() {
    let mut it = Simulation::new(terminating());
    it.terminate(0);
    assert_eq!(it.machine.time_limit(), Duration::from_secs(100 * MINUTE - 20));
    it.api.hooks.clear();
    let explicit = Rules { time_limit: Some(Duration::from_secs(9)), ..terminating() };
    assert_eq!(Simulation::new(explicit).machine.time_limit(), Duration::from_secs(9));
}

#[test]
fn the_command_does_not_wait_for_the_api() {
    let mut group = Simulation::group();
    group.terminate(Duration::ZERO);
    let mut it = Simulation::resumed(terminating(), Record::new("i-1", "b-1"), Simulation::group(), 1_000);
    it.machine.details = None;
    it.offline = true;
    it.terminate(0);
    it.pass(3);
    assert_eq!(it.runs(), [TERMINATED], "{}", it.said());
    it.end(true).pass(10);
    it.offline = false;
    it.pass(30);
    assert_eq!(it.results(), ["drain CONTINUE"], "{}", it.said());
}

#[test]
fn spot_and_auto_scaling_run_one_drain_whichever_comes_first() {
    let left = Some(Duration::from_secs(120));
    let mut it = Simulation::new(terminating());
    it.input(Input::Spot("terminate".to_owned(), left));
    it.input(Input::Spot("terminate".to_owned(), left));
    it.pass(20);
    it.terminate(30).end(true).pass(40);
    assert_eq!(
        (it.runs(), it.results()),
        (vec![TERMINATED], vec!["drain CONTINUE".to_owned()]),
        "{}",
        it.said()
    );

    let mut it = Simulation::new(terminating());
    it.input(Input::Spot("terminate".to_owned(), left));
    it.pass(20).end(true);
    it.terminate(30).pass(40);
    assert_eq!(
        (it.runs(), it.results()),
        (vec![TERMINATED], vec!["drain CONTINUE".to_owned()]),
        "{}",
        it.said()
    );

    let mut it = Simulation::new(terminating());
    it.terminate(0).pass(20).input(Input::Spot("terminate".to_owned(), left));
    it.end(true);
    it.input(Input::Spot("terminate".to_owned(), left));
    assert_eq!((it.runs(), it.results()), (vec![TERMINATED], vec!["drain CONTINUE".to_owned()]));
}

#[test]
fn a_second_termination_runs_the_command_again() {
    let mut it = Simulation::new(terminating());
    it.terminate(0).end(true);
    it.api.launch("InService");
    it.pass(POLL).terminate(0).end(true);
    assert_eq!((it.runs(), it.results().len()), (vec![TERMINATED; 2], 2), "{}", it.said());
}

#[test]
fn an_interruption_pre_empts_a_launch() {
    let mut group = Simulation::group();
    group.launch("InService");
    let mut it = Simulation::resumed(rules(), Record::new("i-1", "b-1"), group, 1_000);
    it.pass(POLL).input(Input::Spot("terminate".to_owned(), None));
    assert_eq!((it.runs(), it.stopped.clone()), (vec!["InService", TERMINATED], vec![1]));
}

#[test]
fn a_minute_without_the_service_changes_nothing_and_neither_does_a_missing_state() {
    let mut it = Simulation::new(terminating());
    it.terminate(0);
    for _ in 0..12 {
        it.seconds += 5;
        it.api.advance(Duration::from_secs(5));
        it.input(Input::Reading(Err("timed out".to_owned())));
    }
    it.input(Input::Reading(Ok(None)));
    it.end(true);
    assert_eq!(it.results(), ["drain CONTINUE"]);
    assert_eq!(it.said().matches("cannot be read: timed out").count(), 1);
}

#[test]
fn an_unknown_state_is_told_and_watched_on() {
    let mut it = Simulation::new(terminating());
    it.input(Input::Reading(Ok(Some("Frozen".to_owned()))));
    assert!(it.said().ends_with("unknown target lifecycle state `Frozen`: nothing to do, watching on"));
    it.terminate(0).end(true);
    assert_eq!(it.results(), ["drain CONTINUE"]);
}

#[test]
fn a_pool_instance_is_drained_too() {
    let mut group = Simulation::group();
    group.launch("Warmed:Stopped");
    let states = Rules { states: vec![TERMINATED.to_owned(), "Warmed:Terminated".to_owned()], ..rules() };
    let mut it = Simulation::resumed(states, Record::new("i-1", "b-1"), group, 1_000);
    it.pass(POLL).terminate(0).end(true);
    assert_eq!((it.runs(), it.results()), (vec!["Warmed:Terminated"], vec!["drain CONTINUE".to_owned()]));
}
