//! Another target state: launches, the warm pool, Spot.

use super::*;

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

#[test]
fn an_instance_that_returns_to_the_pool_answers_the_hooks_of_a_termination() {
    for success in [true, false] {
        let mut it = Simulation::resumed(rules(), Record::new("i-1", "b-1"), Simulation::group(), 1_000);
        it.end_launch().api.return_to_pool(Duration::from_secs(75));
        it.pass(5 * MINUTE).end(success).pass(POLL);
        assert_eq!(it.runs(), ["InService", "Warmed:Stopped"]);
        let result = if success { "drain CONTINUE" } else { "drain ABANDON" };
        assert_eq!(it.results().last().map(String::as_str), Some(result), "{}", it.said());
        assert_eq!(
            (it.count("warm refused"), it.machine.record.action.is_none()),
            (0, true),
            "{}",
            it.said()
        );
    }
}

#[test]
fn a_return_that_is_killed_midway_goes_on_as_a_return() {
    let mut it = Simulation::resumed(rules(), Record::new("i-1", "b-1"), Simulation::group(), 1_000);
    it.end_launch().api.return_to_pool(Duration::from_secs(75));
    it.pass(POLL);
    let mut next = it.restart(rules(), 90);
    next.pass(20).end(true).pass(POLL);
    assert_eq!(next.results().last().map(String::as_str), Some("drain CONTINUE"), "{}", next.said());
    // The next boot launches from the pool.
    let (record, dropped) = next.machine.record.clone().into_boot("b-2");
    assert_eq!(dropped, None);
    next.api.launch("InService");
    let mut launched = Simulation::resumed(rules(), record, next.api, 10);
    launched.pass(POLL).end(true);
    assert_eq!(launched.results().last().map(String::as_str), Some("warm CONTINUE"), "{}", launched.said());
}

#[test]
fn a_return_whose_answer_was_lost_is_over_when_the_instance_is_in_the_pool() {
    let mut it = Simulation::resumed(rules(), Record::new("i-1", "b-1"), Simulation::group(), 1_000);
    it.end_launch().api.return_to_pool(Duration::ZERO);
    it.pass(POLL);
    it.offline = true;
    it.end(true);
    it.offline = false;
    it.call("CompleteLifecycleAction", "drain", "CONTINUE").unwrap();
    it.pass(4 * POLL);
    assert!(it.machine.record.action.is_none(), "{}", it.said());
}
