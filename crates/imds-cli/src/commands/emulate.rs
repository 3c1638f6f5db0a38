//! `imds emulate`: a command with an emulated service of its own.

mod child;
#[cfg(target_os = "linux")]
mod link_local;

#[cfg(not(target_os = "linux"))]
use std::convert::Infallible;
use std::ffi::{OsStr, OsString};
use std::fs::Permissions;
use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::ExitStatusExt as _;
use std::process::Command;

use clap::Args as ClapArgs;
use imds_emulator::{Assertion, Builder, Service};
use imds_model::env;
use rustix::process::{Pid, Signal, WaitOptions, WaitStatus};

use super::emulator_args::EmulatorArgs;
use super::stop_signals::{Ending, StopSignals, Woken};
use crate::exit::Exit;
use crate::report::{self, Failure};

/// How long the command may take to end after a signal before it is killed, in milliseconds.
const GRACE_MILLIS: i64 = 10_000;

/// Run a command with an emulated metadata service
///
/// The service listens on a free loopback port. `AWS_EC2_METADATA_SERVICE_ENDPOINT` names it to the
/// command and every AWS SDK in it, and `NO_PROXY` keeps proxies out of the way. With
/// `--link-local` it has the addresses of the real service, for commands that know no others.
/// `imds` itself is on the command's PATH, and `imds emulator ctl` in it controls this emulator.
///
/// The exit code is the command's; if that is 0 and an assertion about its requests fails, it is 1.
/// 127: the command does not exist; 126: it cannot be run.
#[derive(ClapArgs, Debug)]
pub(crate) struct Args {
    #[command(flatten)]
    emulator: EmulatorArgs,

    /// Fail unless this holds when the command has ended (can be repeated), such as "v1 == 0 and
    /// tokens-issued <= 1"
    #[arg(long, value_name = "ASSERTION", value_parser = Assertion::parse)]
    assert: Vec<Assertion>,

    /// Serve at 169.254.169.254 and `[fd00:ec2::254]`, in a network namespace of the command's own
    #[arg(long)]
    link_local: bool,

    /// Give the namespace of --link-local a network, by slirp4netns
    #[arg(long, requires = "link_local")]
    network: bool,

    /// Be the command, as a child of this emulator
    #[arg(long, value_name = "PID", hide = true)]
    child_of: Option<u32>,

    /// The command and its arguments
    #[arg(value_name = "COMMAND", required = true, trailing_var_arg = true, allow_hyphen_values = true)]
    command: Vec<OsString>,
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    if let Some(parent) = args.child_of {
        return Err(child::become_command(parent, &args.command));
    }
    let builder = args.emulator.builder()?;
    let source = args.emulator.credential_source()?;
    // The network ends with this function.
    let (builder, _network) = if args.link_local {
        let (builder, network) = enter_namespace(args, builder)?;
        (builder, Some(network))
    } else {
        (builder, None)
    };
    let control = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let mut emulator = args.emulator.start(builder.control(control), source)?;
    let signals = StopSignals::register()?;
    let folder = private_folder()?;
    let service = emulator.service().clone();
    let mut command = command(&args.command);
    if let Some(address) = emulator.control_address() {
        command.env(env::EMULATOR_CONTROL, address.to_string());
    }
    if args.link_local {
        command.env_remove(env::ENDPOINT);
    } else {
        // With a slash behind: AWS CLI v2 joins without one (aws/aws-cli#9281), and the service
        // tolerates two.
        command.env(env::ENDPOINT, format!("{}/", emulator.endpoint()));
    }
    command.env_remove(env::ENDPOINT_MODE).env_remove(env::DISABLED).env(env::CACHE_DIR, folder.path());
    set_environment(&mut command, folder.path());
    let spawned = command.spawn();
    let ending = Ending::of(move || emulator.wait())?;
    let status = match spawned {
        Ok(child) => supervise(&signals, &ending, child.id()),
        Err(error) => Err(Failure::told(Exit::NotRunnable, "cannot start a process").caused_by(error)),
    };
    match status? {
        status if status.success() => check(&args.assert, &service),
        status => Err(Failure::Child(shell_code(status))),
    }
}

/// Enters the namespace that owns the service's addresses, and has the emulator listen there.
#[cfg(target_os = "linux")]
fn enter_namespace(args: &Args, builder: Builder) -> Result<(Builder, link_local::Network), Failure> {
    let network = link_local::enter(args.network)?;
    let [first, rest @ ..] = &link_local::ADDRESSES;
    let builder = rest.iter().fold(builder.listen(*first), |builder, address| builder.also_listen(*address));
    Ok((args.emulator.ipv6(builder), network))
}

#[cfg(not(target_os = "linux"))]
fn enter_namespace(_args: &Args, _builder: Builder) -> Result<(Builder, Infallible), Failure> {
    Err(Failure::usage("`--link-local` needs the namespaces of Linux"))
}

