//! `imds trace`: runs `imds-trace`.

use std::ffi::OsString;

use clap::Args as ClapArgs;

use crate::report::Failure;
use crate::sibling;

/// Show which processes still talk to the service by IMDSv1 (runs `imds-trace`)
#[derive(ClapArgs, Debug)]
#[command(disable_help_flag = true)]
pub(crate) struct Args {
    /// Arguments of `imds-trace`
    #[arg(value_name = "ARGUMENT", trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<OsString>,
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    Err(sibling::become_program("imds-trace", "imds-trace", &args.arguments))
}
