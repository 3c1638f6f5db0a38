//! Long runs: what grows, what slows down, what is wrong once in a million.

mod day;
mod events;

use std::path::PathBuf;

use crate::{dist, workspace};

const USAGE: &str = "usage: cargo xtask soak [--seconds N]
       cargo xtask soak --emulator [--binary FILE] [--hours N] [--events N] [--requests N]";

/// Runs everything that acts for half an hour, or the emulator through a day.
pub(crate) fn run(arguments: &[String]) -> Result<(), String> {
    match arguments {
        [] => act(1_800),
        [option, seconds] if option == "--seconds" => act(seconds.parse().map_err(|_| USAGE)?),
        _ => emulate(arguments),
    }
}

/// The daemon, a watch and readers: a test of `imds-lifecycle`, where the fake Auto Scaling is.
fn act(seconds: u64) -> Result<(), String> {
    let imds = dist::static_binary("imds-cli")?;
    let mut command = workspace::cargo();
    command.args(["test", "--locked", "--quiet", "--package", "imds-lifecycle", "--test", "it"]);
    command.args(["--", "--exact", "soak::nothing_is_wrong_and_nothing_grows", "--nocapture"]);
    command.env("IMDS_SOAK_SECONDS", seconds.to_string()).env("IMDS_SOAK_WATCH", imds);
    let said = workspace::output_of(&mut command)?;
    print!("{said}");
    // A test that was renamed would hold without having run.
    if said.contains("test result: ok. 1 passed") { Ok(()) } else { Err("the soak did not run".to_owned()) }
}

fn emulate(arguments: &[String]) -> Result<(), String> {
    let (mut binary, mut plan) = (None, day::Plan { hours: 24, events: 1_000_000, requests: 10_000_000 });
    let mut arguments = arguments.iter();
    if arguments.next().map(String::as_str) != Some("--emulator") {
        return Err(USAGE.to_owned());
    }
    while let Some(option) = arguments.next() {
        let value = arguments.next().ok_or(USAGE)?;
        let number = || value.parse::<u64>().ok().filter(|number| *number > 0).ok_or(USAGE);
        match option.as_str() {
            "--binary" => binary = Some(PathBuf::from(value)),
            "--hours" => plan.hours = number()?,
            "--events" => plan.events = number()?,
            "--requests" => plan.requests = number()?,
            _ => return Err(USAGE.to_owned()),
        }
    }
    let imds = match binary {
        Some(binary) => binary,
        None => dist::static_binary("imds-cli")?,
    };
    day::run(&imds, &plan)
}
