//! `imds env` and `imds exec`: values that survive every shell.

use std::process::Command;

use imds_emulator::Emulator;
use imds_testkit::FaultServer;

use crate::{needed_or_told, world};

/// What quoting gets wrong.
const NASTY: [&str; 12] = [
    "plain",
    "",
    "it's \"quoted\"",
    "$HOME ${HOME} $(id) `id` \\$x",
    "two\nlines\n",
    "  spaces at both ends  ",
    "back\\slash \\n \\",
    "; rm -rf / & | > < * ? [a] ~ # !event",
    "tab\tand\rreturn",
    "größer ✓ 𝄞",
    "a=b",
    "'",
];

fn emulator() -> Emulator {
    NASTY
        .iter()
        .enumerate()
        .fold(crate::emulator(), |builder, (n, value)| builder.set(&format!("tags/instance/v{n}"), *value))
        .start()
        .unwrap()
}

fn lines(emulator: &Emulator) -> String {
    let paths: Vec<String> = (0..NASTY.len()).map(|n| format!("V{n}=tags/instance/v{n}")).collect();
    world()
        .imds(["env".to_owned()].into_iter().chain(paths))
        .endpoint(&emulator.endpoint())
        .run()
        .exits_with(0)
        .stdout()
        .to_owned()
}

#[test]
fn every_shell_reads_back_what_was_there() {
    let emulator = emulator();
    let lines = lines(&emulator);
    let world = world();
    let file = world.root().join("values.env");
    std::fs::write(&file, &lines).unwrap();
    let print: String = (0..NASTY.len()).map(|n| format!("printf '%s\\0' \"$V{n}\"; ")).collect();
    let expected: Vec<u8> = NASTY.iter().flat_map(|value| value.bytes().chain([0])).collect();
    for shell in ["sh", "bash", "zsh"] {
        let there = Command::new(shell).args(["-c", ":"]).status().is_ok();
        if !needed_or_told(there, "every_shell_reads_back_what_was_there", shell) {
            continue;
        }
        let script = format!(". {}; {print}", file.display());
        let output = Command::new(shell).args(["-c", &script]).env("HOME", "/nonexistent").output().unwrap();
        assert!(output.stdout == expected, "{shell}: {:?}", String::from_utf8_lossy(&output.stdout));
    }
}

/// `EnvironmentFile=` by the rules of systemd.exec(5): quotes at the start of a value, a backslash
/// before `"`, `\`, `` ` `` and `$` in double quotes taken off, line ends in quotes kept.
fn read_as_systemd(text: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some((name, value)) = rest.split_once('=') {
        let value = value.strip_prefix('"').expect("a value in double quotes");
        let mut plain = String::new();
        let mut characters = value.char_indices();
        let end = loop {
            match characters.next().expect("a closing quote") {
                (at, '"') => break at,
                (_, '\\') => match characters.next().expect("something behind a backslash").1 {
                    escaped @ ('"' | '\\' | '`' | '$') => plain.push(escaped),
                    '\n' => {}
                    other => plain.extend(['\\', other]),
                },
                (_, other) => plain.push(other),
            }
        };
        found.push((name.to_owned(), plain));
        rest = value[end + 1..].strip_prefix('\n').expect("nothing behind the closing quote");
    }
    found
}

#[test]
fn systemd_reads_back_what_was_there() {
    let found = read_as_systemd(&lines(&emulator()));
    let expected: Vec<_> =
        NASTY.iter().enumerate().map(|(n, value)| (format!("V{n}"), (*value).to_owned())).collect();
    assert_eq!(found, expected);
}

#[test]
fn nul_and_what_is_no_text_are_refused() {
    let emulator = crate::emulator()
        .set("tags/instance/a", "x\0y")
        .set("tags/instance/b", b"\xff".to_vec())
        .start()
        .unwrap();
    let world = world();
    for (command, tail) in [("env", None), ("exec", Some(["--", "true"]))] {
        let run = |path: &str| {
            world
                .imds([command, path].into_iter().chain(tail.into_iter().flatten()))
                .endpoint(&emulator.endpoint())
                .run()
        };
        let _ = run("tags/instance/a")
            .fails_with(1)
            .says("`/latest/meta-data/tags/instance/a` holds NUL, which no environment variable can");
        let _ = run("tags/instance/b")
            .fails_with(1)
            .says("`/latest/meta-data/tags/instance/b` is not UTF-8 text");
    }
}

#[test]
fn names_prefixes_directories_and_what_is_missing() {
    let emulator = crate::emulator().start().unwrap();
    let world = world();
    let env =
        |arguments: &[&str]| world.imds(["env"].iter().chain(arguments)).endpoint(&emulator.endpoint()).run();
    let _ = env(&["placement/region", "HERE=placement/availability-zone", "--prefix", "IMDS_"])
        .prints("IMDS_PLACEMENT_REGION=\"us-east-1\"\nHERE=\"us-east-1a\"\n");
    let _ = env(&["--export", "placement/region"]).prints("export PLACEMENT_REGION=\"us-east-1\"\n");
    let _ = env(&["services/"]).prints("SERVICES_DOMAIN=\"amazonaws.com\"\nSERVICES_PARTITION=\"aws\"\n");
    let _ = env(&["iam/", "--optional"]).exits_with(0).says("left out as secret");
    let _ = env(&["spot/instance-action"]).fails_with(3);
    let _ = env(&["spot/instance-action", "spot/", "--optional"]).prints("");
    let _ = env(&["X=placement/"])
        .fails_with(2)
        .says("variable `X` cannot hold `/latest/meta-data/placement/`, which is a directory");
    let _ = env(&["X=mac", "X=ami-id"]).fails_with(2).says("would both be variable `X`");
    let _ = env(&["mac", "--prefix", "a-"]).fails_with(2);
    let usual = env(&[]).exits_with(0);
    assert_eq!(usual.stdout().lines().count(), 5, "{usual}");
}

#[test]
fn exec_passes_values_and_becomes_the_command() {
    let emulator = emulator();
    let world = world();
    let script = "printf '%s|%s' \"$V3\" \"$V4\"; exit 42";
    let out = world
        .imds(["exec", "V3=tags/instance/v3", "V4=tags/instance/v4", "--", "sh", "-c", script])
        .endpoint(&emulator.endpoint())
        .run();
    let out = out.exits_with(42);
    assert_eq!(out.stdout(), format!("{}|{}", NASTY[3], NASTY[4]));
    // No parent lingers: the command has the very process that the test started.
    let running =
        world.imds(["exec", "mac", "--", "sh", "-c", "echo $$"]).endpoint(&emulator.endpoint()).spawn();
    let pid = running.id();
    let _ = running.wait().prints(format!("{pid}\n"));
    let _ = world
        .imds(["exec", "mac", "--", "/nonexistent"])
        .endpoint(&emulator.endpoint())
        .run()
        .fails_with(127)
        .says("cannot run `/nonexistent`");
    let _ = world.imds(["exec", "mac", "--", "/"]).endpoint(&emulator.endpoint()).run().fails_with(126);
}

#[test]
fn nothing_runs_where_a_value_is_missing() {
    let server = FaultServer::start();
    server.every_get(imds_testkit::Answer::status(503));
    let world = world();
    let flag = world.root().join("ran");
    let out = world
        .imds(["exec", "placement/region", "--", "touch", flag.to_str().unwrap()])
        .endpoint(&server.endpoint())
        .run();
    let _ = out.fails_with(6);
    assert!(!flag.exists());
}