/// A folder of the command's own: session tokens, which end with the emulator, and `bin` with
/// `imds` alone.
fn private_folder() -> Result<tempfile::TempDir, Failure> {
    let made = || -> std::io::Result<tempfile::TempDir> {
        let folder =
            tempfile::Builder::new().prefix("imds-").permissions(Permissions::from_mode(0o700)).tempdir()?;
        std::fs::create_dir(folder.path().join("bin"))?;
        if let Ok(own) = std::env::current_exe() {
            std::os::unix::fs::symlink(own, folder.path().join("bin/imds"))?;
        }
        Ok(folder)
    };
    made().map_err(|error| {
        Failure::told(Exit::Unexpected, "cannot make a temporary directory").caused_by(error)
    })
}

/// The command by way of this executable, which ties it to this process's life.
fn command(words: &[OsString]) -> Command {
    match std::env::current_exe() {
        Ok(own) if cfg!(target_os = "linux") => {
            let mut command = Command::new(own);
            command.args(["emulate", "--child-of"]).arg(std::process::id().to_string()).arg("--").args(words);
            command
        }
        _ => {
            let mut command = Command::new(words.first().map_or(OsStr::new(""), OsString::as_os_str));
            command.args(words.iter().skip(1));
            command
        }
    }
}

#[allow(clippy::disallowed_methods, reason = "the child's environment is made from this process's")]
fn set_environment(command: &mut Command, folder: &std::path::Path) {
    let path = child::path_with(&folder.join("bin"), std::env::var_os("PATH").as_deref());
    command.env("PATH", path);
    let own = |name: &str| std::env::var(name).ok();
    // Some programs read only one of the two.
    let (upper, lower) = (own("NO_PROXY"), own("no_proxy"));
    command.env("NO_PROXY", child::no_proxy(upper.as_deref().or(lower.as_deref())));
    command.env("no_proxy", child::no_proxy(lower.as_deref().or(upper.as_deref())));
}

/// Waits for the command's end. A signal to stop is passed on to it; so is the end of the emulator.
fn supervise(
    signals: &StopSignals,
    ending: &Ending<Result<(), imds_emulator::Error>>,
    child: u32,
) -> Result<std::process::ExitStatus, Failure> {
    let pid = i32::try_from(child).ok().and_then(Pid::from_raw);
    let Some(pid) = pid else { return Err(Failure::told(Exit::Unexpected, "the command has no process")) };
    let (mut stopping, mut lost) = (false, false);
    loop {
        if let Some(status) = reap(pid) {
            return Ok(status);
        }
        let other = (!lost).then(|| ending.descriptor());
        match signals.wait(other, stopping.then_some(GRACE_MILLIS))? {
            Woken::Signal(signal) => {
                send(pid, signal);
                stopping = true;
            }
            Woken::Other => {
                report::note(&"the emulator has lost its port: the command is ended");
                send(pid, signal_hook::consts::SIGTERM);
                (stopping, lost) = (true, true);
            }
            Woken::Look if stopping && reap_is_pending(pid) => {
                send(pid, signal_hook::consts::SIGKILL);
            }
            Woken::Look => {}
        }
    }
}

/// Whether the command still runs.
fn reap_is_pending(pid: Pid) -> bool {
    rustix::process::test_kill_process(pid).is_ok()
}

fn send(pid: Pid, signal: i32) {
    if let Some(signal) = Signal::from_named_raw(signal) {
        // Fails if it has ended, which the next look finds.
        let _ = rustix::process::kill_process(pid, signal);
    }
}

/// The command's status once it has ended. As PID 1, this process inherits orphans, which are
/// reaped here too.
fn reap(pid: Pid) -> Option<std::process::ExitStatus> {
    let status = |status: WaitStatus| std::process::ExitStatus::from_raw(status.as_raw());
    if rustix::process::getpid() != Pid::INIT {
        return rustix::process::waitpid(Some(pid), WaitOptions::NOHANG)
            .ok()
            .flatten()
            .map(|(_, ended)| status(ended));
    }
    while let Ok(Some((ended, how))) = rustix::process::wait(WaitOptions::NOHANG) {
        if ended == pid {
            return Some(status(how));
        }
    }
    None
}

/// Fails with the assertions that do not hold.
fn check(assertions: &[Assertion], service: &Service) -> Result<(), Failure> {
    let failures: Vec<String> = assertions.iter().flat_map(|assertion| assertion.failures(service)).collect();
    match failures.is_empty() {
        true => Ok(()),
        false => Err(Failure::told(Exit::Unexpected, format!("assertion {}", failures.join("; assertion ")))),
    }
}

/// The exit code as a shell gives it: 128 and the signal's number for a command that a signal
/// ended.
fn shell_code(status: std::process::ExitStatus) -> u8 {
    let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal)).unwrap_or(1);
    u8::try_from(code).unwrap_or(1)
}
