//! The daemon is killed with SIGKILL at every step, and started again.

use std::time::Duration;

use imds_testkit::Kill;

use crate::auto_scaling::{AutoScaling, Fault};
use crate::daemon::Place;
use crate::{instance, set_state};

const COMPLETED: &str = "state `Terminated`: completed";

/// Starts a daemon that dies at the `number`th `call`, then one that lives; whether the first one
/// died.
fn dies_at(call: &str, number: u32) -> bool {
    let (instance, api, place) = (instance(), AutoScaling::start(3_600), Place::new());
    set_state(&instance, "Terminated");
    let command = place.command();
    let arguments = ["--exec", command.as_str()];
    let inject = format!("inject={call}:signal=KILL:when={number}");
    let trace = format!("trace={call}");
    let wrapper = ["strace", "-qq", "-o", "/dev/null", "-e", &trace, "-e", &inject, "--"];
    let mut first = place.daemon_under(&wrapper, &instance, &api, &arguments);
    let survived = first.says_or_ends(COMPLETED);
    drop(first);
    let mut second = place.daemon(&instance, &api, &arguments);
    second.says("Auto Scaling group `web`");
    api.wait_for(|world| !world.lifecycle.is_waiting());
    // Whatever is left to be noted is noted before it looks at another state.
    set_state(&instance, "Standby");
    second.says("state `Standby`: nothing to do");
    let said = second.stop();
    let completed = api.world(|world| world.completed());
    assert_eq!((place.runs(), completed), (1, vec!["CONTINUE".to_owned()]), "{call} {number}: {said}");
    !survived
}

/// Walks through all steps of a kind until the daemon survives.
fn walk(call: &str) -> u32 {
    let mut number = 1;
    while dies_at(call, number) {
        number += 1;
        assert!(number < 200, "it dies for ever");
    }
    number - 1
}

#[test]
fn at_every_write_to_the_disk() {
    // Each save of the journal is two of these: the file and its directory.
    let steps = walk("fsync");
    assert!(steps >= 6, "{steps}");
}

#[test]
fn at_every_rename_into_place() {
    let steps = walk("/^rename");
    assert!(steps >= 3, "{steps}");
}

#[test]
fn at_every_connection() {
    let steps = walk("connect");
    assert!(steps >= 2, "{steps}");
}

#[test]
fn at_every_process_that_it_starts() {
    let steps = walk("/^(clone|clone3|vfork)$");
    assert!(steps >= 1, "{steps}");
}

#[test]
fn while_a_call_is_under_way_and_after_it_was_done() {
    for fault in [Fault::Stall, Fault::DoneAndHangup] {
        let (instance, api, place) = (instance(), AutoScaling::start(3_600), Place::new());
        set_state(&instance, "Terminated");
        api.next("CompleteLifecycleAction", [fault.clone()]);
        let command = place.command();
        let first = place.daemon(&instance, &api, &["--exec", &command]);
        api.wait_for(|world| world.count("CompleteLifecycleAction") >= 1);
        first.kill();
        let mut second = place.daemon(&instance, &api, &["--exec", &command]);
        second.says("going on where the last process ended");
        // The first one may have lived to see the connection end, and have asked again.
        assert!(second.says_or_ends("state `Terminated`: "), "{fault:?}");
        second.stop();
        assert_eq!((place.runs(), api.world(|world| world.completed())), (1, vec!["CONTINUE".to_owned()]));
    }
}

#[test]
fn while_the_command_runs_and_it_ends_before_the_restart() {
    let (instance, api, place) = (instance(), AutoScaling::start(3_600), Place::new());
    let fifo = place.fifo();
    let command = format!("{}; read go < {}; exit 7", place.command(), fifo.display());
    set_state(&instance, "Terminated");
    let mut first = place.daemon(&instance, &api, &["--exec", &command]);
    first.says("running the command");
    // Opening waits for the command to have begun.
    let go = std::fs::OpenOptions::new().write(true).open(&fifo).unwrap();
    first.kill();
    drop(go);
    let mut second = place.daemon(&instance, &api, &["--exec", &command]);
    second.says("the command ended with exit status: 7").says(COMPLETED);
    second.stop();
    assert_eq!((place.runs(), api.world(|world| world.completed())), (1, vec!["ABANDON".to_owned()]));
}

/// Not at a system call but between any two instructions. `IMDS_KILLS` sets the number of kills, 6
/// by default; a failure names its own, and `IMDS_KILL` runs that one alone.
#[test]
fn at_any_moment() {
    for mut kill in Kill::all(6) {
        let number = kill.number;
        let (instance, api, place) = (instance(), AutoScaling::start(3_600), Place::new());
        set_state(&instance, "Terminated");
        let command = place.command();
        let arguments = ["--exec", command.as_str()];
        for _ in 0..=kill.draw(3) {
            place.daemon(&instance, &api, &arguments).kill_within(Duration::from_millis(200), &mut kill);
        }
        let mut last = place.daemon(&instance, &api, &arguments);
        api.wait_for(|world| !world.lifecycle.is_waiting());
        set_state(&instance, "Standby");
        last.says("state `Standby`: nothing to do");
        let said = last.stop();
        let completed = api.world(|world| world.completed());
        assert_eq!((place.runs(), completed), (1, vec!["CONTINUE".to_owned()]), "kill {number}: {said}");
    }
}
