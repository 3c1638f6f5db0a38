//! `completions`: a completion script for a shell.

use clap::CommandFactory as _;

use super::End;
use crate::cli::{Cli, CompletionsArgs};
use crate::error::Error;
use crate::output::{Out, written};

/// Runs it.
///
/// # Errors
///
/// Returns an error if the script cannot be written.
pub fn run(args: &CompletionsArgs, out: Out<'_>) -> Result<End, Error> {
    let script = imds_usage::completions(args.shell, Cli::command(), &|_, _| None);
    written(out.write_all(script.as_bytes()))?;
    Ok(End::Clean)
}
