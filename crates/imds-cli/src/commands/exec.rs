//! `imds exec`: a command with values in its environment.

use std::ffi::OsString;
use std::io::ErrorKind;
use std::process::Command;

use clap::Args as ClapArgs;
use imds_model::printable;

use crate::connection::ConnectionArgs;
use crate::exit::Exit;
use crate::render::env;
use crate::report::Failure;
use crate::system;
use crate::variables::VariableArgs;

/// Run a command with values in its environment
///
/// This process becomes the command: signals and the exit code are the command's own. (On Windows
/// it waits for the command and ends with its exit code.) Without a path the command gets
/// INSTANCE_ID, INSTANCE_TYPE, PLACEMENT_AVAILABILITY_ZONE, PLACEMENT_REGION and LOCAL_IPV4.
#[derive(ClapArgs, Debug)]
pub(crate) struct Args {
    /// Paths or short names such as `region` to read, as PATH or NAME=PATH; a directory stands for
    /// every value below it
    #[arg(value_name = "[NAME=]PATH")]
    words: Vec<String>,

    /// The command and its arguments
    #[arg(value_name = "COMMAND", required = true, last = true)]
    command: Vec<OsString>,

    #[command(flatten)]
    variables: VariableArgs,

    #[command(flatten)]
    connection: ConnectionArgs,
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let Some((program, arguments)) = args.command.split_first() else {
        return Err(Failure::usage("no command is given"));
    };
    let mut command = Command::new(system::program(program, None));
    command.args(arguments);
    for variable in args.variables.read(&args.connection.client()?, &args.words, ("exec", " -- COMMAND"))? {
        command.env(&variable.name, env::checked(&variable.leaf.path, &variable.leaf.value)?);
    }
    // Returns only if the command cannot be run.
    let error = system::become_command(&mut command, None);
    let exit = if error.kind() == ErrorKind::NotFound { Exit::NoCommand } else { Exit::NotRunnable };
    let shown = program.to_string_lossy();
    Err(Failure::told(exit, format!("cannot run `{}`", printable::brief(&shown))).caused_by(error))
}
