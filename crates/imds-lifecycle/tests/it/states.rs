//! State by state, what the daemon does that people write in bash.

use std::time::Duration;

use imds_emulator::instance::TargetLifecycleState;
use imds_emulator::{Emulator, Event};

use crate::auto_scaling::AutoScaling;
use crate::daemon::Place;
use crate::{instance, set_state};

const COMPLETED: &str = "state `Terminated`: completed";

#[test]
fn in_service_standby_and_detached_do_nothing_and_terminated_completes_once() {
    let (instance, api, place) = (instance(), AutoScaling::start(3_600), Place::new());
    let mut daemon = place.daemon(&instance, &api, &["--exec", &place.command()]);
    daemon.says("state `InService`: nothing to do");
    for state in ["Standby", "Detached"] {
        set_state(&instance, state);
        daemon.says(&format!("state `{state}`: nothing to do"));
    }
    set_state(&instance, "Frozen");
    daemon.says("unknown target lifecycle state `Frozen`: nothing to do, watching on");
    assert_eq!(place.runs(), 0);
    api.wait_for(|world| world.count("DescribeLifecycleHooks") == 1);
    set_state(&instance, "Terminated");
    daemon.says("state `Terminated`: running the command");
    daemon.says("state `Terminated`: the command ended with exit status: 0");
    daemon.says(COMPLETED);
    daemon.stop();
    assert_eq!(std::fs::read_to_string(place.log()).unwrap(), "Terminated\n");
    let id = "i-1234567890abcdef0";
    api.world(|world| {
        assert_eq!(world.completed(), ["CONTINUE"]);
        assert_eq!(
            world.calls,
            [
                "DescribeLifecycleHooks web".to_owned(),
                "DescribeLifecycleHooks web".to_owned(),
                format!("CompleteLifecycleAction web drain {id} CONTINUE")
            ]
        );
    });
    // What there is to remember is remembered, and nothing of the hook is left.
    let mut daemon = place.daemon(&instance, &api, &["--exec", &place.command()]);
    daemon.says("Auto Scaling group `web`");
    set_state(&instance, "Standby");
    daemon.says("state `Standby`: nothing to do");
    assert!(!daemon.stop().contains("running the command"));
    assert_eq!((place.runs(), api.world(|world| world.completed().len())), (1, 1));
    let files =
        std::fs::read_dir(place.path().join("state")).unwrap().map(|entry| entry.unwrap().file_name());
    let mut files: Vec<_> = files.collect();
    files.sort();
    assert_eq!(files, ["daemon.lock", "journal.json"]);
}

#[test]
fn the_walk_of_the_emulator_s_timeline() {
    let (instance, api, place) = (instance(), AutoScaling::start(3_600), Place::new());
    let minute = Duration::from_secs(60);
    let walk =
        [TargetLifecycleState::Standby, TargetLifecycleState::InService, TargetLifecycleState::Terminated];
    for (minutes, state) in (1..).zip(walk) {
        instance.service().apply_after(minutes * minute, Event::TargetLifecycleState(Some(state)));
    }
    instance.service().apply_after(4 * minute, Event::Terminate);
    instance.service().apply_after(5 * minute, Event::Start);
    let mut daemon = place.daemon(&instance, &api, &["--exec", &place.command()]);
    daemon.says("state `InService`: nothing to do");
    for told in [
        "state `Standby`: nothing to do",
        "state `InService`: nothing to do",
        COMPLETED,
        "the metadata service cannot be read: ",
        "the metadata service can be read again",
    ] {
        assert!(instance.service().step(minute));
        daemon.says(told);
    }
    daemon.stop();
    assert_eq!((place.runs(), api.world(|world| world.completed())), (1, vec!["CONTINUE".to_owned()]));
}

#[test]
fn the_role_s_credentials_and_one_token_serve_everything() {
    let (instance, api, place) = (instance(), AutoScaling::start(3_600), Place::new());
    let mut daemon = place.daemon(&instance, &api, &["--exec", "true"]);
    daemon.says("Auto Scaling group `web`");
    set_state(&instance, "Terminated");
    daemon.says(COMPLETED);
    let said = daemon.stop();
    let counters = instance.counters();
    assert_eq!((counters.token_puts, counters.v1), (1, 0));
    let key = api.world(|world| world.signers[0].clone());
    assert!(key.starts_with("ASIA") || key.starts_with("AKIA"), "{key}");
    assert!(api.world(|world| world.signers.iter().all(|signer| *signer == key)));
    assert!(!said.contains(&key), "{said}");
}

#[test]
fn a_command_that_fails_abandons_unless_told_otherwise() {
    for (arguments, expected) in [
        (&["--exec", "exit 3"][..], "ABANDON"),
        (&["--exec", "exit 3", "--on-failure", "continue"], "CONTINUE"),
    ] {
        let (instance, api, place) = (instance(), AutoScaling::start(3_600), Place::new());
        set_state(&instance, "Terminated");
        let mut daemon = place.daemon(&instance, &api, arguments);
        daemon.says("the command ended with exit status: 3").says(COMPLETED);
        daemon.stop();
        assert_eq!(api.world(|world| world.completed()), [expected]);
    }
}

