//! `imds completions`: what a shell completes.

use clap::Args as ClapArgs;
use clap_complete::Shell;

use crate::report::Failure;
use crate::{cli, output};

/// Print the completions for a shell
#[derive(ClapArgs, Debug)]
pub(crate) struct Args {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut cli::command(), "imds", &mut script);
    output::write(&[&script])
}
