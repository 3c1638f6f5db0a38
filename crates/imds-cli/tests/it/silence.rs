//! What `imds get instance-id` does when nobody answers.

use std::time::Duration;

use imds_testkit::{Behaviour, FaultServer, RefusingPort};

use crate::world;

#[test]
fn nothing_listens() {
    let (world, port) = (world(), RefusingPort::take());
    let output = world.get("instance-id", &port.endpoint()).arg("-v").run().fails_with(4);
    let output = output.says("cannot connect to `http://127.0.0.1:").says("hint: off an EC2 instance");
    assert!(!output.stderr().contains("attempt"), "at once means without a second attempt:\n{output}");
}

#[test]
fn the_value_never_comes() {
    let (world, server) = (world(), FaultServer::start());
    server.every_get(Behaviour::Stall);
    let _ = world.get("instance-id", &server.endpoint()).run().fails_with(4).says("did not answer in time");
    // Three attempts, and before them one over the kept connection of the token PUT.
    assert_eq!(server.counts().gets, 4);
}

#[test]
fn the_token_never_comes() {
    let (world, server) = (world(), FaultServer::start());
    server.every_token(Behaviour::Stall);
    let output = world.get("instance-id", &server.endpoint()).run().fails_with(4);
    let _ = output.says("hint: in a container").says("`HttpPutResponseHopLimit`");
    assert_eq!(server.counts().gets, 0);
}

#[test]
fn the_deadline_ends_it_all() {
    let (world, server) = (world(), FaultServer::start());
    server.every_get(Behaviour::Stall);
    let patient = |command: imds_testkit::Invocation<'_>| {
        command.env("AWS_METADATA_SERVICE_TIMEOUT", "60").arg("--timeout").arg("1s").run().fails_with(4)
    };
    // A minute for one attempt, a second for all: half a minute tells which of the two ended it, on
    // any machine.
    let output = patient(world.get("instance-id", &server.endpoint()));
    assert!(output.elapsed() < Duration::from_secs(30), "{output}");
    assert_eq!(server.take_counts().gets, 1);
    server.every_token(Behaviour::Stall);
    let output = patient(
        world.imds(["token"]).endpoint(&server.endpoint()).env("IMDS_CACHE_DIR", "/dev/null/nowhere"),
    );
    assert!(output.elapsed() < Duration::from_secs(30), "{output}");
    assert_eq!(server.take_counts().token_puts, 1);
}

#[test]
fn attempts_are_counted_as_told() {
    let (world, server) = (world(), FaultServer::start());
    server.every_get(Behaviour::Stall);
    let once = world.get("instance-id", &server.endpoint()).env("AWS_METADATA_SERVICE_NUM_ATTEMPTS", "1");
    let _ = once.run().fails_with(4);
    // One attempt, and before it one over the kept connection of the token PUT.
    assert_eq!(server.counts().gets, 2);
}
