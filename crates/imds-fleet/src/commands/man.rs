//! `man`: the man pages, one for each command.

use clap::CommandFactory as _;

use super::End;
use crate::cli::{Cli, ManArgs};
use crate::error::Error;

/// Runs it.
///
/// # Errors
///
/// Returns an error if the pages cannot be written.
pub fn run(args: &ManArgs) -> Result<End, Error> {
    clap_mangen::generate_to(Cli::command(), &args.directory)
        .map_err(|source| Error::file(&args.directory, source))?;
    Ok(End::Clean)
}
