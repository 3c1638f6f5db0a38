//! `imds emulate`: a command with an emulated service of its own.

use std::ffi::OsString;
use std::fs::Permissions;
use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::ExitStatusExt as _;
use std::process::Command;

use clap::Args as ClapArgs;
use imds_emulator::{Assertion, Emulator};
use imds_model::env;

use super::emulator_args::{self, EmulatorArgs};
use crate::exit::Exit;
use crate::report::{self, Failure};

/// Run a command with an emulated metadata service
///
/// The service listens on a free loopback port, and `AWS_EC2_METADATA_SERVICE_ENDPOINT` tells the command, and every
/// AWS SDK in it, where. `imds` itself is on the command's PATH, and `imds emulator ctl` in it controls this emulator.
/// The command's exit code is passed on; where it is 0 and an assertion about its requests fails, it is 1.
#[derive(ClapArgs, Debug)]
pub(crate) struct Args {
    #[command(flatten)]
    emulator: EmulatorArgs,

    /// Fail unless this holds when the command has ended (can be repeated), such as "v1 == 0 and tokens-issued <= 1"
    #[arg(long, value_name = "ASSERTION", value_parser = Assertion::parse)]
    assert: Vec<Assertion>,

    /// The command and its arguments
    #[arg(value_name = "COMMAND", required = true, trailing_var_arg = true, allow_hyphen_values = true)]
    command: Vec<OsString>,
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let Some((program, arguments)) = args.command.split_first() else {
        return Err(Failure::usage("no command is given"));
    };
    let control = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let emulator = args.emulator.builder()?.control(control).start().map_err(emulator_args::failure)?;
    if args.emulator.has_faults() {
        report::note(&format!("rates of faults are drawn with `--seed {}`", emulator.service().seed()));
    }
    // The command's session tokens end with the emulator: they do not belong among the user's.
    let tokens = tempfile::Builder::new()
        .prefix("imds-")
        .permissions(Permissions::from_mode(0o700))
        .tempdir()
        .map_err(|error| {
            Failure::told(Exit::Unexpected, "cannot make a temporary directory").caused_by(error)
        })?;
    let control = emulator.control_address().map(|address| (env::EMULATOR_CONTROL, address.to_string()));
    let status = Command::new(program)
        .args(arguments)
        .envs(control)
        .env(env::ENDPOINT, emulator.endpoint())
        .env_remove(env::ENDPOINT_MODE)
        .env_remove(env::DISABLED)
        .env(env::CACHE_DIR, tokens.path())
        .env("PATH", path_with_imds())
        .status();
    match status {
        Ok(status) if status.success() => check(&args.assert, &emulator),
        Ok(status) => Err(Failure::Child(shell_code(status))),
        Err(error) => {
            let program = program.to_string_lossy();
            Err(Failure::told(Exit::Unexpected, format!("cannot run `{program}`")).caused_by(error))
        }
    }
}

/// Fails with the assertions that do not hold.
fn check(assertions: &[Assertion], emulator: &Emulator) -> Result<(), Failure> {
    let failures: Vec<String> =
        assertions.iter().flat_map(|assertion| assertion.failures(emulator.service())).collect();
    match failures.is_empty() {
        true => Ok(()),
        false => Err(Failure::told(Exit::Unexpected, format!("assertion {}", failures.join("; assertion ")))),
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
