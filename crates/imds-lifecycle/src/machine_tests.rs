//! The daemon's decisions with a made-up clock.

use super::*;
use crate::details::HookInfo;
use crate::record::Known;

/// A machine, its clock, and what it asked for.
struct Bench {
    machine: Machine,
    seconds: u64,
    said: Vec<String>,
}

fn rules(complete: When) -> Rules {
    Rules {
        states: vec!["Terminated".to_owned(), "InService".to_owned()],
        complete,
        on_failure: Verdict::Abandon,
        heartbeat: None,
    }
}

fn details() -> Details {
    let info = |name: &str, transition: &str| HookInfo {
        name: name.to_owned(),
        transition: format!("autoscaling:EC2_INSTANCE_{transition}"),
        heartbeat_timeout: Some(Duration::from_secs(90)),
    };
    Details {
        group: "web".to_owned(),
        named: None,
        hooks: Some(vec![info("drain", "TERMINATING"), info("warm", "LAUNCHING")]),
    }
}

const START: u64 = 1_000;

fn at(seconds: u64) -> Moment {
    Moment::since_boot(Duration::from_secs(seconds))
}

impl Bench {
    fn new(complete: When) -> Self {
        Self::resumed(complete, Record::new("i-1"), &["resolve"])
    }

    /// A new process with an old record.
    fn resumed(complete: When, record: Record, expected: &[&str]) -> Self {
        let (machine, steps) = Machine::new(rules(complete), record, at(START));
        let mut bench = Self { machine, seconds: START, said: Vec::new() };
        assert_eq!(bench.words(steps), expected);
        bench
    }

    fn with_details(complete: When) -> Self {
        let mut bench = Self::new(complete);
        assert_eq!(bench.after(0, Input::Details(Ok(details()))), [""; 0]);
        bench
    }

    /// What an input leads to, so many seconds later; what is said is kept apart.
    fn after(&mut self, seconds: u64, input: Input) -> Vec<String> {
        self.seconds += seconds;
        let steps = self.machine.handle(at(self.seconds), input);
        self.words(steps)
    }

    fn words(&mut self, steps: Vec<Step>) -> Vec<String> {
        let mut words = Vec::new();
        for step in steps {
            match step {
                Step::Say(text) => self.said.push(text),
                Step::Save => words.push("save".to_owned()),
                Step::Resolve => words.push("resolve".to_owned()),
                Step::RunHook { number, state } => words.push(format!("run {number} {state}")),
                Step::Heartbeat { group, hook } => words.push(format!("heartbeat {group} {hook}")),
                Step::Complete { group, hook, verdict } => {
                    words.push(format!("complete {group} {hook} {}", verdict.as_str()));
                }
                Step::Forget(number) => words.push(format!("forget {number}")),
                Step::Exit => words.push("exit".to_owned()),
            }
        }
        words
    }

    fn state(&mut self, state: &str) -> Vec<String> {
        self.after(5, Input::Reading(Ok(Some(state.to_owned()))))
    }

    fn said(&mut self) -> String {
        std::mem::take(&mut self.said).join("; ")
    }
}

fn ended(success: bool) -> Input {
    let told = if success { "exit status: 0" } else { "exit status: 1" };
    Input::HookEnded { number: 1, result: HookResult { success, told: told.to_owned() } }
}

fn other(reason: &str) -> ApiError {
    ApiError::Other(reason.to_owned())
}

#[test]
fn the_whole_walk() {
    let mut bench = Bench::with_details(When::OnExit);
    assert_eq!(bench.state("Standby"), ["save"]);
    assert_eq!(bench.state("Standby"), [""; 0]);
    assert_eq!(bench.state("Terminated"), ["save", "run 1 Terminated"]);
    assert_eq!(bench.state("Terminated"), [""; 0]);
    assert_eq!(bench.machine.wake(), Some(at(START + 15 + 30)));
    assert_eq!(bench.after(25, Input::Time), ["heartbeat web drain"]);
    assert_eq!(bench.after(1, Input::Heartbeat(Ok(()))), [""; 0]);
    assert_eq!(bench.after(30, Input::Time), ["heartbeat web drain"]);
    assert_eq!(bench.after(0, Input::Heartbeat(Ok(()))), [""; 0]);
    assert_eq!(bench.after(3, ended(true)), ["save", "complete web drain CONTINUE"]);
    assert_eq!(bench.after(1, Input::Completed(Ok(()))), ["save", "forget 1"]);
    assert_eq!(bench.state("Terminated"), [""; 0]);
    assert_eq!(bench.machine.wake(), None);
    assert_eq!(bench.after(0, Input::Stop), ["exit"]);
    assert_eq!(
        bench.said(),
        "Auto Scaling group `web`; state `Standby`: nothing to do; state `Terminated`: running the command; state \
         `Terminated`: the command ended with exit status: 0; state `Terminated`: completed"
    );
}

#[test]
fn a_command_that_fails_abandons() {
    let mut bench = Bench::with_details(When::OnExit);
    bench.state("InService");
    assert_eq!(bench.after(1, ended(false)), ["save", "complete web warm ABANDON"]);
}

