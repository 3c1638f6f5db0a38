//! `imds watch` over thousands of polls beside the bash loop that it replaces, and how soon its
//! hook runs.
//!
//! Both ask the same emulator, which counts connections and token requests. Figures in seconds are
//! worth what the machine is idle; counts and ratios are worth it anywhere.

#![allow(clippy::disallowed_methods, reason = "a bench measures real time")]

mod latency;
mod polls;

use std::path::Path;
use std::process::{Command, Stdio};

use crate::dist;
use crate::service::{Emulator, Killed};

/// Runs the bench: `--polls N`, `--loops N` and `--events N` change how much of each,
/// `--binary FILE` what is measured.
pub(crate) fn run(arguments: &[String]) -> Result<(), String> {
    let mut counts = [("--polls", 10_000), ("--loops", 300), ("--events", 1_000)];
    let mut words = arguments.iter();
    let mut binary = None;
    while let Some(word) = words.next() {
        if word == "--binary" {
            binary = words.next().map(std::path::PathBuf::from);
            continue;
        }
        let known = counts.iter_mut().find(|(name, _)| name == word);
        let (_, count) = known.ok_or(format!("unknown option `{word}`"))?;
        *count = words.next().and_then(|text| text.parse().ok()).ok_or(format!("`{word}` needs a number"))?;
    }
    let [(_, polls), (_, loops), (_, events)] = counts;
    let imds = match binary {
        Some(binary) => binary,
        None => dist::static_binary("imds-cli")?,
    };
    polls::run(&imds, polls, loops)?;
    latency::run(&imds, events)
}

/// The emulator that both contenders ask.
fn emulator(imds: &Path) -> Result<Emulator, String> {
    Emulator::start(imds, &["--record", "16", "--tokens", "optional"])
}

/// Starts a program that knows this emulator and nothing else.
fn start(command: &mut Command, emulator: &Emulator, home: &Path) -> Result<Killed, String> {
    command.env_clear().env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin").env("HOME", home);
    command
        .env(imds_model::env::ENDPOINT, &emulator.endpoint)
        .env(imds_model::env::CACHE_DIR, home.join("cache"));
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::inherit());
    command.spawn().map(Killed).map_err(|error| format!("cannot start {command:?}: {error}"))
}
