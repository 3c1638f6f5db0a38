//! Reads a trace that was written before.

use super::line::{FORMAT, Line, Start};
use super::record::Counts;
use super::summary::Summary;

/// What a trace holds.
#[derive(Debug, Default)]
pub(crate) struct TraceFile {
    pub(crate) starts: Vec<Start>,
    pub(crate) summary: Summary,
    /// The counts of each trace that has its end.
    pub(crate) ends: Vec<Counts>,
}

impl TraceFile {
    /// Takes the next line; several traces may follow each other.
    ///
    /// # Errors
    /// Returns an error if the line is no record, or belongs to a format that is not known.
    pub(crate) fn line(&mut self, text: &str) -> Result<(), String> {
        let value: serde_json::Value =
            serde_json::from_str(text).map_err(|error| format!("it is not JSON: {error}"))?;
        match value.get("type").and_then(serde_json::Value::as_str) {
            None => return Err("it has no `type`: it is no line of a trace".to_owned()),
            Some("start" | "request" | "caller" | "counts" | "end") => {}
            // Later versions may write more.
            Some(_) => return Ok(()),
        }
        match serde_json::from_value(value).map_err(|error| error.to_string())? {
            Line::Start(start) if start.format != FORMAT => {
                return Err(format!("its format is {}, and this version reads {FORMAT}", start.format));
            }
            Line::Start(start) => self.starts.push(*start),
            Line::Request(request) => self.summary.add(&request),
            Line::Caller(counts) => self.summary.merge(*counts),
            Line::Counts(_) => {}
            Line::End(end) => self.ends.push(end.counts),
        }
        Ok(())
    }

    /// What keeps the trace from being the whole truth.
    pub(crate) fn gaps(&self) -> Vec<String> {
        let mut gaps = Vec::new();
        if self.starts.is_empty() {
            gaps.push("it has no first line: its beginning was cut off".to_owned());
        }
        let cut = self.starts.len().saturating_sub(self.ends.len());
        if cut > 0 {
            gaps.push(format!("{cut} of {} traces have no end: they were cut off", self.starts.len()));
        }
        let sum = |count: fn(&Counts) -> u64| -> u64 { self.ends.iter().map(count).sum() };
        for (count, what) in [
            (sum(|counts| counts.lost.total()), "events were lost"),
            (sum(|counts| counts.unreadable), "requests could not be read"),
            (sum(|counts| counts.connections_evicted), "connections were given up"),
            (sum(|counts| counts.unknown_process), "requests have no process"),
            (self.summary.beyond, "requests are of callers that there was no room for"),
        ] {
            if count > 0 {
                gaps.push(format!("{count} {what}"));
            }
        }
        gaps
    }
}
