//! `imds watch`: what it tells, line by line.

use imds_testkit::{Answer, Behaviour, FaultServer, Running, Signal, TestEnvironment};

use crate::world;

/// The service answers at least one whole poll more. A watch with a state file first reads the
/// instance id; the GET after the poll's begins when the poll is done.
pub(crate) fn one_more_poll(server: &FaultServer) {
    let seen = server.counts().gets;
    server.wait_for(|counts| counts.gets >= seen + 3);
}

/// A watch of one event that asks all the time.
pub(crate) fn watch(world: &TestEnvironment, server: &FaultServer, arguments: &[&str]) -> Running {
    world.imds(["watch", "--interval", "10ms"].iter().chain(arguments)).endpoint(&server.endpoint()).spawn()
}

/// Ends a watch and gives what its lines say of `change`, `old` and `new`.
pub(crate) fn stop(running: Running) -> Vec<String> {
    running.signal(Signal::TERM);
    lines(running.wait().exits_with(0).stdout())
}

fn lines(stdout: &str) -> Vec<String> {
    stdout.lines().map(short).collect()
}

/// One line without what differs from run to run.
fn short(line: &str) -> String {
    let value: serde_json::Value =
        serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
    let text = |name: &str| value[name].as_str().map_or_else(|| value[name].to_string(), str::to_owned);
    format!("{} {} {} -> {}", text("event"), text("change"), text("old"), text("new"))
}

#[test]
fn gone_and_unreadable_are_never_mixed_up() {
    let (world, server) = (world(), FaultServer::start());
    server.every_get(Answer::status(404));
    let running = watch(&world, &server, &["lifecycle"]);
    one_more_poll(&server);
    server.every_get(Behaviour::Serve(b"InService".to_vec()));
    one_more_poll(&server);
    for outage in [Answer::status(503).into(), Behaviour::Hangup, Answer::status(403).into()] {
        server.every_get(outage);
        one_more_poll(&server);
        one_more_poll(&server);
        server.every_get(Behaviour::Serve(b"InService".to_vec()));
        one_more_poll(&server);
    }
    server.every_get(Behaviour::Serve(b"Terminated".to_vec()));
    one_more_poll(&server);
    server.every_get(Answer::status(404));
    one_more_poll(&server);
    assert_eq!(
        stop(running),
        [
            "lifecycle appeared null -> InService",
            "service unreachable null -> null",
            "service recovered null -> null",
            "service unreachable null -> null",
            "service recovered null -> null",
            "service unreachable null -> null",
            "service recovered null -> null",
            "lifecycle changed InService -> Terminated",
            "lifecycle removed Terminated -> null",
        ]
    );
}

#[test]
fn a_path_that_fails_alone_does_not_hide_the_others() {
    let (world, server) = (world(), FaultServer::start());
    // One round: the first path is refused with a status of its own, the second is answered.
    server.every_get(Answer::status(404));
    server.next_get([Answer::status(418).into(), Behaviour::Serve(b"InService".to_vec())]);
    let running = watch(&world, &server, &["rebalance", "lifecycle"]);
    server.wait_for(|counts| counts.gets >= 4);
    let told = stop(running);
    assert_eq!(told[..2], ["service unreachable null -> null", "lifecycle appeared null -> InService"]);
}

#[test]
fn a_token_that_is_refused_is_renewed_and_nothing_is_told() {
    let (world, server) = (world(), FaultServer::start());
    let running = watch(&world, &server, &["instance-id"]);
    one_more_poll(&server);
    server.revoke_tokens();
    one_more_poll(&server);
    one_more_poll(&server);
    assert_eq!(server.counts().token_puts, 2);
    assert_eq!(stop(running), ["value appeared null -> i-0123456789abcdef0"]);
}

#[test]
fn it_ends_with_the_first_change_or_the_one_that_matches() {
    let (world, server) = (world(), FaultServer::start());
    let arguments = ["watch", "--interval", "10ms", "--once", "instance-id"];
    let output = world.imds(arguments).endpoint(&server.endpoint()).run().exits_with(0);
    assert_eq!(lines(output.stdout()), ["value appeared null -> i-0123456789abcdef0"]);
    let line: serde_json::Value = serde_json::from_str(output.stdout()).unwrap();
    assert_eq!(line["path"], "/latest/meta-data/instance-id");

    let states = ["InService", "Standby", "Terminated", "Detached"];
    server.next_get(states.map(|state| Behaviour::Serve(state.into())));
    let arguments = ["watch", "--interval", "10ms", "--until", "^Term", "lifecycle"];
    let output = world.imds(arguments).endpoint(&server.endpoint()).run().exits_with(0);
    assert_eq!(
        lines(output.stdout()),
        [
            "lifecycle appeared null -> InService",
            "lifecycle changed InService -> Standby",
            "lifecycle changed Standby -> Terminated",
        ]
    );
}

