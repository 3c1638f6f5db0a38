//! `man`: a manual page, in roff.

use clap::{Command, CommandFactory as _};
use imds_usage::{Entry, Manual};

use super::End;
use crate::cli::{Cli, ManArgs};
use crate::error::Error;
use crate::output::{Out, written};

/// Runs it.
///
/// # Errors
///
/// Returns an error if there is no such subcommand, or if the page cannot be written.
pub fn run(args: &ManArgs, out: Out<'_>) -> Result<End, Error> {
    let mut root = Cli::command();
    root.build();
    let mut command = root.clone();
    for name in &args.subcommand {
        command = command.find_subcommand(name).cloned().ok_or_else(|| {
            let shown = imds_model::printable::brief(name);
            Error::Input(format!("there is no subcommand `{shown}`; `imds-fleet --help` lists them"))
        })?;
    }
    let name = std::iter::once("imds-fleet").chain(args.subcommand.iter().map(String::as_str));
    let name = name.collect::<Vec<_>>().join("-");
    let command = command.display_name(&name).name(name).version(imds_usage::version!());
    let is_root = args.subcommand.is_empty();
    let others: Vec<String> =
        if is_root { root.get_subcommands().filter_map(page_of).collect() } else { Vec::new() };
    let mut see_also: Vec<&str> = others.iter().map(String::as_str).collect();
    if !is_root {
        see_also.push("imds-fleet");
    }
    let manual = Manual { exit_status: EXIT_STATUS, see_also: &see_also, ..Manual::default() };
    written(out.write_all(imds_usage::page(&command, &manual).as_bytes()))?;
    Ok(End::Clean)
}

fn page_of(command: &Command) -> Option<String> {
    (!command.is_hide_set()).then(|| format!("imds-fleet-{}", command.get_name()))
}

const EXIT_STATUS: &[Entry<'static>] = &[
    ("0", "Done, and nothing was found."),
    ("1", "Done, with findings; for plan, something had to be left out."),
    ("2", "Wrong usage, policy, plan, journal or credentials: nothing was done."),
    ("3", "Incomplete: something was not scanned, or a change is not in force."),
];
