//! Commands that fail, and services that are away.

use super::*;

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
