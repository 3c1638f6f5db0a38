//! `imds token`: the session token, for use with `curl`.

use std::time::Duration;

use clap::{Args as ClapArgs, Subcommand};
use imds_model::header;
use serde_json::json;

use crate::connection::ConnectionArgs;
use crate::output::{self, Format};
use crate::report::Failure;

/// Print a session token, from the store or new
///
/// The token is a secret: anyone who has it on this instance can read its metadata, role
/// credentials included, until the token expires. An argument of a command is visible to every user
/// of the machine, so pass the token by a pipe: `imds token --header | curl -H @- URL`.
#[derive(ClapArgs, Debug)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Args {
    #[command(subcommand)]
    action: Option<Action>,

    /// Print the whole header, for `imds token --header | curl -H @- URL`
    #[arg(long)]
    header: bool,

    /// Request a new token with this TTL, from 1 s to 6 h, and do not store it
    #[arg(long, value_name = "DURATION", value_parser = ttl)]
    ttl: Option<Duration>,

    /// Request a new token, and do not store it
    #[arg(long)]
    no_store: bool,

    /// Output format
    #[arg(long, short, visible_alias = "format", value_name = "FORMAT", value_enum, default_value_t)]
    output: Format,

    #[command(flatten)]
    connection: ConnectionArgs,
}

/// A time to live that the service takes.
fn ttl(text: &str) -> Result<Duration, String> {
    let range = Duration::from_secs(1)..=Duration::from_secs(21_600);
    let ttl = imds_model::duration::parse(text).map_err(|error| error.to_string())?;
    if range.contains(&ttl) { Ok(ttl) } else { Err("a token TTL is from 1 s to 6 h".to_owned()) }
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
    // The store has one token for all; one of another TTL would be a surprise to those who share
    // it.
    if args.no_store || args.ttl.is_some() {
        builder = builder.no_store();
    }
    let live = args.connection.build(builder)?.token()?;
    let token = live.token.expose();
    if args.output == Format::Json {
        let value = json!({ "Token": token, "Header": format!("{}: {token}", header::TOKEN) });
        return output::document(&format!("{value:#}\n"));
    }
    let prefix = if args.header { format!("{}: ", header::TOKEN) } else { String::new() };
    output::text(&format!("{prefix}{token}\n"))
}
