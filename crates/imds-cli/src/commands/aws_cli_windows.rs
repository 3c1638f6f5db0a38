//! `imds aws-cli` on Windows: refused. An alias of the AWS CLI is a command for a shell of Unix,
//! and the options that the AWS CLI keeps for itself are found in `/proc`.

use std::ffi::OsString;

use clap::Args as ClapArgs;

use crate::report::Failure;

/// Make `aws imds get --path PATH` work in the AWS CLI (Linux and macOS)
#[derive(ClapArgs, Debug)]
pub(crate) struct Args {
    /// Arguments
    #[arg(value_name = "ARGUMENT", trailing_var_arg = true, allow_hyphen_values = true)]
    _arguments: Vec<OsString>,
}

pub(crate) fn run(_args: &Args) -> Result<(), Failure> {
    Err(Failure::usage("cannot set up the AWS CLI's alias on Windows: an alias needs a Unix shell")
        .hint("use `imds get` itself, or the plugin of integrations/aws-cli"))
}
