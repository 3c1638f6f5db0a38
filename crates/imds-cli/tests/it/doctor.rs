//! `imds doctor` names the cause, and only it, for each staged fault.

use std::time::{Duration, SystemTime};

use boon::{Compiler, Schemas};
use imds_emulator::Switch;
use imds_testkit::{Answer, Behaviour, CommandOutput, FaultServer, RefusingPort, TestEnvironment};
use serde_json::Value;

use crate::world;

/// A check that is a warning or a failure.
pub(crate) type Finding = (String, String);

/// The findings of a run, whose JSON is held against the documented schema.
pub(crate) fn findings(output: &CommandOutput) -> Vec<Finding> {
    let report = report(output);
    let checks = report["checks"].as_array().unwrap();
    let wrong =
        checks.iter().filter(|check| ["warning", "failure"].contains(&check["outcome"].as_str().unwrap()));
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let found: Vec<Finding> = wrong.map(|check| (text(&check["id"]), text(&check["cause"]))).collect();
    assert_eq!(report["cause"].as_str(), found.first().map(|(_, cause)| cause.as_str()), "{output}");
    found
}

/// The report of a run, valid by `docs/doctor.schema.json`.
pub(crate) fn report(output: &CommandOutput) -> Value {
    let report: Value = serde_json::from_slice(output.stdout_bytes()).unwrap_or_else(|_| panic!("{output}"));
    let mut schemas = Schemas::new();
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/doctor.schema.json");
    let schema = Compiler::new().compile(file, &mut schemas).unwrap();
    if let Err(error) = schemas.validate(&report, schema) {
        panic!("{error:#}\n{output}");
    }
    report
}

pub(crate) fn check<'a>(report: &'a Value, id: &str) -> &'a Value {
    report["checks"].as_array().unwrap().iter().find(|check| check["id"] == id).unwrap()
}

fn diagnose(world: &TestEnvironment, endpoint: &str) -> CommandOutput {
    world.imds(["doctor", "--output", "json"]).endpoint(endpoint).run()
}

fn one(id: &str, cause: &str) -> Vec<Finding> {
    vec![(id.to_owned(), cause.to_owned())]
}

#[test]
fn nothing_is_wrong() {
    let (world, emulator) = (world(), crate::emulator().start().unwrap());
    let output = diagnose(&world, &emulator.endpoint()).exits_with(0);
    assert_eq!(findings(&output), []);
    let report = report(&output);
    assert_eq!(report["works"], true);
    for (id, outcome) in [
        ("token", "ok"),
        ("read", "ok"),
        ("tags", "ok"),
        ("role", "ok"),
        ("user-data", "ok"),
        ("clock", "ok"),
        ("store", "ok"),
        ("imdsv1", "skipped"),
    ] {
        assert_eq!(check(&report, id)["outcome"], outcome, "{output}");
    }
    let text = world.imds(["doctor"]).endpoint(&emulator.endpoint()).run().exits_with(0);
    assert!(text.stdout().ends_with("\nnothing is wrong: a plain read works\n"), "{text}");
    assert_eq!(emulator.counters().v1, 0, "a diagnosis counts as no use of IMDSv1");
}

#[test]
fn disabled_by_the_environment() {
    let (world, server) = (world(), FaultServer::start());
    let output = world
        .imds(["doctor", "--output", "json"])
        .endpoint(&server.endpoint())
        .env("AWS_EC2_METADATA_DISABLED", "TRUE")
        .run()
        .exits_with(5);
    assert_eq!(findings(&output), one("switch", "disabled"));
    assert_eq!(server.requests(), [], "nothing is sent");
}

#[test]
fn the_endpoint_variable_is_no_url() {
    let world = world();
    let command = world.imds(["doctor", "--output", "json"]).endpoint("localhost:1338");
    let output = command.in_empty_network().run().exits_with(2);
    assert_eq!(findings(&output), one("endpoint", "configuration"));
    assert!(output.stdout().contains("AWS_EC2_METADATA_SERVICE_ENDPOINT"), "{output}");
}

