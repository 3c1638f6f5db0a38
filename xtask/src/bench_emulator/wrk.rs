//! Requests per second, as wrk counts them.

use std::process::Command;

use super::contender::Contender;
use crate::workspace;

/// How long one run takes.
const RUN: &str = "-d5s";

/// One worker with this many connections that are kept; an answer that is no 2xx is an error.
pub(super) fn requests_per_second(contender: &Contender, connections: u32) -> Result<f64, String> {
    let mut wrk = Command::new("wrk");
    wrk.args(["-t1", RUN, "--timeout", "10s", "-c", &connections.to_string()]);
    wrk.args(["-H", "Connection: keep-alive"]);
    if let Some(header) = &contender.header {
        wrk.args(["-H", header]);
    }
    let report = workspace::output_of(wrk.arg(&contender.url))?;
    read(&report).map_err(|problem| format!("{}: {problem}:\n{report}", contender.name))
}

fn read(report: &str) -> Result<f64, &'static str> {
    let line = |start: &str| report.lines().find_map(|line| line.trim().strip_prefix(start));
    if line("Non-2xx or 3xx responses:").is_some() || line("Socket errors:").is_some() {
        return Err("it did not answer every request");
    }
    let rate = line("Requests/sec:").and_then(|rate| rate.trim().parse().ok());
    rate.ok_or("wrk tells no rate")
}

#[cfg(test)]
mod tests {
    use super::read;

    #[test]
    fn reports() {
        let report =
            "  915 requests in 5.00s, 1.29MB read\nRequests/sec:    882.97\nTransfer/sec:    206.94KB\n";
        assert_eq!(read(report), Ok(882.97));
        let refused = format!("  Non-2xx or 3xx responses: 4\n{report}");
        assert_eq!(read(&refused), Err("it did not answer every request"));
        let broken = format!("  Socket errors: connect 0, read 3, write 0, timeout 0\n{report}");
        assert_eq!(read(&broken), Err("it did not answer every request"));
        assert_eq!(read(""), Err("wrk tells no rate"));
    }
}
