//! `imds serve`: the emulator on an address, until it is stopped.

use std::net::{Ipv4Addr, SocketAddr};

use clap::Args as ClapArgs;

use super::emulator_args::{self, EmulatorArgs};
use super::stop_signals::{Ending, StopSignals, Woken};
use crate::exit::Exit;
use crate::output;
use crate::report::Failure;

/// Serve an emulated metadata service until stopped
///
/// Every AWS SDK and `imds` itself find it by AWS_EC2_METADATA_SERVICE_ENDPOINT, which the `export`
/// line sets in a shell. SIGTERM, SIGINT and SIGHUP end it, as PID 1 of a container too.
#[derive(ClapArgs, Debug)]
pub(crate) struct Args {
    /// Listen on this address, such as 127.0.0.1:1338 or localhost:1338 (can be repeated); port 0
    /// takes a free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:1338", value_parser = emulator_args::address)]
    listen: Vec<SocketAddr>,

    /// Listen on this port of 127.0.0.1
    #[arg(long, value_name = "PORT", conflicts_with = "listen")]
    port: Option<u16>,

    /// Serve the control API and its page on this address: a loopback one, unless there is a
    /// control token; the last one counts
    #[arg(long, value_name = "ADDRESS", num_args = 0..=1, default_missing_value = "127.0.0.1:1339",
        value_parser = emulator_args::address, overrides_with = "control")]
    control: Option<SocketAddr>,

    /// Write one line per request to stderr
    #[arg(short, long)]
    verbose: bool,

    #[command(flatten)]
    emulator: EmulatorArgs,
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let mut builder = args.emulator.builder()?;
    let source = args.emulator.credential_source()?;
    let listen = match args.port {
        Some(port) => vec![SocketAddr::from((Ipv4Addr::LOCALHOST, port))],
        None => args.listen.clone(),
    };
    if let Some((first, others)) = listen.split_first() {
        builder =
            others.iter().fold(builder.listen(*first), |builder, address| builder.also_listen(*address));
    }
    // After the listeners: an IPv6 one turns the option on.
    builder = args.emulator.ipv6(builder);
    if let Some(address) = args.control {
        builder = builder.control(address);
    }
    if args.verbose {
        builder = access_lines(builder)?;
    }
    let signals = StopSignals::register()?;
    let mut emulator = args.emulator.start(builder, source)?;
    // In one write: a script may close the pipe once it has read the line that it wants.
    let mut lines = String::new();
    for address in emulator.addresses() {
        lines.push_str(&format!("listening on http://{address}\n"));
    }
    if let Some(address) = emulator.control_address() {
        lines.push_str(&format!("control API and page on http://{address}/\n"));
    }
    let name = imds_model::env::ENDPOINT;
    lines.push_str(&format!("export {name}={}/\n", reachable(&emulator.endpoint())));
    output::text(&lines)?;
    let ending = Ending::of(&signals, move || emulator.wait())?;
    loop {
        match signals.wait(Some(&ending), None)? {
            Woken::Signal(_) => return Ok(()),
            Woken::Other => {
                return match ending.result() {
                    Some(Ok(())) | None => Err(Failure::told(Exit::Unexpected, "the emulator has ended")),
                    Some(Err(error)) => Err(emulator_args::failure(error)),
                };
            }
            Woken::Look => {}
        }
    }
}

/// An endpoint that a client on this machine can connect to.
fn reachable(endpoint: &str) -> String {
    endpoint.replace("//0.0.0.0:", "//127.0.0.1:").replace("//[::]:", "//[::1]:")
}

/// One line per request on stderr. A reader that is too slow loses lines; the service does not
/// wait.
fn access_lines(builder: imds_emulator::Builder) -> Result<imds_emulator::Builder, Failure> {
    let (send, lines) = std::sync::mpsc::sync_channel::<String>(1024);
    std::thread::Builder::new()
        .name("imds-access".into())
        .spawn(move || {
            use std::io::Write as _;
            for line in lines {
                // Nobody reads: nothing to do about it here.
                let _ = writeln!(std::io::stderr(), "{line}");
            }
        })
        .map_err(|error| Failure::told(Exit::Unexpected, "cannot start a thread").caused_by(error))?;
    Ok(builder.on_request(move |request| {
        let version = match request.version {
            imds_emulator::ImdsVersion::V1 => "v1",
            imds_emulator::ImdsVersion::V2 => "v2",
            imds_emulator::ImdsVersion::None => "-",
        };
        let status = match request.status {
            0 => "no answer".to_owned(),
            status => status.to_string(),
        };
        let (method, path) =
            (imds_model::printable::escape(&request.method), imds_model::printable::escape(&request.path));
        let mut line = format!("{} #{} {version} {method} {path} {status}", request.time, request.connection);
        if let Some(fault) = request.fault {
            line.push_str(&format!(" (fault {fault})"));
        }
        let _ = send.try_send(line);
    }))
}
