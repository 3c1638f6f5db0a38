//! Another process or another boot.

use super::*;

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
