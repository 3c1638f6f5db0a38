//! Counts in the OpenMetrics text format, and the thread that serves them.

use std::fmt::Write as _;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::failure::{Exit, Failure};
use crate::report::record::Counts;
use crate::report::summary::Summary;

/// How long a scraper may take to ask, and to read.
const PATIENCE: Duration = Duration::from_secs(2);
/// Most callers that have series of their own, so that a scraper is not flooded.
const CALLERS: usize = 200;

/// What has been counted until now.
#[derive(Debug, Default)]
pub(crate) struct Totals {
    pub(crate) counts: Counts,
    pub(crate) summary: Summary,
}

/// The counts, shared with the thread that serves them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Shared(Arc<Mutex<Totals>>);

impl Shared {
    pub(crate) fn lock(&self) -> MutexGuard<'_, Totals> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Serves the counts on a thread of its own.
    pub(crate) fn serve(&self, listener: TcpListener) -> Result<(), Failure> {
        let shared = self.clone();
        let serve = move || {
            for stream in listener.incoming().flatten() {
                // A scraper that leaves early asks again.
                let _ = shared.answer(stream);
            }
        };
        let thread = std::thread::Builder::new().name("metrics".into()).spawn(serve);
        thread.map(drop).map_err(|error| {
            Failure::new(Exit::Failed, "cannot start the thread for metrics").caused_by(error)
        })
    }

    fn answer(&self, mut stream: TcpStream) -> std::io::Result<()> {
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        let mut head = [0; 4_096];
        let mut length = 0;
        while !head[..length].windows(4).any(|end| end == b"\r\n\r\n") {
            match stream.read(&mut head[length..])? {
                0 => return Ok(()),
                more => length += more,
            }
        }
        let asked = head[..length].starts_with(b"GET /metrics ");
        let (status, body) =
            if asked { ("200 OK", text(&self.lock())) } else { ("404 Not Found", String::new()) };
        write!(
            stream,
            "HTTP/1.1 {status}\r\n\
             Content-Type: application/openmetrics-text; version=1.0.0; charset=utf-8\r\n\
             Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        )
    }
}

/// The counts as OpenMetrics text.
pub(crate) fn text(totals: &Totals) -> String {
    let counts = &totals.counts;
    let mut out = String::new();
    let mut family = |name: &str, help: &str, samples: &[(String, u64)]| {
        // Writing to a string cannot fail.
        let _ = writeln!(out, "# TYPE {name} counter\n# HELP {name} {help}");
        for (labels, value) in samples {
            let _ = writeln!(out, "{name}_total{labels} {value}");
        }
    };
    let labelled = |label: &str, samples: &[(&str, u64)]| -> Vec<(String, u64)> {
        samples.iter().map(|(value, count)| (format!("{{{label}=\"{value}\"}}"), *count)).collect()
    };
    family(
        "imds_trace_requests",
        "Requests to the instance metadata service.",
        &labelled(
            "kind",
            &[
                ("v1", counts.v1),
                ("v2", counts.v2),
                ("token", counts.token),
                ("other", counts.other),
                ("unreadable", counts.unreadable),
            ],
        ),
    );
    let one = |count: u64| [(String::new(), count)];
    family("imds_trace_refused", "Requests that were answered with 401 or 403.", &one(counts.refused));
    family(
        "imds_trace_unknown_process",
        "Requests on connections older than the trace.",
        &one(counts.unknown_process),
    );
    let lost = counts.lost;
    family(
        "imds_trace_lost_events",
        "Events that the kernel had no room for.",
        &labelled(
            "event",
            &[
                ("connect", lost.connects),
                ("request", lost.requests),
                ("answer", lost.answers),
                ("end", lost.ends),
            ],
        ),
    );
    let callers: Vec<(String, u64)> = totals
        .summary
        .sorted()
        .into_iter()
        .filter(|(_, counts)| counts.kinds.v1 > 0)
        .take(CALLERS)
        .map(|(key, counts)| {
            let sdk = key.sdk.as_ref().map_or_else(String::new, |sdk| {
                format!("{} {}", sdk.name, sdk.version.as_deref().unwrap_or_default()).trim().to_owned()
            });
            let place = |part: &Option<String>| label(part.as_deref().unwrap_or_default());
            let labels = format!(
                "{{program=\"{}\",uid=\"{}\",unit=\"{}\",container=\"{}\",pod=\"{}\",sdk=\"{}\"}}",
                label(&key.program),
                key.uid,
                place(&key.unit),
                place(&key.container),
                place(&key.pod),
                label(&sdk)
            );
            (labels, counts.kinds.v1)
        })
        .collect();
    family("imds_trace_v1_requests", "Requests by IMDSv1, by caller.", &callers);
    out.push_str("# EOF\n");
    out
}

/// The value of a label, escaped.
fn label(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::summary::{CallerCounts, Kinds};
    use crate::who::caller::Caller;

    #[test]
    fn counts_are_served_as_openmetrics() {
        let shared = Shared::default();
        let caller = CallerCounts {
            kinds: Kinds { v1: 3, ..Kinds::default() },
            caller: Caller { name: Some("a\"b".to_owned()), uid: 7, ..Caller::default() },
            ..CallerCounts::default()
        };
        shared.lock().summary.merge(caller);
        shared.lock().counts.v1 = 3;
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        shared.serve(listener).unwrap();
        let ask = |path: &str| {
            let mut stream = TcpStream::connect(address).unwrap();
            write!(stream, "GET {path} HTTP/1.1\r\n\r\n").unwrap();
            let mut answer = String::new();
            stream.read_to_string(&mut answer).unwrap();
            answer
        };
        let answer = ask("/metrics");
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\nContent-Type: application/openmetrics-text"));
        for line in [
            "imds_trace_requests_total{kind=\"v1\"} 3\n",
            "imds_trace_lost_events_total{event=\"request\"} 0\n",
            "imds_trace_v1_requests_total{program=\"a\\\"b\",uid=\"7\",unit=\"\",container=\"\",pod=\"\",sdk=\"\"} 3\n",
        ] {
            assert!(answer.contains(line), "{line}: {answer}");
        }
        assert!(answer.ends_with("# EOF\n"));
        assert!(ask("/").starts_with("HTTP/1.1 404 "));
    }
}
