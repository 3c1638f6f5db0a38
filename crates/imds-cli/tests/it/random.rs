//! Any command line in any environment: never a signal, never a panic, never a control character in
//! a message, always an exit code that the manual lists.
//!
//! `IMDS_RANDOM_RUNS` sets the number of command lines, 300 by default; a failure names its seed,
//! and `IMDS_RANDOM_SEED` runs that one alone.

use std::collections::BTreeMap;

use fastrand::Rng;
use imds_testkit::{Invocation, TestEnvironment};

use crate::world;

/// Subcommands that end by themselves.
const COMMANDS: [&[&str]; 22] = [
    &["get"],
    &["list"],
    &["tree"],
    &["dump"],
    &["categories"],
    &["user-data"],
    &["env"],
    &["exec"],
    &["token"],
    &["token", "clear"],
    &["credentials"],
    &["identity"],
    &["identity", "show"],
    &["identity", "verify"],
    &["wait"],
    &["doctor"],
    &["emulator", "ctl"],
    &["emulator", "import-aemm"],
    &["aws-cli", "install"],
    &["completions"],
    &["man"],
    &[],
];

const PATHS: [&str; 18] = [
    "instance-id",
    "region",
    "/latest/meta-data/",
    "meta-data/placement/region",
    "/latest/dynamic/instance-identity/document",
    "network/interfaces/macs/@primary/vpc-id",
    "network/interfaces/macs/*/subnet-id",
    "iam/security-credentials/",
    "user-data",
    "tags/instance/Name",
    "../../etc/passwd",
    "/",
    "//",
    "*",
    "@primary",
    "%00",
    "/1.0/meta-data/ami-id",
    "http://127.0.0.1/latest/meta-data/ami-id",
];

const VALUES: [&str; 24] = [
    "",
    "0",
    "-1",
    "1",
    "1e400",
    "99999999999999999999",
    "2s",
    "5m",
    "1.5h",
    "NaN",
    "json",
    "text",
    "env",
    "yaml",
    "bash",
    "IPv4",
    "auto",
    "@",
    "@/dev/null",
    "a?[",
    "foo[?bar==`1`] | [0]",
    "\u{1b}]0;title\u{7}\u{1b}[2J",
    "\u{202e}\r\n",
    "\u{1f980}",
];

/// Variables whose values are made up. The endpoint is never among them.
const VARIABLES: [&str; 11] = [
    "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE",
    "AWS_METADATA_SERVICE_TIMEOUT",
    "AWS_METADATA_SERVICE_NUM_ATTEMPTS",
    "AWS_PROFILE",
    "AWS_EC2_METADATA_V1_DISABLED",
    "AWS_EC2_INSTANCE_PROFILE_NAME",
    "IMDS_CACHE_DIR",
    "IMDS_EMULATOR_CONTROL_TOKEN",
    "COLUMNS",
    "LC_ALL",
    "TZ",
];

/// The long options of each command, as its help names them.
fn options(world: &TestEnvironment) -> BTreeMap<String, Vec<String>> {
    let of = |command: &[&str]| {
        let out = world.imds(command.iter().copied().chain(["--help"])).disabled().run().exits_with(0);
        let words = out.stdout().split(|c: char| c.is_whitespace() || "`,[]".contains(c));
        let mut options: Vec<String> =
            words.filter(|word| word.starts_with("--") && word.len() > 2).map(str::to_owned).collect();
        options.sort();
        options.dedup();
        // The endpoint stays the emulator's.
        options.retain(|option| !option.starts_with("--endpoint"));
        (command.join(" "), options)
    };
    COMMANDS.iter().map(|command| of(command)).collect()
}

fn value(rng: &mut Rng) -> String {
    match rng.u8(0..8) {
        0 => rng.choice(PATHS).unwrap_or_default().to_owned(),
        1 => "a/".repeat(rng.usize(0..3_000)),
        2 => "[".repeat(rng.usize(0..5_000)),
        3 => (0..rng.usize(0..40)).map(|_| rng.char('\u{1}'..)).collect(),
        _ => rng.choice(VALUES).unwrap_or_default().to_owned(),
    }
}

fn made_up<'w>(
    world: &'w TestEnvironment,
    options: &BTreeMap<String, Vec<String>>,
    endpoint: &str,
    seed: u64,
) -> Invocation<'w> {
    let mut rng = Rng::with_seed(seed);
    let command = rng.choice(COMMANDS).unwrap_or_default();
    let known = &options[&command.join(" ")];
    let mut words: Vec<String> = command.iter().map(|word| (*word).to_owned()).collect();
    for _ in 0..rng.usize(0..5) {
        match rng.u8(0..4) {
            0 => words.push(value(&mut rng)),
            1 => words.push(rng.choice(PATHS).unwrap_or_default().to_owned()),
            2 => words.extend(rng.choice(known).cloned()),
            _ => {
                words.extend(rng.choice(known).cloned());
                words.push(value(&mut rng));
            }
        }
    }
    if command == ["exec"] {
        // No shell is to run what follows.
        words.retain(|word| word != "bash");
    }
    let mut invocation = world.imds(&words).endpoint(endpoint).env("AWS_METADATA_SERVICE_TIMEOUT", "1");
    for _ in 0..rng.usize(0..3) {
        let text = value(&mut rng);
        invocation = invocation.env(rng.choice(VARIABLES).unwrap_or_default(), text);
    }
    if command == ["wait"] {
        invocation = invocation.arg("--timeout").arg("300ms");
    }
    if rng.bool() {
        let bytes: Vec<u8> = (0..rng.usize(0..2_000)).map(|_| rng.u8(..)).collect();
        invocation = invocation.stdin(bytes);
    }
    invocation
}

/// The exit codes of the manual; those of a command for `exec`.
fn is_documented(code: i32) -> bool {
    (0..=7).contains(&code) || [126, 127].contains(&code)
}

fn number(name: &str) -> Option<u64> {
    #[allow(clippy::disallowed_methods, reason = "the gate asks for more runs than a person waits for")]
    std::env::var(name).ok()?.parse().ok()
}

#[test]
fn any_command_line_ends_with_a_documented_exit_code() {
    let (world, emulator) = (world(), crate::emulator().start().unwrap());
    let options = options(&world);
    let seeds = number("IMDS_RANDOM_SEED")
        .map_or(0..number("IMDS_RANDOM_RUNS").unwrap_or(300), |seed| seed..seed + 1);
    for seed in seeds {
        let invocation = made_up(&world, &options, &emulator.endpoint(), seed).prints_secrets();
        let told = format!("seed {seed}: {:.2000}", format!("{invocation:?}"));
        let out = invocation.run();
        let code = out.code();
        assert!(code.is_some_and(is_documented), "{told}: ends with {code:?}: {}", out.stderr());
        let messages = String::from_utf8_lossy(out.stderr_bytes());
        assert!(!messages.contains("panicked"), "{told}: {messages}");
        let control = messages.chars().find(|c| c.is_control() && *c != '\n');
        assert_eq!(control, None, "{told}: {messages:?}");
        let silent = messages.is_empty() && out.stdout_bytes().is_empty();
        assert!(code == Some(0) || !silent || code >= Some(126), "{told}: fails silently");
    }
}
