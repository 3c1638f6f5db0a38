//! The end of the process and of the machine.

use super::*;

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
