//! What goes wrong while an action is worked on.

use imds_emulator::Emulator;
use rustix::process::Signal;

use crate::auto_scaling::{AutoScaling, Fault};
use crate::daemon::Place;
use crate::{instance, set_state};

const COMPLETED: &str = "state `Terminated`: completed";

/// Works through one termination whose calls of `action` meet these faults.
fn completes_despite(action: &'static str, faults: impl IntoIterator<Item = Fault>) -> (String, AutoScaling) {
    let (instance, api, place) = (instance(), AutoScaling::start(3_600), Place::new());
    api.next(action, faults);
    set_state(&instance, "Terminated");
    let mut daemon = place.daemon(&instance, &api, &["--exec", &place.command()]);
    daemon.says("state `Terminated`: ").says("the command ended").says("state `Terminated`: ");
    let said = daemon.stop();
    assert_eq!(place.runs(), 1);
    assert_eq!(api.world(|world| world.completed()), ["CONTINUE"], "{said}");
    (said, api)
}

#[test]
fn throttled_and_refused_calls_are_repeated() {
    let throttled = || Fault::Error(400, "ThrottlingException", "Rate exceeded");
    completes_despite("DescribeLifecycleHooks", [throttled()]);
    completes_despite("CompleteLifecycleAction", [throttled()]);
    completes_despite("CompleteLifecycleAction", [Fault::Hangup, Fault::Html]);
}

#[test]
fn a_completion_whose_answer_is_lost_is_one_completion() {
    let (said, api) = completes_despite("CompleteLifecycleAction", [Fault::DoneAndHangup]);
    assert!(api.world(|world| world.count("CompleteLifecycleAction")) >= 2, "{said}");
}

#[test]
fn calls_that_may_not_be_made_are_told_once() {
    let (instance, api, place) = (instance(), AutoScaling::start(3_600), Place::new());
    let denied =
        || Fault::Error(403, "AccessDenied", "not authorized to perform: autoscaling:DescribeLifecycleHooks");
    api.next("DescribeLifecycleHooks", [denied(), denied()]);
    set_state(&instance, "Terminated");
    let mut daemon = place.daemon(&instance, &api, &["--exec", &place.command()]);
    daemon.says("cannot describe the hooks of group `web`: AccessDenied: not authorized").says(COMPLETED);
    let said = daemon.stop();
    assert!((1..=2).contains(&said.matches("AccessDenied").count()), "{said}");
    // With the hook's name there is no need to.
    api.world(|world| world.lifecycle.terminate(std::time::Duration::ZERO));
    api.next("DescribeLifecycleHooks", [denied()]);
    let place = Place::new();
    let mut daemon = place.daemon(&instance, &api, &["--hook", "drain", "--exec", &place.command()]);
    daemon.says("Auto Scaling group `web`").says(COMPLETED);
    assert!(!daemon.stop().contains("AccessDenied"));
}

#[test]
fn a_command_that_hangs_or_is_killed_abandons() {
    for (command, told) in
        [("exec tail -f /dev/null", "signal: 15 (SIGTERM)"), ("kill -9 $$", "signal: 9 (SIGKILL)")]
    {
        let (instance, api, place) = (instance(), AutoScaling::start(3_600), Place::new());
        set_state(&instance, "Terminated");
        let mut daemon = place.daemon(&instance, &api, &["--exec-timeout", "20ms", "--exec", command]);
        daemon.says(told).says(COMPLETED);
        daemon.stop();
        assert_eq!(api.world(|world| world.completed()), ["ABANDON"]);
    }
}

#[test]
fn it_waits_for_a_service_that_is_not_there_yet_and_can_be_stopped_meanwhile() {
    let (instance, api, place) = (instance(), AutoScaling::start(3_600), Place::new());
    let address = instance.address();
    let endpoint_only = instance;
    let mut daemon = {
        // Only the address is needed of it.
        let daemon_of = |instance: &Emulator| place.daemon(instance, &api, &["--exec", &place.command()]);
        endpoint_only.service().unset("instance-id").unwrap();
        daemon_of(&endpoint_only)
    };
    daemon.says("waiting for the metadata service: ");
    endpoint_only.service().set("instance-id", "i-1234567890abcdef0").unwrap();
    daemon.says("state `InService`: nothing to do");
    daemon.stop();
    endpoint_only.service().unset("instance-id").unwrap();
    let mut daemon = place.daemon(&endpoint_only, &api, &["--exec", "true"]);
    daemon.says("waiting for the metadata service: ");
    assert_eq!(address, endpoint_only.address());
    daemon.stop();
}

#[test]
fn a_full_disk_keeps_neither_the_command_nor_the_completion() {
    let (instance, api, place) = (instance(), AutoScaling::start(3_600), Place::new());
    let state = place.path().join("state");
    std::fs::create_dir(&state).unwrap();
    let full = format!(
        "mount -t tmpfs -o size=4k,mode=0700 none {0}; cat /dev/zero 2>&- > {0}/filler || true; exec \"$@\"",
        state.display()
    );
    let wrapper = ["unshare", "--map-root-user", "--mount", "--", "sh", "-ec", &full, "sh"];
    set_state(&instance, "Terminated");
    let mut daemon = place.daemon_under(&wrapper, &instance, &api, &["--exec", &place.command()]);
    daemon.says("No space left on device").says("the command ended with exit status: 0").says(COMPLETED);
    let said = daemon.stop();
    assert_eq!((place.runs(), api.world(|world| world.completed())), (1, vec!["CONTINUE".to_owned()]));
    assert!(said.contains("a restart may run a command again"), "{said}");
}

#[test]
fn a_journal_that_is_damaged_keeps_neither_the_command_nor_the_completion() {
    use std::os::unix::fs::PermissionsExt as _;
    for (content, told) in [("", "is damaged"), ("{\"version\":", "is damaged"), ("\u{0}\u{0}", "is damaged")]
    {
        let (instance, api, place) = (instance(), AutoScaling::start(3_600), Place::new());
        let state = place.path().join("state");
        std::fs::create_dir(&state).unwrap();
        std::fs::set_permissions(&state, std::fs::Permissions::from_mode(0o700)).unwrap();
        std::fs::write(state.join("journal.json"), content).unwrap();
        set_state(&instance, "Terminated");
        let mut daemon = place.daemon(&instance, &api, &["--exec", &place.command()]);
        daemon.says(told).says(COMPLETED);
        daemon.stop();
        assert_eq!((place.runs(), api.world(|world| world.completed())), (1, vec!["CONTINUE".to_owned()]));
    }
}

#[test]
fn a_wrong_command_line_has_its_own_exit_code() {
    let (instance, api, place) = (instance(), AutoScaling::start(3_600), Place::new());
    let (status, said) = place.daemon(&instance, &api, &[]).end_with_output();
    assert_eq!(status.code(), Some(2));
    let hint = "hint: `--exec COMMAND` runs one when the instance is to be terminated";
    assert_eq!(said, format!("error: no command is given\n{hint}"));
    assert_eq!(instance.counters().connections, 0);
}

#[test]
fn a_second_daemon_is_refused() {
    let (instance, api, place) = (instance(), AutoScaling::start(3_600), Place::new());
    let mut first = place.daemon(&instance, &api, &["--exec", "true"]);
    first.says("state `InService`");
    let (status, said) = place.daemon(&instance, &api, &["--exec", "true"]).end_with_output();
    assert_eq!(status.code(), Some(1));
    assert!(said.starts_with("error: another `imds-lifecycle` works in directory `"), "{said}");
    first.signal(Signal::INT);
    assert!(first.end().0.success());
}
