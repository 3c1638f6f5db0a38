//! `imds wait`: until a value is there, is as wished, or has gone.

use std::time::Duration;

use clap::Args as ClapArgs;
use imds::{Client, Clock as _, DEADLINE, Error, ErrorKind, MetadataPath, Response, SystemClock};
use imds_model::duration;
use regex_lite::Regex;

use crate::connection::ConnectionArgs;
use crate::exit::Exit;
use crate::missing::{self, Takes, Typed};
use crate::report::Failure;
use crate::shortcuts::Wanted;
use crate::{output, report, tree_read};

/// Wait until a path exists, has a value, or is gone
///
/// Prints the value that ended the wait. `--timeout` is the deadline of the whole wait, past which
/// the exit code is 7; without it the wait goes on for ever. A service that is busy or cannot be
/// reached says nothing about the path, so the wait goes on. A path that is not known is refused,
/// as a mistyped one would be waited for in vain; spelled in full, from `meta-data/` on, it is
/// taken.
#[derive(ClapArgs, Debug)]
pub(crate) struct Args {
    /// Path to wait for
    #[arg(value_name = "PATH")]
    path: String,

    /// Wait until the value is this
    #[arg(long = "for", value_name = "VALUE", conflicts_with_all = ["until", "gone"])]
    wanted: Option<String>,

    /// Wait until this regular expression matches the value
    #[arg(long, value_name = "REGEX", value_parser = tree_read::pattern, conflicts_with = "gone")]
    until: Option<Regex>,

    /// Wait until the path does not exist
    #[arg(long)]
    gone: bool,

    /// Poll interval, such as `500ms`, `5s` or `1m`
    #[arg(long, value_name = "DURATION", value_parser = duration::parse_positive, default_value = "5s")]
    interval: Duration,

    #[command(flatten)]
    connection: ConnectionArgs,
}

/// What one look at the path brought.
enum Look {
    /// What was waited for.
    There(Response),
    /// What was waited for, and there is nothing to print.
    Gone,
    /// Not yet, and why.
    NotYet(String),
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let path = Wanted::parse_path(&args.path)?.plain()?;
    missing::refuse_unknown("wait for", &Typed::by("wait", Takes::Paths), &args.path)?;
    let clock = SystemClock;
    let deadline = args.connection.timeout.map(|timeout| clock.now() + timeout);
    let left = || deadline.map(|deadline| deadline - clock.now());
    // One client, and so one connection, for all polls.
    let connection = ConnectionArgs { timeout: Some(DEADLINE), verbose: false, ..args.connection.clone() };
    let client = connection.polling_client()?;
    let mut last = None;
    loop {
        // The last poll must not outlast the wait.
        let poll = left().map_or_else(|| client.clone(), |left| client.with_timeout(left));
        let why = match look(args, &poll, &path, &left)? {
            Look::There(response) => return output::value(response.bytes()),
            Look::Gone => return Ok(()),
            Look::NotYet(why) => why,
        };
        if args.connection.verbose && last.as_ref() != Some(&why) {
            report::note(&why);
        }
        let pause = left().map_or(args.interval, |left| left.min(args.interval));
        std::thread::sleep(pause);
        if left().is_some_and(|left| left.is_zero()) {
            return Err(passed(args, &path, &why));
        }
        last = Some(why);
    }
}

fn passed(args: &Args, path: &MetadataPath, why: &str) -> Failure {
    let wish = match (&args.wanted, &args.until, args.gone) {
        (Some(value), ..) => format!("`{path}` did not become `{value}`"),
        (_, Some(regex), _) => format!("the value of `{path}` did not come to match `{regex}`"),
        (.., true) => format!("`{path}` did not go"),
        _ => format!("`{path}` did not appear"),
    };
    Failure::told(Exit::Deadline, format!("{wish} in time")).caused_by(why)
}

fn look(
    args: &Args,
    client: &Client,
    path: &MetadataPath,
    left: &dyn Fn() -> Option<Duration>,
) -> Result<Look, Failure> {
    Ok(match client.get(path) {
        Ok(_) if args.gone => Look::NotYet("the path exists".to_owned()),
        Ok(response) if is_wanted(args, response.bytes(), left())? => Look::There(response),
        // The value may be a secret, so it is not told.
        Ok(_) => Look::NotYet("the path has another value".to_owned()),
        Err(error) if error.kind() == ErrorKind::NotFound && args.gone => Look::Gone,
        Err(error) if error.kind() == ErrorKind::NotFound || error.is_retryable() => {
            Look::NotYet(told(&error))
        }
        Err(error) => return Err(error.into()),
    })
}

/// Longest value that an expression is matched against. The service's longest, user data, has 16
/// KiB.
const LONGEST_SEARCHED: usize = 64 * 1024;

/// Whether the value is what is waited for. An expression may take long on a long value, and the
/// deadline holds all the same, so the match runs on a thread of its own.
fn is_wanted(args: &Args, value: &[u8], left: Option<Duration>) -> Result<bool, Failure> {
    let text = String::from_utf8_lossy(value).into_owned();
    if args.wanted.as_ref().is_some_and(|wanted| text.trim_end_matches('\n') != wanted) {
        return Ok(false);
    }
    let Some(regex) = args.until.clone() else { return Ok(true) };
    if text.len() > LONGEST_SEARCHED {
        let longest = LONGEST_SEARCHED / 1024;
        return Err(Failure::told(
            Exit::Unexpected,
            format!("cannot match a value longer than {longest} KiB"),
        ));
    }
    let (sender, receiver) = std::sync::mpsc::channel();
    std::thread::spawn(move || sender.send(regex.is_match(&text)));
    let matched = match left {
        Some(left) => receiver.recv_timeout(left).ok(),
        None => receiver.recv().ok(),
    };
    Ok(matched.unwrap_or(false))
}

fn told(error: &Error) -> String {
    match std::error::Error::source(error) {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}