#[test]
fn power_off_first_and_complete_at_the_end() {
    let (instance, api, place) = (instance(), AutoScaling::start(3_600), Place::new());
    let mut daemon = place.daemon(&instance, &api, &["--complete", "on-stop", "--exec", &place.command()]);
    daemon.says("Auto Scaling group `web`");
    set_state(&instance, "Terminated");
    daemon.says("the command ended with exit status: 0");
    assert_eq!(api.world(|world| world.count("CompleteLifecycleAction")), 0);
    assert!(daemon.stop().contains(COMPLETED));
    assert_eq!((place.runs(), api.world(|world| world.completed())), (1, vec!["CONTINUE".to_owned()]));
}

#[test]
fn stopped_in_service_it_completes_nothing() {
    let (instance, api, place) = (instance(), AutoScaling::start(3_600), Place::new());
    let mut daemon = place.daemon(&instance, &api, &["--complete", "on-stop", "--exec", &place.command()]);
    daemon.says("state `InService`: nothing to do");
    daemon.stop();
    assert_eq!((place.runs(), api.world(|world| world.count("CompleteLifecycleAction"))), (0, 0));
}

/// An instance whose group only the user data, or the API, knows.
fn instance_without_tag(user_data: &str) -> Emulator {
    Emulator::builder()
        .unset("tags")
        .set("/latest/user-data", user_data)
        .set("autoscaling/target-lifecycle-state", "InService")
        .start()
        .unwrap()
}

#[test]
fn the_group_comes_from_user_data_or_the_api_or_a_flag() {
    let data = r#"{"asg": {"name": "by-data"}, "lifecycleHook": "by-data-too"}"#;
    for (arguments, group, hook) in [
        (&["--group-query", "asg.name", "--hook-query", "lifecycleHook"][..], "by-data", "by-data-too"),
        (&[], "by-api", "drain"),
        (&["--group", "by-flag", "--hook", "named"], "by-flag", "named"),
    ] {
        let (instance, api, place) = (instance_without_tag(data), AutoScaling::start(3_600), Place::new());
        api.world(|world| {
            world.lifecycle.group = group.to_owned();
            world.lifecycle.hooks[0].name = hook.to_owned();
            world.lifecycle.terminate(Duration::ZERO);
        });
        let mut daemon = place.daemon(&instance, &api, &[arguments, &["--exec", "true"]].concat());
        daemon.says(&format!("Auto Scaling group `{group}`"));
        set_state(&instance, "Terminated");
        daemon.says(COMPLETED);
        daemon.stop();
        let last = api.world(|world| world.calls.last().cloned()).unwrap();
        assert!(last.starts_with(&format!("CompleteLifecycleAction {group} {hook} ")), "{last}");
    }
}

#[test]
fn user_data_that_is_not_json_is_told_and_the_daemon_goes_on() {
    let secret = "#!/bin/sh\nPASSWORD=hunter2\n";
    let (instance, api, place) = (instance_without_tag(secret), AutoScaling::start(3_600), Place::new());
    let mut daemon = place.daemon(&instance, &api, &["--group-query", "asg", "--exec", &place.command()]);
    daemon.says("the user data is not JSON");
    set_state(&instance, "Terminated");
    daemon.says("the command ended with exit status: 0");
    // Mended while the daemon runs.
    instance.service().set("/latest/user-data", r#"{"asg": "web"}"#).unwrap();
    daemon.says("Auto Scaling group `web`").says(COMPLETED);
    assert!(!daemon.stop().contains("hunter2"));
    assert_eq!(place.runs(), 1);
}

#[test]
fn a_dry_run_says_what_it_would_do_and_does_nothing() {
    let (instance, api, place) = (instance(), AutoScaling::start(3_600), Place::new());
    set_state(&instance, "Terminated");
    let mut daemon = place.daemon(&instance, &api, &["--dry-run", "--exec", &place.command()]);
    daemon
        .says("dry run: would run `echo $IMDS_LIFECYCLE_STATE")
        .says("dry run: would complete hook `drain` of group `web` with CONTINUE");
    daemon.stop();
    assert_eq!(place.runs(), 0);
    assert!(!place.path().join("state").exists());
    assert_eq!(
        api.world(|world| world.count("DescribeLifecycleHooks")),
        api.world(|world| world.calls.len())
    );
}

#[test]
fn the_metrics_count_what_was_done() {
    use std::io::{Read as _, Write as _};
    let (instance, api, place) = (instance(), AutoScaling::start(3_600), Place::new());
    set_state(&instance, "Terminated");
    let mut daemon = place.daemon(&instance, &api, &["--metrics", "127.0.0.1:0", "--exec", &place.command()]);
    daemon.says("metrics at http://");
    let address = daemon.said.last().unwrap().replace("metrics at http://", "").replace("/metrics", "");
    daemon.says(COMPLETED);
    let mut stream = std::net::TcpStream::connect(address).unwrap();
    write!(stream, "GET /metrics HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    for line in [
        "imds_lifecycle_up 1",
        "imds_lifecycle_commands_total{result=\"success\"} 1",
        "imds_lifecycle_commands_total{result=\"failure\"} 0",
        "imds_lifecycle_completions_total{result=\"success\"} 1",
    ] {
        assert!(text.lines().any(|other| other == line), "{line}: {text}");
    }
    daemon.stop();
}
