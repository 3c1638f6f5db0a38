//! `imds lint`: runs `imds-lint`.

use std::ffi::OsString;

use clap::Args as ClapArgs;

use crate::report::Failure;
use crate::sibling;

/// Find IMDSv1 requests in scripts and infrastructure code, and rewrite them (runs `imds-lint`)
#[derive(ClapArgs, Debug)]
#[command(disable_help_flag = true)]
pub(crate) struct Args {
    /// What `imds-lint` is given
    #[arg(value_name = "ARGUMENT", trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<OsString>,
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    Err(sibling::become_program("imds-lint", "imds-lint", &args.arguments))
}
