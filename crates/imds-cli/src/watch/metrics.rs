//! Counts of what `imds watch` does, served in the OpenMetrics text format.

use std::fmt::Write as _;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use imds_watch::{Change, Kind};

use crate::exit::Exit;
use crate::report::{self, Failure};

/// How long a scraper may take to ask, and to read.
const PATIENCE: Duration = Duration::from_secs(2);

/// The counts; clones share them.
#[derive(Clone, Debug, Default)]
pub(super) struct Metrics(Arc<Mutex<Counts>>);

#[derive(Debug, Default)]
struct Counts {
    polls: u64,
    failed_polls: u64,
    failing: bool,
    /// By event.
    changes: Vec<(String, u64)>,
    hooks_started: u64,
    hooks_succeeded: u64,
    hooks_failed: u64,
}

impl Metrics {
    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn polled(&self, failed: bool) {
        let mut counts = self.counts();
        counts.polls += 1;
        counts.failed_polls += u64::from(failed);
        counts.failing = failed;
    }

    pub(super) fn changed(&self, change: &Change) {
        if matches!(change.change, Kind::Unreachable | Kind::Recovered) {
            return;
        }
        let mut counts = self.counts();
        match counts.changes.iter_mut().find(|(event, _)| *event == change.event) {
            Some((_, count)) => *count += 1,
            None => counts.changes.push((change.event.clone(), 1)),
        }
    }

    pub(super) fn hook_started(&self) {
        self.counts().hooks_started += 1;
    }

    pub(super) fn hook_ended(&self, success: bool) {
        let mut counts = self.counts();
        counts.hooks_succeeded += u64::from(success);
        counts.hooks_failed += u64::from(!success);
    }

    /// Serves the counts on a thread of its own, so that a slow scraper never delays a poll.
    pub(super) fn serve(&self, listener: TcpListener) -> Result<(), Failure> {
        if let Ok(address) = listener.local_addr() {
            report::note(&format_args!("metrics at http://{address}/metrics"));
        }
        let metrics = self.clone();
        let serve = move || {
            for stream in listener.incoming().flatten() {
                // A scraper that leaves early asks again.
                let _ = metrics.answer(stream);
            }
        };
        let thread = std::thread::Builder::new().name("metrics".into()).stack_size(64 * 1_024).spawn(serve);
        thread.map(drop).map_err(|error| {
            Failure::told(Exit::Unexpected, "cannot start the thread for metrics").caused_by(error)
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
        let asked = head[..length].starts_with(b"GET /metrics ") || head[..length].starts_with(b"GET / ");
        let (status, body) = if asked { ("200 OK", self.text()) } else { ("404 Not Found", String::new()) };
        write!(
            stream,
            "HTTP/1.1 {status}\r\nContent-Type: application/openmetrics-text; version=1.0.0; charset=utf-8\r\n\
             Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        )
    }

    fn text(&self) -> String {
        let counts = self.counts();
        let mut text = String::new();
        let mut family = |name: &str, kind: &str, help: &str, samples: &[(String, u64)]| {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "# TYPE {name} {kind}\n# HELP {name} {help}");
            for (labels, value) in samples {
                let total = if kind == "counter" { "_total" } else { "" };
                let _ = writeln!(text, "{name}{total}{labels} {value}");
            }
        };
        let one = |value: u64| [(String::new(), value)];
        family("imds_watch_polls", "counter", "Rounds of questions to the service.", &one(counts.polls));
        family(
            "imds_watch_poll_failures",
            "counter",
            "Rounds that the service did not answer.",
            &one(counts.failed_polls),
        );
        family(
            "imds_watch_up",
            "gauge",
            "Whether the service answered the last round.",
            &one(u64::from(counts.polls > 0 && !counts.failing)),
        );
        let changes: Vec<(String, u64)> =
            counts.changes.iter().map(|(event, count)| (format!("{{event=\"{event}\"}}"), *count)).collect();
        family("imds_watch_changes", "counter", "Changes that were told.", &changes);
        let hooks = [
            ("{result=\"success\"}".to_owned(), counts.hooks_succeeded),
            ("{result=\"failure\"}".to_owned(), counts.hooks_failed),
        ];
        family("imds_watch_hook_runs", "counter", "Runs of the hook that have ended.", &hooks);
        let running = counts.hooks_started - counts.hooks_succeeded - counts.hooks_failed;
        family("imds_watch_hook_running", "gauge", "Runs of the hook that have not.", &one(running));
        text.push_str("# EOF\n");
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(address: std::net::SocketAddr, request: &str) -> String {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    #[test]
    fn counts_are_served_as_openmetrics() {
        let metrics = Metrics::default();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        metrics.serve(listener).unwrap();
        metrics.polled(true);
        metrics.polled(false);
        metrics.hook_started();
        metrics.hook_ended(false);
        metrics.hook_started();
        let answer = ask(address, "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n");
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(
            head.starts_with("HTTP/1.1 200 OK\r\nContent-Type: application/openmetrics-text; version=1.0.0")
        );
        let samples: Vec<&str> = body.lines().filter(|line| !line.starts_with('#')).collect();
        assert_eq!(
            samples,
            [
                "imds_watch_polls_total 2",
                "imds_watch_poll_failures_total 1",
                "imds_watch_up 1",
                "imds_watch_hook_runs_total{result=\"success\"} 0",
                "imds_watch_hook_runs_total{result=\"failure\"} 1",
                "imds_watch_hook_running 1",
            ]
        );
        assert!(body.ends_with("# EOF\n"));
        assert!(ask(address, "GET /else HTTP/1.1\r\n\r\n").starts_with("HTTP/1.1 404 "));
    }
}