#[test]
fn an_unknown_state_is_told_and_watched_on() {
    let mut bench = Bench::with_details(When::OnExit);
    bench.said();
    assert_eq!(bench.state("Frozen"), ["save"]);
    assert_eq!(bench.said(), "unknown target lifecycle state `Frozen`: nothing to do, watching on");
    assert_eq!(bench.state("Terminated"), ["save", "run 1 Terminated"]);
}

#[test]
fn a_minute_without_the_service_changes_nothing() {
    let mut bench = Bench::with_details(When::OnExit);
    bench.state("Terminated");
    bench.said();
    let mut beats = 0;
    for _ in 0..12 {
        let steps = bench.after(5, Input::Reading(Err("timed out".to_owned())));
        if !steps.is_empty() {
            assert_eq!(steps, ["heartbeat web drain"]);
            beats += 1;
            bench.after(0, Input::Heartbeat(Ok(())));
        }
    }
    assert_eq!(beats, 2);
    assert_eq!(bench.state("Terminated"), [""; 0]);
    assert_eq!(
        bench.said(),
        "the metadata service cannot be read: timed out; the metadata service can be read again"
    );
    assert_eq!(bench.after(0, Input::Reading(Ok(None))), ["save"]);
}

#[test]
fn the_command_runs_before_auto_scaling_can_be_asked() {
    let mut bench = Bench::new(When::OnExit);
    assert_eq!(bench.state("Terminated"), ["save", "run 1 Terminated"]);
    assert_eq!(bench.after(0, Input::Details(Err("no route".to_owned()))), [""; 0]);
    assert_eq!(bench.after(1, Input::Time), ["resolve"]);
    assert_eq!(bench.after(0, Input::Details(Err("no route".to_owned()))), [""; 0]);
    assert_eq!(bench.after(1, ended(true)), ["save"]);
    assert_eq!(bench.after(1, Input::Time), ["resolve"]);
    assert_eq!(bench.after(0, Input::Details(Ok(details()))), ["complete web drain CONTINUE"]);
    assert_eq!(bench.said().matches("no route").count(), 1);
}

#[test]
fn calls_that_fail_are_repeated_with_longer_pauses() {
    let mut bench = Bench::with_details(When::OnExit);
    bench.state("Terminated");
    assert_eq!(bench.after(30, Input::Time), ["heartbeat web drain"]);
    assert_eq!(bench.after(0, Input::Heartbeat(Err(other("throttled")))), [""; 0]);
    assert_eq!(bench.after(5, Input::Time), ["heartbeat web drain"]);
    bench.after(0, Input::Heartbeat(Ok(())));
    assert_eq!(bench.after(0, ended(true)), ["save", "complete web drain CONTINUE"]);
    for pause in [1, 2, 4, 8, 16, 30, 30] {
        assert_eq!(bench.after(0, Input::Completed(Err(other("throttled")))), [""; 0]);
        assert_eq!(bench.after(pause - 1, Input::Time), [""; 0]);
        assert_eq!(bench.after(1, Input::Time), ["complete web drain CONTINUE"]);
    }
    assert_eq!(bench.said().matches("the completion failed: throttled").count(), 1);
}

#[test]
fn an_action_that_is_not_there_yet_is_waited_for() {
    let mut bench = Bench::with_details(When::OnExit);
    bench.state("Terminated");
    bench.after(0, ended(true));
    for _ in 0..12 {
        assert_eq!(bench.after(0, Input::Completed(Err(ApiError::NoAction))), [""; 0]);
        assert_eq!(bench.after(5, Input::Time), ["complete web drain CONTINUE"]);
    }
    assert_eq!(bench.after(0, Input::Completed(Err(ApiError::NoAction))), ["save", "forget 1"]);
    assert!(bench.said().ends_with("Auto Scaling has no action waiting for it"));
}

#[test]
fn a_group_without_a_hook_needs_no_completion() {
    let mut bench = Bench::new(When::OnExit);
    bench.after(0, Input::Details(Ok(Details { hooks: Some(Vec::new()), ..details() })));
    bench.state("Terminated");
    assert_eq!(bench.after(100, Input::Time), [""; 0]);
    assert_eq!(bench.after(0, ended(true)), ["save", "save", "forget 1"]);
}

#[test]
fn the_end_of_a_shutdown_completes() {
    let mut bench = Bench::with_details(When::OnStop);
    assert_eq!(bench.state("Terminated"), ["save", "run 1 Terminated"]);
    assert_eq!(bench.after(1, ended(true)), ["save"]);
    assert_eq!(bench.after(30, Input::Time), ["heartbeat web drain"]);
    bench.after(0, Input::Heartbeat(Ok(())));
    assert_eq!(bench.after(1, Input::Stop), ["save", "complete web drain CONTINUE"]);
    assert_eq!(bench.after(0, Input::Completed(Ok(()))), ["save", "forget 1", "exit"]);
}

#[test]
fn stopping_in_service_completes_nothing() {
    let mut bench = Bench::with_details(When::OnStop);
    bench.state("Standby");
    assert_eq!(bench.after(0, Input::Stop), ["exit"]);
}

