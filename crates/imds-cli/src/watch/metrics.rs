//! Counts of what `imds watch` does, served in the OpenMetrics text format.

use std::net::TcpListener;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use imds_watch::metrics::{Family, open_metrics};
use imds_watch::{Change, Kind};

use crate::exit::Exit;
use crate::report::{self, Failure};

/// Packets to link-local services that the network interface dropped, because they were more than
/// 1,024 a second (EC2 User Guide, "Metrics for the ENA driver").
const REFUSED_PACKETS: &str = "linklocal_allowance_exceeded";

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

    pub(super) fn polled(&self, failed: bool, failing: bool) {
        let mut counts = self.counts();
        counts.polls += 1;
        counts.failed_polls += u64::from(failed);
        counts.failing = failing;
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
        imds_watch::metrics::serve(listener, move || metrics.text())
            .map_err(|error| Failure::told(Exit::Unexpected, "cannot serve metrics").caused_by(error))
    }

    fn text(&self) -> String {
        let refused = refused_packets();
        let counts = self.counts();
        let running = counts.hooks_started - counts.hooks_succeeded - counts.hooks_failed;
        let mut families = vec![
            Family::counter("imds_watch_polls", "Reads of a subject.", counts.polls),
            Family::counter(
                "imds_watch_poll_failures",
                "Reads that the service did not answer.",
                counts.failed_polls,
            ),
            Family::gauge(
                "imds_watch_up",
                "Whether the service answered the last read of every subject.",
                u64::from(counts.polls > 0 && !counts.failing),
            ),
            Family::counter_by(
                "imds_watch_changes",
                "Changes that were seen.",
                "event",
                counts.changes.iter().map(|(event, count)| (event.as_str(), *count)),
            ),
            Family::counter_by(
                "imds_watch_hook_runs",
                "Runs of the hook that have ended.",
                "result",
                [("success", counts.hooks_succeeded), ("failure", counts.hooks_failed)],
            ),
            Family::gauge("imds_watch_hook_running", "Runs of the hook that have not.", running),
        ];
        if !refused.is_empty() {
            families.push(Family::counter_by(
                "imds_watch_linklocal_allowance_exceeded",
                "Packets to link-local services that the interface dropped, since boot.",
                "interface",
                refused.iter().map(|(name, count)| (name.as_str(), *count)),
            ));
        }
        open_metrics(&families)
    }
}

/// What `ethtool` tells of each interface; nothing without it.
fn refused_packets() -> Vec<(String, u64)> {
    let Ok(interfaces) = std::fs::read_dir("/sys/class/net") else { return Vec::new() };
    let names = interfaces.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let count = |name: String| {
        let mut ethtool = Command::new("ethtool");
        ethtool.arg("-S").arg(&name).stdin(Stdio::null()).stderr(Stdio::null());
        let text = String::from_utf8(ethtool.output().ok()?.stdout).ok()?;
        refused_of(&text).map(|count| (name, count))
    };
    names.filter(|name| name != "lo").filter_map(count).collect()
}

fn refused_of(statistics: &str) -> Option<u64> {
    let named = |line: &str| {
        let (name, count) = line.split_once(':')?;
        (name.trim() == REFUSED_PACKETS).then(|| count.trim().parse().ok())?
    };
    statistics.lines().find_map(named)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_counts_as_text() {
        let metrics = Metrics::default();
        metrics.polled(true, true);
        metrics.polled(false, false);
        metrics.hook_started();
        metrics.hook_ended(false);
        metrics.hook_started();
        let text = metrics.text();
        let samples: Vec<&str> =
            text.lines().filter(|line| !line.starts_with('#') && !line.contains("linklocal")).collect();
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
    }

    #[test]
    fn the_interface_s_own_count() {
        let told = "NIC statistics:\n     tx_timeout: 0\n     linklocal_allowance_exceeded: 17\n";
        assert_eq!(refused_of(told), Some(17));
        assert_eq!(refused_of("NIC statistics:\n     tx_timeout: 0\n"), None);
    }
}