#[test]
fn what_was_seen_before_a_restart_is_not_told_again() {
    let (world, server) = (world(), FaultServer::start());
    let state = world.root().join("state.json");
    let arguments = ["--state", state.to_str().unwrap(), "lifecycle"];
    for (value, told) in [
        ("InService", "lifecycle appeared null -> InService"),
        ("InService", ""),
        ("Standby", "lifecycle changed InService -> Standby"),
    ] {
        server.every_get(Behaviour::Serve(value.into()));
        let running = watch(&world, &server, &arguments);
        one_more_poll(&server);
        assert_eq!(stop(running).join(","), told);
    }
    // What is damaged, or empty as `mktemp` makes it, is made anew.
    for (content, said) in [("{", "is damaged (neither of its two lines is whole): starting anew"), ("", "")]
    {
        std::fs::write(&state, content).unwrap();
        let arguments = ["watch", "--once", "--state", state.to_str().unwrap(), "lifecycle"];
        let output = world.imds(arguments).endpoint(&server.endpoint()).run().exits_with(0);
        assert_eq!(lines(output.stdout()), ["lifecycle appeared null -> Standby"]);
        let _ = output.says(said);
        let running = watch(&world, &server, &["--state", state.to_str().unwrap(), "lifecycle"]);
        one_more_poll(&server);
        assert_eq!(stop(running), [""; 0]);
    }
}

#[test]
fn user_data_is_told_and_not_shown() {
    let (world, server) = (world(), FaultServer::start());
    imds_testkit::secrets::register("my-user-data-password");
    server.every_get(Behaviour::Serve(b"my-user-data-password".to_vec()));
    let running = watch(&world, &server, &["user-data"]);
    one_more_poll(&server);
    let told = stop(running).join(",");
    assert!(told.starts_with(r#"user-data appeared null -> {"length":21,"sha256":""#), "{told}");
}

#[test]
fn wrong_words_are_told_before_anything_is_asked() {
    let (world, server) = (world(), FaultServer::start());
    for (arguments, code, told) in [
        (["watch", "../x"], 2, "error: path `../x`"),
        (["watch", "--until=("], 2, "error: invalid value '('"),
        (["watch", "--exec-retries=1"], 2, "error: the following required arguments were not provided"),
        (["watch", "--interval=0"], 2, "error: invalid value '0'"),
    ] {
        let _ = world.imds(arguments).endpoint(&server.endpoint()).run().fails_with(code).says(told);
    }
    let busy = server.address().to_string();
    let output = world.imds(["watch", "--metrics", &busy, "tags"]).endpoint(&server.endpoint()).run();
    let _ = output
        .fails_with(2)
        .says(&format!("error: cannot listen on `{busy}`\ncaused by: Address already in use"));
    let _ = world.imds(["watch", "tags"]).disabled().run().fails_with(5).says("`AWS_EC2_METADATA_DISABLED`");
    assert_eq!(server.counts().connections, 0);
}

#[test]
fn the_service_manager_is_told() {
    let (world, server) = (world(), FaultServer::start());
    let path = world.root().join("notify");
    let socket = std::os::unix::net::UnixDatagram::bind(&path).unwrap();
    let received = || {
        let mut buffer = [0; 256];
        let length = socket.recv(&mut buffer).unwrap();
        String::from_utf8_lossy(&buffer[..length]).into_owned()
    };
    let running = world
        .imds(["watch", "--interval", "10ms", "instance-id"])
        .endpoint(&server.endpoint())
        .env("NOTIFY_SOCKET", &path)
        .env("WATCHDOG_USEC", "20000")
        .spawn();
    let mut told: Vec<String> = Vec::new();
    while told.iter().filter(|word| *word == "WATCHDOG=1").count() < 3 {
        told.push(received());
    }
    assert_eq!(told.iter().filter(|word| *word == "READY=1").count(), 1, "{told:?}");
    assert!(told.iter().any(|word| word == "STATUS=watching 1 subject"), "{told:?}");
    running.signal(Signal::TERM);
    let _ = running.wait().exits_with(0);
    assert!(std::iter::repeat_with(received).take(1_000).any(|word| word == "STOPPING=1"));
}

#[test]
fn a_subject_that_stalls_starves_no_other_whatever_their_order() {
    for subjects in [["rebalance", "lifecycle"], ["lifecycle", "rebalance"]] {
        let (world, server) = (world(), FaultServer::start());
        server.every_get(Behaviour::Serve(b"InService".to_vec()));
        server.at("/latest/meta-data/events/recommendations/rebalance", Behaviour::Stall);
        let running = watch(&world, &server, &subjects);
        let asked = |path: &str| server.requests().iter().filter(|seen| seen.target.ends_with(path)).count();
        server.wait_for(|counts| counts.gets >= 8);
        // In turns, each attempt of the one that stalls would cost the other a poll.
        let (stalled, other) = (asked("/recommendations/rebalance"), asked("/target-lifecycle-state"));
        assert!(stalled >= 1 && other > stalled, "{subjects:?}: {other} {stalled}");
        server.every_get(Behaviour::Serve(b"Terminated".to_vec()));
        let before = server.counts().gets;
        server.wait_for(|counts| counts.gets >= before + 8);
        let told = stop(running);
        assert!(told.contains(&"lifecycle changed InService -> Terminated".to_owned()), "{told:?}");
    }
}