#[test]
fn a_second_stop_does_not_wait() {
    let mut bench = Bench::with_details(When::OnStop);
    bench.state("Terminated");
    assert_eq!(bench.after(1, Input::Stop), ["save", "complete web drain CONTINUE"]);
    assert_eq!(bench.after(1, Input::Stop), ["exit"]);
}

#[test]
fn a_restart_goes_on_at_every_stage() {
    let record = |stage| Record {
        seen: Some("Terminated".to_owned()),
        number: 1,
        action: Some(Action { number: 1, state: "Terminated".to_owned(), stage }),
        ..Record::new("i-1")
    };
    let mut bench = Bench::resumed(When::OnExit, record(Stage::Hook), &["run 1 Terminated", "resolve"]);
    // A heartbeat at once: how long the last process has been gone is not known.
    assert_eq!(bench.after(0, Input::Details(Ok(details()))), ["heartbeat web drain"]);
    assert_eq!(bench.state("Terminated"), [""; 0]);

    let completing = record(Stage::Completing { verdict: Verdict::Abandon });
    let mut bench = Bench::resumed(When::OnExit, completing, &["resolve"]);
    assert_eq!(bench.after(0, Input::Details(Ok(details()))), ["complete web drain ABANDON"]);
    assert_eq!(bench.after(0, Input::Completed(Err(ApiError::NoAction))), ["save", "forget 1"]);

    let mut bench = Bench::resumed(When::OnStop, record(Stage::Held { success: true }), &["resolve"]);
    bench.after(0, Input::Details(Ok(details())));
    assert_eq!(bench.after(0, Input::Stop), ["save", "complete web drain CONTINUE"]);
}

#[test]
fn a_restart_beats_with_the_details_of_the_last_process_and_asks_for_new_ones() {
    let known = |details| Known { boot: "b-1".to_owned(), region: "us-east-1".to_owned(), details };
    let action = Action { number: 1, state: "Terminated".to_owned(), stage: Stage::Hook };
    let mut bench = Bench::new(When::OnExit);
    bench.machine.record.known = Some(known(None));
    assert_eq!(bench.after(0, Input::Details(Ok(details()))), [""; 0], "nothing hangs on it yet");
    assert_eq!(bench.state("Terminated"), ["save", "run 1 Terminated"]);
    let record = bench.machine.record.clone();
    assert_eq!((&record.known, &record.action), (&Some(known(Some(details()))), &Some(action)));

    let expected = ["run 1 Terminated", "resolve", "heartbeat web drain"];
    let mut bench = Bench::resumed(When::OnExit, record, &expected);
    assert_eq!(bench.after(0, Input::Heartbeat(Ok(()))), [""; 0]);
    // The details of before are gone on with until there are new ones.
    assert_eq!(bench.after(1, Input::Details(Err("the service is away".to_owned()))), [""; 0]);
    assert_eq!(bench.after(1, Input::Time), ["resolve"]);
    let moved = Details { group: "web-2".to_owned(), ..details() };
    assert_eq!(bench.after(0, Input::Details(Ok(moved))), ["save"]);
    assert_eq!(bench.after(28, Input::Time), ["heartbeat web-2 drain"]);
    bench.after(0, ended(true));
    assert_eq!(bench.after(0, Input::Completed(Ok(()))), ["save", "forget 1"]);

    // Of an action that is over nothing is gone on with.
    let record = bench.machine.record.clone();
    let bench = Bench::resumed(When::OnExit, record, &["resolve"]);
    assert_eq!(bench.machine.details, None);
}

#[test]
fn a_state_that_comes_meanwhile_waits_its_turn() {
    let mut bench = Bench::with_details(When::OnExit);
    assert_eq!(bench.state("InService"), ["save", "run 1 InService"]);
    assert_eq!(bench.state("Terminated"), ["save"]);
    bench.after(0, ended(true));
    assert_eq!(bench.after(0, Input::Completed(Ok(()))), ["save", "forget 1", "save", "run 2 Terminated"]);
}

#[test]
fn without_the_hook_s_timeout_the_shortest_is_assumed() {
    let mut bench = Bench::new(When::OnExit);
    bench.after(0, Input::Details(Ok(Details { hooks: None, named: Some("drain".into()), ..details() })));
    bench.state("Terminated");
    assert_eq!(bench.after(9, Input::Time), [""; 0]);
    assert_eq!(bench.after(1, Input::Time), ["heartbeat web drain"]);
    assert_eq!(bench.after(0, Input::Heartbeat(Err(ApiError::NoAction))), [""; 0]);
    assert_eq!(bench.after(100, Input::Time), [""; 0]);
}

#[test]
fn a_completion_whose_answer_is_lost_is_not_waited_for_again() {
    let mut bench = Bench::with_details(When::OnExit);
    bench.state("Terminated");
    bench.after(0, ended(true));
    bench.after(0, Input::Completed(Err(ApiError::Lost("reset".to_owned()))));
    assert_eq!(bench.after(1, Input::Time), ["complete web drain CONTINUE"]);
    assert_eq!(bench.after(0, Input::Completed(Err(ApiError::NoAction))), ["save", "forget 1"]);
}