#[test]
fn the_endpoint_variable_names_a_port_where_nothing_listens() {
    let (world, port) = (world(), RefusingPort::take());
    let output = diagnose(&world, &port.endpoint()).exits_with(4);
    assert_eq!(findings(&output), one("connect", "not-listening"));
    let report = report(&output);
    let fix = check(&report, "connect")["fix"][0].as_str().unwrap();
    assert_eq!(
        fix,
        "the endpoint comes from environment variable `AWS_EC2_METADATA_SERVICE_ENDPOINT`: correct or remove it"
    );
}

#[test]
fn turned_off() {
    let emulator = crate::emulator().endpoint(Switch::Disabled).start().unwrap();
    let output = diagnose(&world(), &emulator.endpoint()).exits_with(5);
    assert_eq!(findings(&output), one("token", "turned-off"));
}

#[test]
fn throttled() {
    for status in [429, 503] {
        let server = FaultServer::start();
        server.every_token(Answer::status(status).header("Retry-After", "1"));
        let output = diagnose(&world(), &server.endpoint()).exits_with(6);
        assert_eq!(findings(&output), one("token", "throttled"));
        let server = FaultServer::start();
        server.every_get(Answer::status(status));
        let output = diagnose(&world(), &server.endpoint()).exits_with(6);
        assert_eq!(findings(&output), one("read", "throttled"));
    }
}

#[test]
fn failing() {
    let server = FaultServer::start();
    server.every_token(Answer::status(500));
    let output = diagnose(&world(), &server.endpoint()).exits_with(6);
    assert_eq!(findings(&output), one("token", "failing"));
}

#[test]
fn tokens_refused() {
    let server = FaultServer::start();
    server.every_get(Answer::status(401));
    let output = diagnose(&world(), &server.endpoint()).exits_with(5);
    assert_eq!(findings(&output), one("read", "token-refused"));
}

#[test]
fn the_clock_is_ten_minutes_off() {
    for (shift, word) in [(600_i64, "behind"), (-600, "ahead of")] {
        let server = FaultServer::start();
        let seconds =
            imds::Clock::wall(&imds::SystemClock).duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
        let theirs = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds.saturating_add_signed(shift));
        let token = format!("AQAEA{}==", "t".repeat(49));
        server.every_token(
            Answer::ok(token)
                .header("X-Aws-Ec2-Metadata-Token-Ttl-Seconds", "21600")
                .header("Date", &imds_model::calendar::DateTime::from_system_time(theirs).http_date()),
        );
        server.every_get(Answer::ok("ami-id"));
        let output = diagnose(&world(), &server.endpoint()).exits_with(0);
        let found = findings(&output);
        let clock: Vec<_> = found.iter().filter(|(id, _)| id != "role").cloned().collect();
        assert_eq!(clock, one("clock", "clock"), "{output}");
        assert!(output.stdout().contains(word), "{output}");
    }
}

#[test]
fn a_proxy_is_set() {
    let emulator = crate::emulator().start().unwrap();
    let world = world();
    let run = |exempt: &str| {
        world
            .imds(["doctor", "--output", "json"])
            .endpoint(&emulator.endpoint())
            .env("http_proxy", "http://user:pass-of-the-proxy@192.0.2.1:3128")
            .env("NO_PROXY", exempt)
            .run()
            .exits_with(0)
    };
    imds_testkit::secrets::register("pass-of-the-proxy");
    assert_eq!(findings(&run("localhost")), one("proxy", "proxy"));
    assert_eq!(findings(&run("127.0.0.1,localhost")), []);
}

#[test]
fn the_store_cannot_be_written() {
    let (world, emulator) = (world(), crate::emulator().start().unwrap());
    std::fs::write(world.root().join("file"), "").unwrap();
    let output = world
        .imds(["doctor", "--output", "json"])
        .endpoint(&emulator.endpoint())
        .env("IMDS_CACHE_DIR", world.root().join("file/imds"))
        .run()
        .exits_with(0);
    assert_eq!(findings(&output), one("store", "store"));
}

