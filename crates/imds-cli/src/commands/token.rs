//! `imds token`: the session token, for a `curl` of one's own.

use std::time::Duration;

use clap::{Args as ClapArgs, Subcommand};
use imds_model::{duration, header};

use crate::connection::ConnectionArgs;
use crate::output;
use crate::report::Failure;

/// Print a session token, from the store or new
///
/// The token is a secret: whoever has it can read this instance's metadata, role credentials included, until it
/// expires.
#[derive(ClapArgs, Debug)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Args {
    #[command(subcommand)]
    action: Option<Action>,

    /// Print the whole header, as in `curl -H "$(imds token --header)"`
    #[arg(long)]
    header: bool,

    /// Ask for a new token that is good for this long, 1 s to 6 h; it is not stored
    #[arg(long, value_name = "DURATION", value_parser = duration::parse_positive)]
    ttl: Option<Duration>,

    /// Ask for a new token, and do not store it
    #[arg(long)]
    no_store: bool,

    #[command(flatten)]
    connection: ConnectionArgs,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Remove the stored session token
    Clear(ClearArgs),
}

#[derive(ClapArgs, Debug)]
struct ClearArgs {
    #[command(flatten)]
    connection: ConnectionArgs,
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    if let Some(Action::Clear(args)) = &args.action {
        args.connection.client()?.forget_token()?;
        return Ok(());
    }
    let mut builder = args.connection.builder();
    if let Some(ttl) = args.ttl {
        builder = builder.token_ttl(ttl);
    }
    // The store has one token for all; one of another TTL would be a surprise to those who share it.
    if args.no_store || args.ttl.is_some() {
        builder = builder.no_store();
    }
    let live = args.connection.build(builder)?.token()?;
    let token = live.token.expose();
    let prefix = if args.header { format!("{}: ", header::TOKEN) } else { String::new() };
    output::text(&format!("{prefix}{token}\n"))
}
