//! `man`: a manual page, in roff.

use super::End;
use crate::cli::ManArgs;
use crate::error::Error;
use crate::manual;
use crate::output::{Out, written};

/// Runs it.
///
/// # Errors
///
/// Returns an error if there is no such subcommand, or if the page cannot be written.
pub fn run(args: &ManArgs, out: Out<'_>) -> Result<End, Error> {
    let page = manual::PROGRAM.page(&args.subcommand).map_err(|unknown| {
        let shown = imds_model::printable::brief(&unknown.name);
        Error::Input(format!("there is no subcommand `{shown}`; `imds-fleet --help` lists them"))
    })?;
    written(out.write_all(page.as_bytes()))?;
    Ok(End::Clean)
}
