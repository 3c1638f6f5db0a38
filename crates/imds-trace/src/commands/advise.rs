//! `imds-trace advise`: for each caller of a trace that uses IMDSv1, what to do about it.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Write as _};

use imds_model::printable;
use serde::Serialize;

use crate::cli::AdviseArgs;
use crate::failure::{Exit, Failure};
use crate::report::advice::{Advice, Catalogue};
use crate::report::summary::{CallerCounts, Key};
use crate::report::trace_file::TraceFile;

/// One line of the output as JSON.
#[derive(Serialize)]
struct AdvisedCaller<'a> {
    #[serde(flatten)]
    advice: &'a Advice,
    #[serde(flatten)]
    counts: &'a CallerCounts,
}

pub(crate) fn run(args: &AdviseArgs) -> Result<(), Failure> {
    let catalogue = Catalogue::built_in()
        .map_err(|error| Failure::new(Exit::Failed, "cannot read the built-in advice").caused_by(error))?;
    let mut trace = TraceFile::default();
    for file in &args.files {
        let name = file.display().to_string();
        let unread = |error: io::Error| {
            Failure::new(Exit::Usage, format!("cannot read the trace `{name}`")).caused_by(error)
        };
        if file.as_os_str() == "-" {
            read(io::stdin().lock(), "stdin", &mut trace)?;
        } else {
            read(BufReader::new(File::open(file).map_err(unread)?), &name, &mut trace)?;
        }
    }
    let mut out = String::new();
    for (key, counts) in trace.summary.sorted() {
        let Some(advice) = catalogue.advise(counts) else { continue };
        if args.json {
            let line =
                serde_json::to_string(&AdvisedCaller { advice: &advice, counts }).map_err(|error| {
                    Failure::new(Exit::Failed, "cannot write advice as JSON").caused_by(error)
                })?;
            let _ = writeln!(out, "{}", printable::escape_json(&line));
        } else {
            paragraph(&mut out, key, counts, &advice);
        }
    }
    let gaps = trace.gaps();
    if !args.json {
        if out.is_empty() {
            out.push_str("no caller uses IMDSv1 in this trace\n");
        }
        for gap in &gaps {
            let _ = writeln!(out, "note: this trace is not complete: {gap}");
        }
    }
    let mut stdout = imds_stdout::stdout();
    match stdout.write_all(out.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::new(Exit::Failed, "cannot write to stdout").caused_by(error))
        }
        _ => Ok(()),
    }
}

fn read(lines: impl BufRead, name: &str, trace: &mut TraceFile) -> Result<(), Failure> {
    let wrong = |number: usize, cause: &str| {
        let cause = printable::escape(cause).into_owned();
        Failure::new(Exit::Usage, format!("cannot read the trace `{name}`, line {number}")).caused_by(cause)
    };
    let mut lines = lines.lines().enumerate().peekable();
    while let Some((index, line)) = lines.next() {
        let line = line.map_err(|error| wrong(index + 1, &error.to_string()))?;
        if line.trim().is_empty() {
            continue;
        }
        match trace.line(&line) {
            // A tracer that was killed, or a full disk, leaves half a line; the missing end is
            // noted.
            Err(_) if lines.peek().is_none() && index > 0 && !line.ends_with('}') => {}
            Err(cause) => return Err(wrong(index + 1, &cause)),
            Ok(()) => {}
        }
    }
    Ok(())
}

/// Tells about one caller.
fn paragraph(out: &mut String, key: &Key, counts: &CallerCounts, advice: &Advice) {
    let shown = |text: &str| printable::escape(text).into_owned();
    let user = counts.caller.user.clone().unwrap_or_else(|| format!("uid {}", key.uid));
    let place = match key.place() {
        "-" => String::new(),
        place => format!(", in {}", shown(place)),
    };
    let known = advice.known_as.as_ref().map(|name| format!(" ({name})")).unwrap_or_default();
    let what = match counts.kinds.v1 {
        0 => format!("{} requests for another cloud's paths", counts.kinds.other),
        count => format!("{count} requests by IMDSv1"),
    };
    // Writing to a string cannot fail.
    let _ = writeln!(out, "{}{known} by {}{place}: {what}", shown(&key.program), shown(&user));
    for (level, command) in counts.commands().iter().take(3).enumerate() {
        let _ = writeln!(out, "  {}{}", if level == 0 { "command: " } else { "called by: " }, shown(command));
    }
    if let Some(agent) = &counts.user_agent {
        let _ = writeln!(out, "  User-Agent: {}", shown(agent));
    }
    for fix in &advice.fixes {
        let _ = writeln!(out, "  fix: {}", shown(fix));
    }
    if let Some(source) = &advice.source {
        let _ = writeln!(out, "  source: {source}");
    }
    out.push('\n');
}
