//! What a terminal shows: nothing that the service says, but a value asked for by name, reaches it
//! raw.

use imds_testkit::{Answer, Behaviour, FaultServer};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use crate::world;

/// Escape, BEL, DEL, C1, carriage return and backspace, and what reorders or hides text.
const NASTY: [char; 14] = [
    '\u{1b}', '\u{7}', '\u{7f}', '\u{9b}', '\r', '\u{8}', '\u{202e}', '\u{2066}', '\u{200b}', '\u{feff}',
    '\t', '\u{85}', '\u{2028}', '\u{0}',
];

/// Every command that shows what the service says, for values that nobody asked for by name.
const COMMANDS: &[&[&str]] = &[
    &["list", "tags/instance/"],
    &["tree", "tags/"],
    &["tree", "tags/", "--values"],
    &["dump", "tags/"],
    &["dump", "tags/", "-o", "yaml"],
    &["dump", "tags/", "-o", "flat"],
    &["dump", "tags/", "-o", "env"],
    &["env", "tags/instance/x"],
    &["get", "tags/instance/x", "--output", "env"],
    &["get", "tags/instance/x", "--output", "json"],
    &["get", "tags/instance/x", "--output", "yaml"],
    &["get", "tags/instance/x", "mac", "--query", "mac"],
    &["get", "dynamic/instance-identity/document", "--query", "region"],
    &["get", "account-id", "role"],
    &["user-data", "--part"],
    &["credentials", "--force"],
    &["identity", "verify"],
    &["doctor"],
    &["doctor", "-o", "json"],
    &["wait", "tags/instance/x", "--gone", "--timeout", "1ms", "-v"],
];

fn is_harmless(text: &str) -> bool {
    text.chars()
        .all(|character| !NASTY.contains(&character) && (!character.is_control() || character == '\n'))
}

fn nasty_text() -> impl Strategy<Value = String> {
    let any_nasty = proptest::sample::select(&NASTY[..]);
    proptest::collection::vec(prop_oneof![any_nasty, proptest::char::range('a', 'f')], 1..12).prop_map(
        |characters| format!("x{}\u{1b}[2J\r\u{9b}31m\u{202e}", characters.into_iter().collect::<String>()),
    )
}

#[test]
fn no_command_writes_a_control_that_was_not_asked_for() {
    let server = FaultServer::start();
    let mut runner = TestRunner::new(Config { cases: 2, failure_persistence: None, ..Config::default() });
    let result = runner.run(&nasty_text(), |nasty| {
        for command in COMMANDS {
            let world = world();
            let document =
                serde_json::json!({ "region": nasty, "accountId": nasty, "Code": nasty, "x": nasty });
            for body in [nasty.clone(), document.to_string(), format!("{nasty}\nb")] {
                server.every_get(Behaviour::Serve(body.into_bytes()));
                let output = world
                    .imds(*command)
                    .endpoint(&server.endpoint())
                    .env("AWS_METADATA_SERVICE_NUM_ATTEMPTS", "1")
                    .on_terminal()
                    .prints_secrets()
                    .run();
                let shown = String::from_utf8_lossy(output.stdout_bytes()).replace("\r\n", "\n");
                // What `user-data --part` prints in columns.
                let shown = if command[0] == "user-data" { shown.replace('\t', " ") } else { shown };
                prop_assert!(is_harmless(&shown), "{command:?}: {shown:?}");
                prop_assert!(is_harmless(output.stderr()), "{command:?}: {:?}", output.stderr());
            }
        }
        Ok(())
    });
    assert_eq!(result.err().map(|error| error.to_string()), None);
}

#[test]
fn a_mistake_is_not_repeated_raw() {
    let world = world();
    for words in [
        &["\u{1b}[2Jx"][..],
        &["get", "--\u{1b}[2J"],
        &["get", "a/\u{1b}[2J"],
        &["get", "mac", "--query", "\u{1b}[2J("],
        &["get", "mac", "--output", "\u{1b}[2J"],
        &["watch", "\u{202e}x"],
        &["man", "\u{1b}[2J"],
        &["list", "mac", "-E", "\u{1b}("],
        &["get", "mac", "--timeout", "\u{1b}1s"],
    ] {
        let output = world.imds(words).disabled().run().fails_with(2);
        assert!(is_harmless(output.stderr()), "{words:?}: {:?}", output.stderr());
    }
}

#[test]
fn a_pipe_gets_every_byte() {
    let server = FaultServer::start();
    let value = "a\u{1b}[2J\u{9b}\u{202e}b";
    server.every_get(Behaviour::Serve(value.as_bytes().to_vec()));
    let run = |words: &[&str]| world().imds(words).endpoint(&server.endpoint()).run().exits_with(0);
    let _ = run(&["get", "tags/instance/x"]).prints(value);
    let _ = run(&["get", "tags/instance/x", "mac"]).prints(format!("{value}\n{value}\n"));
    let _ = run(&["env", "X=tags/instance/x"]).prints(format!("X=\"{value}\"\n"));
}

#[test]
fn credentials_are_not_printed_on_a_terminal() {
    let server = FaultServer::start();
    server.every_get(Answer::ok("{}"));
    let get = |more: &[&str]| {
        let words = ["get", "iam/security-credentials/r"].iter().chain(more);
        world().imds(words).endpoint(&server.endpoint()).on_terminal().run()
    };
    let _ = get(&[])
        .exits_with(2)
        .says("error: cannot print credentials on a terminal\nhint: use `--show-secrets`");
    assert_eq!(server.counts().connections, 0);
    let _ = get(&["--show-secrets"]).exits_with(0);
    let dump = world().imds(["dump", "iam/security-credentials/r"]).endpoint(&server.endpoint()).run();
    let _ = dump.fails_with(2).says("it is a secret\nhint: `--show-secrets` prints it\n");
}

#[test]
fn colours_are_for_terminals_that_want_them() {
    let emulator = crate::emulator().start().unwrap();
    let tree = |variables: &[(&str, &str)]| {
        let world = world();
        let run = world.imds(["tree", "iam"]).endpoint(&emulator.endpoint()).on_terminal();
        let run = variables.iter().fold(run, |run, (name, value)| run.env(name, value));
        run.run().exits_with(0).stdout().contains('\u{1b}')
    };
    assert!(tree(&[("TERM", "xterm")]));
    assert!(!tree(&[("TERM", "xterm"), ("NO_COLOR", "1")]));
    assert!(!tree(&[("TERM", "dumb")]));
    assert!(!tree(&[]));
}
