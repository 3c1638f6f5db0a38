//! `imds wait`: a path that appears, becomes, goes; and a service that says nothing about it.

use imds_testkit::{Answer, Behaviour, FaultServer};

use crate::world;

const PATH: &str = "/latest/meta-data/spot/instance-action";

fn wait(server: &FaultServer, arguments: &[&str]) -> imds_testkit::CommandOutput {
    let fixed = ["wait", "spot/instance-action", "--interval", "5ms"];
    world().imds(fixed.iter().chain(arguments)).endpoint(&server.endpoint()).run()
}

fn value(text: &str) -> Behaviour {
    Behaviour::Serve(text.as_bytes().to_vec())
}

#[test]
fn until_it_appears() {
    let server = FaultServer::start();
    server.next_get([Answer::status(404).into(), Answer::status(404).into(), value("now")]);
    let _ = wait(&server, &["--timeout", "60"]).prints("now");
    assert_eq!((server.counts().gets, server.counts().token_puts), (3, 1));
    assert_eq!(server.counts().connections, 1, "one connection carries every poll");
    assert!(server.requests().iter().all(|request| request.is_token_put() || request.target == PATH));
}

#[test]
fn until_it_has_a_value() {
    let server = FaultServer::start();
    server.next_get([value("Pending"), Answer::status(404).into(), value("InService")]);
    let _ = wait(&server, &["--for", "InService"]).prints("InService");
    assert_eq!(server.counts().gets, 3);
    server.take_counts();
    server.next_get([value("a"), value("{\"action\": \"terminate\"}")]);
    let _ = wait(&server, &["--until", "stop|terminate"]).prints("{\"action\": \"terminate\"}");
    assert_eq!(server.counts().gets, 2);
}

#[test]
fn until_it_is_gone_and_busy_is_not_gone() {
    let server = FaultServer::start();
    let busy = |status| Behaviour::from(Answer::status(status));
    // Three attempts of each call: both calls fail as busy and throttled, and mean nothing.
    server.next_get([value("x")]);
    server.next_get([busy(503), busy(503), busy(503), busy(429), busy(429), busy(429), busy(404)]);
    let _ = wait(&server, &["--gone"]).prints("");
    assert_eq!(server.counts().gets, 8);
}

#[test]
fn busy_is_not_there_either() {
    let server = FaultServer::start();
    let busy = || Behaviour::from(Answer::status(503));
    server.next_get([busy(), busy(), busy(), value("there")]);
    let _ = wait(&server, &[]).prints("there");
}

#[test]
fn past_the_deadline() {
    let server = FaultServer::start();
    server.every_get(Answer::status(404));
    let appear = wait(&server, &["--timeout", "100ms"]).fails_with(7);
    let _ =
        appear.says("error: `/latest/meta-data/spot/instance-action` did not appear in time\ncaused by: ");
    server.every_get(value("x"));
    let _ = wait(&server, &["--timeout", "100ms", "--gone"]).fails_with(7).says("did not go in time");
    let become_y = wait(&server, &["--timeout", "100ms", "--for", "y"]).fails_with(7);
    let _ = become_y.says("did not become `y` in time");
    server.every_get(Behaviour::Stall);
    let _ = wait(&server, &["--timeout", "200ms"]).fails_with(7);
}

#[test]
fn what_waiting_cannot_fix_ends_it() {
    let server = FaultServer::start();
    server.every_get(Answer::status(403));
    let _ = wait(&server, &[]).fails_with(5);
    let _ = wait(&server, &["--for", "x", "--gone"]).fails_with(2);
    let _ = wait(&server, &["--until", "("]).fails_with(2);
}
