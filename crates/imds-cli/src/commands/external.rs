//! Commands that are programs of their own, run as `git` and `cargo` run theirs: whatever links an
//! AWS SDK or reads whole trees stays out of this executable, which therefore stays small.

use std::ffi::OsString;
use std::io::ErrorKind;
use std::path::PathBuf;
use std::process::Command;

use clap::Args as ClapArgs;

use crate::exit::Exit;
use crate::report::Failure;
use crate::system;

#[derive(ClapArgs, Debug)]
#[command(disable_help_flag = true)]
pub(crate) struct Args {
    /// Arguments of the program
    #[arg(value_name = "ARGUMENT", trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<OsString>,
}

impl Args {
    /// The arguments of a call that this program makes itself.
    pub(crate) const fn of(arguments: Vec<OsString>) -> Self {
        Self { arguments }
    }
}

/// Replaces this process by `program`, which the package of the same name installs. Looks beside
/// this executable first, so that both come from one release, then on PATH.
pub(crate) fn run(program: &str, args: &Args) -> Result<(), Failure> {
    let mut candidates: Vec<PathBuf> = Vec::new();
    if let Some(beside) = std::env::current_exe().ok().and_then(|own| Some(own.parent()?.join(program))) {
        candidates.push(beside);
    }
    // A name without a slash is looked up on PATH.
    candidates.push(program.into());
    for candidate in candidates {
        let mut command = Command::new(&candidate);
        let error = system::become_command(command.args(&args.arguments), Some(program));
        if error.kind() != ErrorKind::NotFound {
            let message = format!("cannot run `{}`", candidate.display());
            return Err(Failure::told(Exit::Unexpected, message).caused_by(error));
        }
    }
    Err(Failure::told(Exit::Usage, format!("cannot run `{program}`: it is not installed"))
        .hint(system::install_hint(program)))
}
