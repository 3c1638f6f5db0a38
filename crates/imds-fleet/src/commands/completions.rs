//! `completions`: a completion script for a shell.

use super::End;
use crate::cli::CompletionsArgs;
use crate::error::Error;
use crate::manual;
use crate::output::{Out, written};

/// Runs it.
///
/// # Errors
///
/// Returns an error if the script cannot be written.
pub fn run(args: &CompletionsArgs, out: Out<'_>) -> Result<End, Error> {
    let script = manual::PROGRAM.completions(args.shell);
    written(out.write_all(script.as_bytes()))?;
    Ok(End::Clean)
}
