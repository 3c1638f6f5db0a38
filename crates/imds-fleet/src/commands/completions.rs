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
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "imds-fleet", &mut script);
    written(out.write_all(&script))?;
    Ok(End::Clean)
}
