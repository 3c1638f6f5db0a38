//! `imds fleet`: runs `imds-fleet`.

use std::ffi::OsString;

use clap::Args as ClapArgs;

use crate::report::Failure;
use crate::sibling;

/// Find and change which instances of a fleet still allow IMDSv1 (runs `imds-fleet`)
#[derive(ClapArgs, Debug)]
#[command(disable_help_flag = true)]
pub(crate) struct Args {
    /// What `imds-fleet` is given
    #[arg(value_name = "ARGUMENT", trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<OsString>,
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    Err(sibling::become_program("imds-fleet", "imds-fleet", &args.arguments))
}
