//! Counts of what the daemon does, for `--metrics`.

use imds_watch::metrics::{Family, open_metrics};

use crate::machine::{ApiError, Input};

/// The counts.
#[derive(Clone, Debug, Default)]
pub(crate) struct Counts {
    polls: u64,
    failed_polls: u64,
    failing: bool,
    spot: u64,
    commands: [u64; 2],
    heartbeats: [u64; 3],
    completions: [u64; 3],
}

impl Counts {
    /// Counts an input of the machine.
    pub(crate) fn note(&mut self, input: &Input) {
        match input {
            Input::Reading(reading) => {
                self.polls += 1;
                self.failing = reading.is_err();
                self.failed_polls += u64::from(self.failing);
            }
            Input::Spot(..) => self.spot = 1,
            Input::HookEnded { result, .. } => self.commands[usize::from(!result.success)] += 1,
            Input::Heartbeat(_, result) => self.heartbeats[outcome(result)] += 1,
            Input::Completed(_, result) => self.completions[outcome(result)] += 1,
            Input::Details(_) | Input::InstanceState(_) | Input::Stop { .. } | Input::Time => {}
        }
    }

    /// As OpenMetrics text.
    pub(crate) fn text(&self) -> String {
        let by_outcome = |counts: [u64; 3]| ["success", "no-action", "failure"].into_iter().zip(counts);
        open_metrics(&[
            Family::counter("imds_lifecycle_polls", "Reads of the target lifecycle state.", self.polls),
            Family::counter(
                "imds_lifecycle_poll_failures",
                "Reads that the service did not answer.",
                self.failed_polls,
            ),
            Family::gauge(
                "imds_lifecycle_up",
                "Whether the service answered the last read.",
                u64::from(self.polls > 0 && !self.failing),
            ),
            Family::gauge(
                "imds_lifecycle_spot_interruption",
                "Whether a Spot interruption was announced.",
                self.spot,
            ),
            Family::counter_by(
                "imds_lifecycle_commands",
                "Commands that have ended.",
                "result",
                ["success", "failure"].into_iter().zip(self.commands),
            ),
            Family::counter_by(
                "imds_lifecycle_heartbeats",
                "Heartbeats.",
                "result",
                by_outcome(self.heartbeats),
            ),
            Family::counter_by(
                "imds_lifecycle_completions",
                "Calls that complete a lifecycle action.",
                "result",
                by_outcome(self.completions),
            ),
        ])
    }
}

const fn outcome(result: &Result<(), ApiError>) -> usize {
    match result {
        Ok(()) => 0,
        Err(ApiError::NoAction) => 1,
        Err(ApiError::Other(_)) => 2,
    }
}
