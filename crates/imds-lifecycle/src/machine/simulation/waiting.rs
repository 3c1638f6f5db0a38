//! When the wait begins, and what is done before it.

use super::*;

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
