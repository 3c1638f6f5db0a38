//! `imds emulate`: a command with an emulated service of its own.

use std::ffi::OsString;
use std::fs::Permissions;
use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::ExitStatusExt as _;
use std::process::Command;

use clap::Args as ClapArgs;
use imds_model::env;
use imds_model::options::HttpTokens;

use super::serve;
use crate::exit::Exit;
use crate::report::Failure;

/// Run a command with an emulated metadata service
///
/// The service listens on a free loopback port, and `AWS_EC2_METADATA_SERVICE_ENDPOINT` tells the command, and every
/// AWS SDK in it, where. `imds` itself is on the command's PATH. The command's exit code is passed on.
#[derive(ClapArgs, Debug)]
pub(crate) struct Args {
    /// Whether requests need a session token: optional, or required
    #[arg(long, value_name = "TOKENS", value_parser = serve::tokens, default_value = "required")]
    tokens: HttpTokens,

    /// The command and its arguments
    #[arg(value_name = "COMMAND", required = true, trailing_var_arg = true, allow_hyphen_values = true)]
    command: Vec<OsString>,
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let Some((program, arguments)) = args.command.split_first() else {
        return Err(Failure::usage("no command is given"));
    };
    let emulator = serve::start(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), args.tokens)?;
    // The command's session tokens end with the emulator: they do not belong among the user's.
    let tokens = tempfile::Builder::new()
        .prefix("imds-")
        .permissions(Permissions::from_mode(0o700))
        .tempdir()
        .map_err(|error| {
            Failure::told(Exit::Unexpected, "cannot make a temporary directory").caused_by(error)
        })?;
    let status = Command::new(program)
        .args(arguments)
        .env(env::ENDPOINT, emulator.endpoint())
        .env_remove(env::ENDPOINT_MODE)
        .env_remove(env::DISABLED)
        .env(env::CACHE_DIR, tokens.path())
        .env("PATH", path_with_imds())
        .status();
    match status {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(Failure::Child(shell_code(status))),
        Err(error) => {
            let program = program.to_string_lossy();
            Err(Failure::told(Exit::Unexpected, format!("cannot run `{program}`")).caused_by(error))
        }
    }
}

/// The exit code as a shell gives it: 128 and the signal's number for a command that a signal ended.
fn shell_code(status: std::process::ExitStatus) -> u8 {
    let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal)).unwrap_or(1);
    u8::try_from(code).unwrap_or(1)
}

/// PATH with the directory of this executable in front.
#[allow(clippy::disallowed_methods, reason = "the child's environment is made from this process's")]
fn path_with_imds() -> OsString {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let own = std::env::current_exe().ok().and_then(|exe| exe.parent().map(ToOwned::to_owned));
    let all = own.into_iter().chain(std::env::split_paths(&path));
    std::env::join_paths(all).unwrap_or(path)
}
