//! `imds lifecycle`: runs `imds-lifecycle`.

use std::ffi::OsString;

use clap::Args as ClapArgs;

use crate::report::Failure;
use crate::sibling;

/// Answer Auto Scaling lifecycle hooks from the instance (runs `imds-lifecycle`)
#[derive(ClapArgs, Debug)]
#[command(disable_help_flag = true)]
pub(crate) struct Args {
    /// What `imds-lifecycle` is given
    #[arg(value_name = "ARGUMENT", trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<OsString>,
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    Err(sibling::become_program("imds-lifecycle", "imds-lifecycle", &args.arguments))
}
