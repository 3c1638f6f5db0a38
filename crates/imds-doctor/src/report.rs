//! What a diagnosis says: the checks in order, and the cause.

use std::fmt;

use imds_model::printable::escape;
use serde_json::{Value, json};

/// Version of the JSON form; it grows when a field changes its meaning or goes.
const FORMAT: u32 = 1;

/// How a check came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// As it should be.
    Ok,
    /// Worth knowing, neither good nor bad.
    Note,
    /// Reading works, but something is wrong that will bite elsewhere.
    Warning,
    /// Why reading does not work.
    Failure,
    /// Not looked at: something before it is wrong, or it was not asked for.
    Skipped,
}

impl Outcome {
    /// The word for it, in text and JSON.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Failure => "failure",
            Self::Skipped => "skipped",
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// One check: what was looked at, what was seen, and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// Which check, such as `token`.
    pub id: &'static str,
    /// How it came out.
    pub outcome: Outcome,
    /// What is wrong, such as `hop-limit`; only with a warning or a failure.
    pub cause: Option<&'static str>,
    /// One line that says how it stands.
    pub summary: String,
    /// What was seen.
    pub evidence: Vec<String>,
    /// What to do.
    pub fix: Vec<String>,
}

impl Check {
    fn new(id: &'static str, outcome: Outcome, summary: impl Into<String>) -> Self {
        Self { id, outcome, cause: None, summary: summary.into(), evidence: Vec::new(), fix: Vec::new() }
    }

    pub(crate) fn ok(id: &'static str, summary: impl Into<String>) -> Self {
        Self::new(id, Outcome::Ok, summary)
    }

    pub(crate) fn note(id: &'static str, summary: impl Into<String>) -> Self {
        Self::new(id, Outcome::Note, summary)
    }

    pub(crate) fn skipped(id: &'static str, summary: impl Into<String>) -> Self {
        Self::new(id, Outcome::Skipped, summary)
    }

    pub(crate) fn warning(id: &'static str, cause: &'static str, summary: impl Into<String>) -> Self {
        Self { cause: Some(cause), ..Self::new(id, Outcome::Warning, summary) }
    }

    pub(crate) fn failure(id: &'static str, cause: &'static str, summary: impl Into<String>) -> Self {
        Self { cause: Some(cause), ..Self::new(id, Outcome::Failure, summary) }
    }

    pub(crate) fn seen(mut self, evidence: impl Into<String>) -> Self {
        self.evidence.push(evidence.into());
        self
    }

    pub(crate) fn seen_all(mut self, evidence: impl IntoIterator<Item = String>) -> Self {
        self.evidence.extend(evidence);
        self
    }

    pub(crate) fn fix(mut self, fix: impl Into<String>) -> Self {
        self.fix.push(fix.into());
        self
    }
}

/// A whole diagnosis.
#[derive(Clone, Debug)]
pub struct Report {
    /// Every check, in the order in which a request meets what they look at.
    pub checks: Vec<Check>,
    /// Why a plain read does not work; `None` where it does.
    pub failure: Option<imds::Error>,
}

impl Report {
    /// What is wrong: the first failure, else the first warning.
    #[must_use]
    pub fn cause(&self) -> Option<&Check> {
        let first = |outcome| self.checks.iter().find(move |check| check.outcome == outcome);
        first(Outcome::Failure).or_else(|| first(Outcome::Warning))
    }

    /// The JSON form, as `docs/doctor.schema.json` describes it. `exit_code` is what a plain read
    /// would end with.
    #[must_use]
    pub fn json(&self, exit_code: u8) -> Value {
        let checks: Vec<Value> = self
            .checks
            .iter()
            .map(|check| {
                json!({
                    "id": check.id,
                    "outcome": check.outcome.name(),
                    "cause": check.cause,
                    "summary": check.summary,
                    "evidence": check.evidence,
                    "fix": check.fix,
                })
            })
            .collect();
        json!({
            "format": FORMAT,
            "works": self.failure.is_none(),
            "exitCode": exit_code,
            "cause": self.cause().and_then(|check| check.cause),
            "checks": checks,
        })
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for check in &self.checks {
            // Names and values of the service and of files stand in all of them.
            writeln!(f, "{:<8} {:<12} {}", check.outcome, check.id, escape(&check.summary))?;
            for line in &check.evidence {
                writeln!(f, "{:21} - {}", "", escape(line))?;
            }
            for line in &check.fix {
                writeln!(f, "{:21} fix: {}", "", escape(line))?;
            }
        }
        writeln!(f)?;
        match self.cause() {
            Some(check) => {
                writeln!(f, "{}: {}", check.cause.unwrap_or(check.id), escape(&check.summary))
            }
            None => writeln!(f, "nothing is wrong: a plain read works"),
        }
    }
}
