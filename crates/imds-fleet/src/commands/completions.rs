//! `completions`: a completion script for a shell.

use clap::{Arg, CommandFactory as _};
use imds_usage::Values;

use super::End;
use crate::cli::{Cli, CompletionsArgs};
use crate::error::Error;
use crate::inventory::owner::Owner;
use crate::output::{Out, written};

/// Runs it.
///
/// # Errors
///
/// Returns an error if the script cannot be written.
pub fn run(args: &CompletionsArgs, out: Out<'_>) -> Result<End, Error> {
    let script = imds_usage::completions(args.shell, Cli::command(), &values);
    written(out.write_all(script.as_bytes()))?;
    Ok(End::Clean)
}

/// What an argument takes, where the declaration does not show it.
fn values(_: &[&str], argument: &Arg) -> Option<Values> {
    let words = |words: &[&str]| {
        Some(Values::Words(words.iter().map(|word| ((*word).to_owned(), String::new())).collect()))
    };
    match argument.get_id().as_str() {
        "http_tokens" => words(&["optional", "required"]),
        "ipv6" | "tags" | "http_endpoint" | "http_tokens_enforced" => words(&["enabled", "disabled"]),
        "include_owned" => words(&Owner::ALL.map(Owner::option)),
        "filters" => words(&["tag:", "instance-type=", "vpc-id=", "subnet-id=", "instance-state-name="]),
        "output_dir" => Some(Values::Directories),
        "subcommand" => Some(imds_usage::subcommands(&Cli::command())),
        _ => None,
    }
}
