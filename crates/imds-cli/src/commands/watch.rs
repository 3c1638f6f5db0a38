//! `imds watch`: one JSON line per change, and a hook.

use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::time::Duration;

use clap::Args as ClapArgs;
use imds_model::duration;
use imds_watch::{Event, Subject};

use crate::connection::ConnectionArgs;
use crate::exit::Exit;
use crate::report::Failure;
use crate::watch::{self, HookOptions, Plan};

/// How long one poll may take, unless told otherwise: a signal to stop waits for it.
const DEADLINE: Duration = Duration::from_secs(5);

/// Print a JSON line for each change of a value, and run a command
///
/// A change is `appeared`, `changed` or `removed`. A service that cannot be read is never a removal: it is told once as
/// `unreachable`, and as `recovered` when it answers again.
#[derive(ClapArgs, Debug)]
#[command(after_long_help = events_help())]
pub(crate) struct Args {
    /// Events or paths to watch; a path that ends in `/` stands for everything below it
    #[arg(value_name = "EVENT|PATH", required = true)]
    subjects: Vec<String>,

    /// Poll interval, such as `500ms`, `5s` or `1m`
    #[arg(long, value_name = "DURATION", value_parser = duration::parse_positive, default_value = "5s")]
    interval: Duration,

    /// End after the first change, and its hook
    #[arg(long)]
    once: bool,

    /// End after the first new value that matches this regular expression, and its hook
    #[arg(long, value_name = "REGEX")]
    until: Option<regex_lite::Regex>,

    /// Run this shell command for each change, at most once per notice
    ///
    /// It has the line on standard input, and IMDS_EVENT, IMDS_PATH, IMDS_CHANGE, IMDS_OLD, IMDS_NEW, IMDS_TIME and
    /// IMDS_SECONDS_LEFT. Commands run one after the other.
    #[arg(long, value_name = "COMMAND")]
    exec: Option<String>,

    /// Try a command that fails this often again, after 1, 2, 4 and so on seconds
    ///
    /// A command that was cut off because `imds watch` itself was killed is not tried again.
    #[arg(long, value_name = "N", default_value_t = 0, requires = "exec")]
    exec_retries: u32,

    /// End a command that takes longer than this
    #[arg(long, value_name = "DURATION", value_parser = duration::parse_positive, requires = "exec")]
    exec_timeout: Option<Duration>,

    /// Keep in this file what was seen and done, so that a restart repeats nothing
    #[arg(long, value_name = "FILE")]
    state: Option<PathBuf>,

    /// Serve metrics in the OpenMetrics format on this address
    #[arg(long, value_name = "ADDRESS")]
    metrics: Option<SocketAddr>,

    #[command(flatten)]
    connection: ConnectionArgs,
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let subjects = args.subjects.iter().map(|word| Subject::parse(word)).collect::<Result<Vec<_>, _>>()?;
    let metrics = match args.metrics {
        None => None,
        Some(address) => Some(TcpListener::bind(address).map_err(|error| {
            Failure::told(Exit::Usage, format!("cannot listen on `{address}`")).caused_by(error)
        })?),
    };
    let mut connection = args.connection.clone();
    connection.timeout.get_or_insert(DEADLINE);
    let plan = Plan {
        subjects,
        interval: args.interval,
        once: args.once,
        until: args.until.clone(),
        hook: args.exec.clone().map(|command| HookOptions {
            command,
            retries: args.exec_retries,
            timeout: args.exec_timeout,
        }),
        state: args.state.clone(),
        metrics,
    };
    watch::run(connection.client()?, plan)
}

fn events_help() -> String {
    let mut text = String::from("Events:\n");
    for event in Event::ALL {
        text.push_str(&format!("  {:<18} {}\n", event.name, event.summary));
    }
    text
}
