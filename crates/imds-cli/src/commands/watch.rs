//! `imds watch`: one JSON line per change, and a hook.

use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::time::Duration;

use clap::Args as ClapArgs;
use imds_model::{duration, printable};
use imds_watch::{Event, Subject};

use crate::connection::ConnectionArgs;
use crate::exit::Exit;
use crate::missing::{self, Takes, Typed};
use crate::report::Failure;
use crate::shortcuts::Wanted;
use crate::suggest;
use crate::watch::{self, HookOptions, Plan};

/// How long one poll may take, by default: a signal to stop waits for it.
const DEADLINE: Duration = Duration::from_secs(5);

/// Print a JSON line for each change of a value, and run a command
///
/// A change is `appeared`, `changed` or `removed`. A service that cannot be read is never a
/// removal: it is printed once as `unreachable`, and as `recovered` when it answers again.
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
    /// It has the line on standard input, and IMDS_EVENT, IMDS_PATH, IMDS_CHANGE, IMDS_OLD,
    /// IMDS_NEW, IMDS_TIME and IMDS_SECONDS_LEFT. Commands of one event run one after the other; no
    /// event waits for another.
    #[arg(long, value_name = "COMMAND")]
    exec: Option<String>,

    /// Run the command by this program, which is given `-c COMMAND`, instead of /bin/sh
    #[arg(long, value_name = "PROGRAM", requires = "exec")]
    shell: Option<PathBuf>,

    /// Retry a failing command up to N times, with exponential backoff
    ///
    /// A command that was interrupted because `imds watch` itself was killed is not retried.
    #[arg(long, value_name = "N", default_value_t = 0, requires = "exec")]
    exec_retries: u32,

    /// Time limit of a command, such as `30s`
    #[arg(long, value_name = "DURATION", value_parser = duration::parse_positive, requires = "exec")]
    exec_timeout: Option<Duration>,

    /// State file, with which a restart repeats no hook
    ///
    /// It belongs to one instance and one boot, and is locked against a second watcher. A damaged
    /// file is replaced; a file that cannot be used is reported and done without.
    #[arg(long, value_name = "FILE")]
    state: Option<PathBuf>,

    /// Serve metrics in the OpenMetrics format on this address
    #[arg(long, value_name = "ADDRESS")]
    metrics: Option<SocketAddr>,

    #[command(flatten)]
    connection: ConnectionArgs,
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    if args.exec.as_ref().is_some_and(|command| command.trim().is_empty()) {
        return Err(Failure::usage("the command of `--exec` is empty")
            .hint("a unit takes it from COMMAND in /etc/imds/watch-EVENT.conf"));
    }
    let subjects = args.subjects.iter().map(|word| subject(word)).collect::<Result<Vec<_>, _>>()?;
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
            shell: args.shell.clone(),
            retries: args.exec_retries,
            timeout: args.exec_timeout,
        }),
        state: args.state.clone(),
        metrics,
    };
    watch::run(connection.polling_client()?, plan)
}

/// An event or a path. A word that is neither would be waited for in silence, for ever.
fn subject(word: &str) -> Result<Subject, Failure> {
    if Event::ALL.iter().any(|event| event.name == word) {
        return Ok(Subject::parse(word)?);
    }
    let names = || Event::ALL.iter().map(|event| event.name);
    // `rebalance-recommendation` holds the name of an event.
    let near = suggest::nearest(word, names())
        .or_else(|| names().find(|name| word.to_ascii_lowercase().contains(&format!("{name}-"))));
    if let Some(near) = near.filter(|_| !missing::is_known(word) && !word.contains('/')) {
        let shown = printable::brief(word);
        let message = format!("cannot watch `{shown}`: it is neither an event nor a known path");
        return Err(Failure::usage(message).hint(format!("did you mean `imds watch {near}`?")));
    }
    let _ = Wanted::parse_path(word)?.plain()?;
    missing::refuse_unknown("watch", &Typed::by("watch", Takes::Paths), word)?;
    Ok(Subject::parse(word)?)
}

fn events_help() -> String {
    let mut text = String::from("Events:\n");
    for event in Event::ALL {
        text.push_str(&format!("  {:<18} {}\n", event.name, event.summary));
    }
    text
}
