//! Long runs: what grows, what slows down, what is wrong once in a million.

mod day;
mod events;

use std::path::PathBuf;

use crate::dist;

const USAGE: &str =
    "usage: cargo xtask soak --emulator [--binary FILE] [--hours N] [--events N] [--requests N]";

/// Runs the emulator through a day.
pub(crate) fn run(arguments: &[String]) -> Result<(), String> {
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
