//! `imds serve`: the emulator on an address, until it is stopped.

use std::net::SocketAddr;

use clap::Args as ClapArgs;
use imds_emulator::Emulator;
use imds_model::options::HttpTokens;

use crate::exit::Exit;
use crate::output;
use crate::report::Failure;

/// Serve an emulated metadata service until stopped
#[derive(ClapArgs, Debug)]
pub(crate) struct Args {
    /// Listen on this address; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:1338")]
    listen: SocketAddr,

    /// Whether requests need a session token: optional, or required
    #[arg(long, value_name = "TOKENS", value_parser = tokens, default_value = "required")]
    tokens: HttpTokens,
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let emulator = start(args.listen, args.tokens)?;
    output::text(&format!("listening on {}\n", emulator.endpoint()))?;
    loop {
        // Until a signal ends the process; the emulator runs on a thread of its own.
        std::thread::park();
    }
}

/// Starts an emulator with the built-in instance.
pub(crate) fn start(listen: SocketAddr, tokens: HttpTokens) -> Result<Emulator, Failure> {
    Emulator::builder().listen(listen).tokens(tokens).start().map_err(|error| {
        let cause = std::error::Error::source(&error).map(ToString::to_string);
        let failure = Failure::told(Exit::Usage, error.to_string());
        match cause {
            Some(cause) => failure.caused_by(cause),
            None => failure,
        }
    })
}

/// `optional` or `required`.
pub(crate) fn tokens(text: &str) -> Result<HttpTokens, String> {
    HttpTokens::parse(text).ok_or_else(|| "it is none of `optional`, `required`".to_owned())
}
