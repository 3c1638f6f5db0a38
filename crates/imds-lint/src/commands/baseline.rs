//! Baselines: findings that are known, so that only new ones are shown.
//!
//! A finding is recognised by its rule, its file and the text of its line, not by the line's
//! number.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::output::report::{Entry, Report};

use super::Failure;

const VERSION: u32 = 1;
/// Largest baseline that is read.
const BYTES: u64 = 64 << 20;

#[derive(Debug, Deserialize, Serialize)]
struct Baseline {
    version: u32,
    findings: Vec<Known>,
}

#[derive(Clone, Debug, Deserialize, PartialEq, Eq, PartialOrd, Ord, Serialize)]
struct Known {
    rule: String,
    file: String,
    line: String,
}

fn known(entry: &Entry<'_>) -> Known {
    Known {
        rule: entry.finding.rule().id.to_owned(),
        file: entry.file.trim_start_matches("./").to_owned(),
        line: entry.line_text().trim().to_owned(),
    }
}

/// The baseline of a report, as a file.
pub(super) fn write(report: &Report<'_>) -> Result<String, Failure> {
    let mut findings: Vec<Known> = report.entries.iter().map(known).collect();
    findings.sort();
    let baseline = Baseline { version: VERSION, findings };
    let text = serde_json::to_string_pretty(&baseline)
        .map_err(|error| Failure::new(format!("cannot write the baseline: {error}")))?;
    Ok(text + "\n")
}

/// Takes what a baseline lists out of a report; each listed finding covers one.
pub(super) fn subtract(path: &Path, report: &mut Report<'_>) -> Result<(), Failure> {
    use std::io::Read as _;
    let failed = |cause: String| Failure {
        message: format!("cannot read the baseline `{}`: {cause}", path.display()),
        hint: Some(format!("`imds-lint --write-baseline {}` writes one", path.display())),
    };
    let mut text = String::new();
    let file = std::fs::File::open(path).map_err(|error| failed(error.to_string()))?;
    file.take(BYTES).read_to_string(&mut text).map_err(|error| failed(error.to_string()))?;
    let mut baseline: Baseline = serde_json::from_str(&text).map_err(|error| failed(error.to_string()))?;
    if baseline.version != VERSION {
        return Err(failed(format!("version {} is not {VERSION}", baseline.version)));
    }
    baseline.findings.sort();
    let before = report.entries.len();
    report.entries.retain(|entry| match baseline.findings.binary_search(&known(entry)) {
        Ok(index) => {
            baseline.findings.remove(index);
            false
        }
        Err(_) => true,
    });
    report.in_baseline = before - report.entries.len();
    Ok(())
}
