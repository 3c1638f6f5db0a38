//! `imds completions`: a completion script for a shell.

use clap::{Arg, Args as ClapArgs, Command};
use imds_emulator::instance::Preset;
use imds_model::CATALOGUE;
use imds_usage::{Shell, Values};
use imds_watch::Event;

use crate::report::Failure;
use crate::{output, shortcuts};

/// Print the completion script for a shell
///
/// The script knows commands, options, paths, events and the like. Neither loading it nor
/// completing with it runs a program.
#[derive(ClapArgs, Debug)]
pub(crate) struct Args {
    /// Shell to write the script for
    #[arg(value_enum)]
    shell: Shell,
}

/// Prints the script for `command`, the whole program.
pub(crate) fn run(args: &Args, command: Command) -> Result<(), Failure> {
    let subcommands: Vec<(String, String)> = command
        .get_subcommands()
        .map(|subcommand| {
            let about = subcommand.get_about().map(ToString::to_string).unwrap_or_default();
            (subcommand.get_name().to_owned(), about)
        })
        .collect();
    let values = |path: &[&str], argument: &Arg| match path {
        ["imds", "man"] => Some(Values::Words(subcommands.clone())),
        _ => values(path, argument),
    };
    output::text(&imds_usage::completions(args.shell, command, &values))
}

/// What an argument takes, by the name of its value.
fn values(path: &[&str], argument: &Arg) -> Option<Values> {
    let name = argument.get_value_names().and_then(|names| names.first())?;
    let subcommand = path.get(1..).unwrap_or_default().join(" ");
    Some(match (name.as_str(), subcommand.as_str()) {
        ("PATH", "get") | ("[NAME=]PATH", "env" | "exec") => {
            let short =
                shortcuts::NAMES.iter().map(|short| (short.name.to_owned(), short.meaning.to_owned()));
            both(Values::Words(short.collect()), paths())
        }
        ("PATH" | "[NAME=]PATH", _) => paths(),
        ("EVENT|PATH", _) => {
            let events = Event::ALL.iter().map(|event| (event.name.to_owned(), event.summary.to_owned()));
            both(Values::Words(events.collect()), paths())
        }
        ("MODE", _) => words(&["IPv4", "IPv6", "auto"]),
        ("KIND", _) => words(&["rsa2048", "signature", "pkcs7"]),
        ("PRESET", _) => words(&Preset::ALL.map(Preset::as_str)),
        ("TOKENS", _) => words(&["optional", "required"]),
        ("SWITCH", _) => words(&["enabled", "disabled"]),
        ("PROFILE", "serve" | "emulate") => words(&["nitro", "xen", "snowball"]),
        ("CLOCK", _) => words(&["real", "stepped", "x60"]),
        ("FAULT", _) | ("fault", "emulator ctl fault") => words(&FAULTS),
        ("event", "emulator ctl event") => words(&EVENTS),
        ("NAME=VALUE", "emulator ctl event") => words(&["after=", "action=", "state=", "notice="]),
        ("NAME=VALUE", "emulator ctl fault") => words(&["rate=", "path=", "method=", "for=", "count="]),
        ("NAME=VALUE", "emulator ctl options") => {
            words(&["tokens=required", "tokens=optional", "endpoint=", "hop-limit=", "ipv6=", "tags="])
        }
        _ => return None,
    })
}

/// The emulator's faults and events, by the names that its control API takes.
const FAULTS: [&str; 13] = [
    "refuse",
    "stall",
    "hop-limit",
    "reset",
    "401",
    "403",
    "404",
    "429",
    "500",
    "503",
    "truncate",
    "slow",
    "packet-budget",
];
const EVENTS: [&str; 19] = [
    "rebalance",
    "interrupt",
    "clear-spot",
    "terminate",
    "start",
    "target-lifecycle-state",
    "auto-scaling",
    "complete-lifecycle-action",
    "schedule-maintenance",
    "complete-maintenance",
    "cancel-maintenance",
    "tag",
    "untag",
    "user-data",
    "rotate-credentials",
    "options",
    "set",
    "unset",
    "fault",
];

fn both(first: Values, second: Values) -> Values {
    Values::Both(Box::new(first), Box::new(second))
}

fn words(words: &[&str]) -> Values {
    Values::Words(words.iter().map(|word| ((*word).to_owned(), String::new())).collect())
}

/// The documented paths below `meta-data/`, without those that hold a label.
fn paths() -> Values {
    let listed = CATALOGUE.iter().filter(|category| category.documented() && !category.has_labels());
    let below = listed.filter_map(|category| category.path().strip_prefix("meta-data/"));
    let mut paths: Vec<String> = below.filter(|path| !path.is_empty()).map(str::to_owned).collect();
    paths.push("dynamic/instance-identity/document".to_owned());
    Values::Paths(paths)
}