#[test]
fn a_web_server_answers() {
    for token in [Answer::status(404).body("<html>"), Answer::status(405), Answer::captive_portal()] {
        let server = FaultServer::start();
        server.every_token(token).every_get(Answer::captive_portal());
        let output = diagnose(&world(), &server.endpoint()).exits_with(1);
        assert_eq!(findings(&output), one("token", "not-imds"), "{output}");
    }
}

#[test]
fn something_silent_listens() {
    let server = FaultServer::start();
    server.every_token(Behaviour::Stall).every_get(Behaviour::Stall);
    let output = diagnose(&world(), &server.endpoint()).exits_with(4);
    assert_eq!(findings(&output), one("token", "silent"));
}

#[test]
fn a_put_that_stalls_where_a_get_does_not_is_the_hop_limit() {
    let server = FaultServer::start();
    server.every_token(Behaviour::Stall);
    let output = diagnose(&world(), &server.endpoint()).exits_with(4);
    assert_eq!(findings(&output), one("token", "hop-limit"));
    assert!(output.stdout().contains("--http-put-response-hop-limit 2"), "{output}");
    let without_token =
        server.requests().iter().filter(|seen| seen.method == "GET" && seen.token().is_none()).count();
    assert_eq!(without_token, 0, "a diagnosis counts as no use of IMDSv1");
}

#[test]
fn expired_credentials() {
    let emulator = crate::emulator()
        .set(
            "iam/security-credentials/my-role",
            r#"{"Code":"Success","AccessKeyId":"ASIAIOSFODNN7EXAMPLE","SecretAccessKey":"s","Token":"t","Expiration":"2020-01-01T00:00:00Z"}"#,
        )
        .start()
        .unwrap();
    let output = diagnose(&world(), &emulator.endpoint()).exits_with(0);
    assert_eq!(findings(&output), one("role", "credentials"));
}

#[test]
fn what_the_instance_does_not_have_is_a_note() {
    let emulator = crate::emulator().unset("iam").unset("/latest/user-data").unset("tags").start().unwrap();
    let output = diagnose(&world(), &emulator.endpoint()).exits_with(0);
    assert_eq!(findings(&output), []);
    let report = report(&output);
    for id in ["tags", "role", "user-data"] {
        assert_eq!(check(&report, id)["outcome"], "note", "{output}");
    }
}

#[test]
fn imdsv1_is_probed_only_when_asked_for() {
    for (tokens, outcome) in
        [(imds_emulator::HttpTokens::Required, "ok"), (imds_emulator::HttpTokens::Optional, "note")]
    {
        let (world, emulator) = (world(), crate::emulator().tokens(tokens).start().unwrap());
        let output = world
            .imds(["doctor", "--output", "json", "--probe-v1"])
            .endpoint(&emulator.endpoint())
            .run()
            .exits_with(0);
        assert_eq!(check(&report(&output), "imdsv1")["outcome"], outcome, "{output}");
    }
}

#[test]
fn another_program_of_the_name_on_the_path_is_named() {
    let (world, emulator) = (world(), crate::emulator().start().unwrap());
    let bin = world.root().join("bin");
    std::fs::create_dir(&bin).unwrap();
    imds_testkit::write_executable(&bin.join("imds"), b"#!/bin/sh\n");
    let run = |path: String| {
        world.imds(["doctor"]).endpoint(&emulator.endpoint()).env("PATH", path).run().exits_with(0)
    };
    let other = run(format!("{}:/usr/bin:/bin", bin.display()));
    let _ = other.says(&format!("note: `imds` is another program on the PATH: `{}/imds`\n", bin.display()));
    let ours = run(world.binary().parent().unwrap().display().to_string());
    assert_eq!(ours.stderr(), "");
}
