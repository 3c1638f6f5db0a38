//! `imds serve`: the emulator on an address, until it is stopped.

use std::net::SocketAddr;

use clap::Args as ClapArgs;

use super::emulator_args::{self, EmulatorArgs};
use crate::output;
use crate::report::{self, Failure};

/// Serve an emulated metadata service until stopped
///
/// Every AWS SDK and `imds` itself find it by AWS_EC2_METADATA_SERVICE_ENDPOINT.
#[derive(ClapArgs, Debug)]
pub(crate) struct Args {
    /// Listen on this address (can be repeated); port 0 takes a free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:1338")]
    listen: Vec<SocketAddr>,

    /// Serve the control API and its page on this loopback address
    #[arg(long, value_name = "ADDRESS", num_args = 0..=1, default_missing_value = "127.0.0.1:1339")]
    control: Option<SocketAddr>,

    #[command(flatten)]
    emulator: EmulatorArgs,
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let mut builder = args.emulator.builder()?;
    if let Some((first, others)) = args.listen.split_first() {
        builder =
            others.iter().fold(builder.listen(*first), |builder, address| builder.also_listen(*address));
    }
    // After the listeners: an IPv6 one turns the option on.
    builder = args.emulator.ipv6(builder);
    if let Some(address) = args.control {
        builder = builder.control(address);
    }
    let emulator = builder.start().map_err(emulator_args::failure)?;
    if args.emulator.has_faults() {
        report::note(&format!("rates of faults are drawn with `--seed {}`", emulator.service().seed()));
    }
    for address in emulator.addresses() {
        output::text(&format!("listening on http://{address}\n"))?;
    }
    if let Some(address) = emulator.control_address() {
        output::text(&format!("control API and page on http://{address}/\n"))?;
    }
    loop {
        // Until a signal ends the process; the emulator runs on a thread of its own.
        std::thread::park();
    }
}
