//! `imds emulate`: a command with an emulated service of its own.

mod child;
#[cfg(target_os = "linux")]
mod link_local;
mod supervise;

#[cfg(not(target_os = "linux"))]
use std::convert::Infallible;
use std::ffi::{OsStr, OsString};
use std::net::{Ipv4Addr, SocketAddr};
use std::process::Command;

use clap::Args as ClapArgs;
use imds_emulator::{Assertion, Builder, Service};
use imds_model::env;

use self::supervise::{Tie, supervise};
use super::emulator_args::EmulatorArgs;
use super::stop_signals::{Ending, StopSignals};
use crate::exit::Exit;
use crate::report::Failure;
use crate::system;

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
    let path = path(folder.path());
    let mut command = command(&args.command, &path);
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
    command.env("PATH", path);
    set_proxies(&mut command);
    let tie = Tie::new();
    let spawned = command.spawn();
    let ending = Ending::of(&signals, move || emulator.wait())?;
    let status = match spawned {
        Ok(child) => supervise(&signals, &ending, tie, child),
        Err(error) => Err(child::cannot_run(&args.command, error)),
    };
    match status? {
        status if status.success() => check(&args.assert, &service),
        status => Err(Failure::Child(system::exit_code(status))),
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
fn private_folder() -> Result<system::TemporaryFolder, Failure> {
    let made = || -> std::io::Result<system::TemporaryFolder> {
        let folder = system::private_folder()?;
        let programs = folder.path().join("bin");
        std::fs::create_dir(&programs)?;
        if let Ok(own) = std::env::current_exe() {
            system::put_executable(&own, &programs)?;
        }
        Ok(folder)
    };
    made().map_err(|error| {
        Failure::told(Exit::Unexpected, "cannot make a temporary directory").caused_by(error)
    })
}

/// The command by way of this executable, which ties it to this process's life; itself where
/// another tie does.
fn command(words: &[OsString], path: &OsStr) -> Command {
    match std::env::current_exe() {
        Ok(own) if cfg!(target_os = "linux") => {
            let mut command = Command::new(own);
            command.args(["emulate", "--child-of"]).arg(std::process::id().to_string()).arg("--").args(words);
            command
        }
        _ => {
            let program = words.first().map_or(OsStr::new(""), OsString::as_os_str);
            let mut command = Command::new(system::program(program, Some(path)));
            command.args(words.iter().skip(1));
            command
        }
    }
}

#[allow(clippy::disallowed_methods, reason = "the child's environment is made from this process's")]
fn path(folder: &std::path::Path) -> OsString {
    child::path_with(&folder.join("bin"), std::env::var_os("PATH").as_deref())
}

#[allow(clippy::disallowed_methods, reason = "the child's environment is made from this process's")]
fn set_proxies(command: &mut Command) {
    let own = |name: &str| std::env::var(name).ok();
    // Some programs read only one of the two.
    let (upper, lower) = (own("NO_PROXY"), own("no_proxy"));
    command.env("NO_PROXY", child::no_proxy(upper.as_deref().or(lower.as_deref())));
    command.env("no_proxy", child::no_proxy(lower.as_deref().or(upper.as_deref())));
}

/// Fails with the assertions that do not hold.
fn check(assertions: &[Assertion], service: &Service) -> Result<(), Failure> {
    let failures: Vec<String> = assertions.iter().flat_map(|assertion| assertion.failures(service)).collect();
    match failures.is_empty() {
        true => Ok(()),
        false => Err(Failure::told(Exit::Unexpected, format!("assertion {}", failures.join("; assertion ")))),
    }
}
