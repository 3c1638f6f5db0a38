//! The output of `audit`: findings streaming, in the chosen format.

use std::borrow::Cow;
use std::collections::BTreeMap;

use imds_model::printable;
use serde_json::json;

use super::{Out, csv, flat, junit, ocsf, sarif, state, written};
use crate::checkpoint::{ScanLine, write};
use crate::counts::Counts;
use crate::error::Error;
use crate::inventory::SCHEMA_VERSION;
use crate::inventory::resource::{Resource, Scan};
use crate::rules::catalogue::RULES;
use crate::rules::judge::Finding;

/// How `audit` is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Columns for people.
    Table,
    /// One JSON document.
    Json,
    /// One JSON value a line.
    JsonLines,
    /// Comma-separated values.
    Csv,
    /// Static Analysis Results Interchange Format 2.1.0.
    Sarif,
    /// OCSF Compliance Findings.
    Ocsf,
    /// JUnit XML.
    Junit,
    /// Gauges.
    OpenMetrics,
}

/// Writes `audit`.
pub struct Writer<'a> {
    form: Form,
    out: Out<'a>,
    begun: bool,
    any: bool,
    now: jiff::Timestamp,
    counts: BTreeMap<(&'static str, bool), u64>,
    suites: junit::Suites,
}

impl std::fmt::Debug for Writer<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Writer").field("form", &self.form).finish_non_exhaustive()
    }
}

const CSV_HEAD: [&str; 14] = [
    "rule",
    "severity",
    "account_id",
    "region_name",
    "kind",
    "id",
    "name",
    "message",
    "fix",
    "config_rule",
    "security_hub",
    "excepted",
    "exception_owner",
    "exception_expires",
];

impl<'a> Writer<'a> {
    /// Writes in this form.
    #[must_use]
    pub fn new(form: Form, out: Out<'a>, now: jiff::Timestamp) -> Self {
        let (counts, suites) = (BTreeMap::new(), junit::Suites::default());
        Self { form, out, begun: false, any: false, now, counts, suites }
    }

    /// Writes the start of the document once there is a first result. A scan that fails before it
    /// writes nothing.
    fn begin(&mut self) -> Result<(), Error> {
        if std::mem::replace(&mut self.begun, true) {
            return Ok(());
        }
        let out = &mut self.out;
        written(match self.form {
            Form::Table => writeln!(out, "{}", row("SEVERITY", "RULE", "ACCOUNT", "REGION", "ID", "FINDING")),
            Form::Json => write!(out, "{{\"schema_version\":{},\"findings\":[", SCHEMA_VERSION),
            Form::Csv => csv::record(out, CSV_HEAD.map(Cow::Borrowed)),
            Form::Sarif => sarif::head(out),
            Form::Ocsf => out.write_all(b"["),
            Form::Junit => junit::head(out),
            Form::JsonLines | Form::OpenMetrics => Ok(()),
        })
    }

    fn separator(&mut self) -> std::io::Result<()> {
        let first = !std::mem::replace(&mut self.any, true);
        self.out.write_all(if first { b"\n" } else { b",\n" })
    }

    /// Writes what was found about one resource: nothing at all is a result, too.
    ///
    /// # Errors
    ///
    /// Returns an error if it cannot be written.
    pub fn judged(&mut self, resource: &Resource, findings: &[Finding]) -> Result<(), Error> {
        self.begin()?;
        for finding in findings {
            *self.counts.entry((finding.rule.id, finding.excepted)).or_default() += 1;
        }
        if self.form == Form::Junit {
            return written(self.suites.judged(&mut self.out, resource, findings));
        }
        findings.iter().try_for_each(|finding| written(self.finding(finding)))
    }

    fn finding(&mut self, finding: &Finding) -> std::io::Result<()> {
        match self.form {
            Form::Table => {
                let severity = if finding.excepted { "excepted" } else { finding.severity.as_str() };
                let named = match &finding.name {
                    Some(name) => format!("{} ({name})", finding.message),
                    None => finding.message.clone(),
                };
                let place = &finding.place;
                let text = row(severity, finding.rule.id, &place.account, &place.region, &finding.id, &named);
                writeln!(self.out, "{}", printable::escape(&text))
            }
            Form::Json => {
                self.separator()?;
                Ok(serde_json::to_writer(&mut self.out, finding)?)
            }
            Form::JsonLines => write(&mut self.out, finding),
            Form::Csv => {
                let exception = finding.exception.as_ref();
                let fields = [
                    finding.rule.id.to_owned(),
                    finding.severity.as_str().to_owned(),
                    finding.place.account.clone(),
                    finding.place.region.clone(),
                    finding.kind.to_owned(),
                    finding.id.clone(),
                    finding.name.clone().unwrap_or_default(),
                    finding.message.clone(),
                    finding.advice(),
                    finding.config_rule.unwrap_or_default().to_owned(),
                    finding.security_hub.unwrap_or_default().to_owned(),
                    finding.excepted.to_string(),
                    exception.map(|exception| exception.owner.clone()).unwrap_or_default(),
                    exception.map(|exception| exception.expires.to_string()).unwrap_or_default(),
                ];
                csv::record(&mut self.out, fields.map(Cow::Owned))
            }
            Form::Sarif => {
                self.separator()?;
                Ok(serde_json::to_writer(&mut self.out, &sarif::result(finding))?)
            }
            Form::Ocsf => {
                self.separator()?;
                Ok(serde_json::to_writer(&mut self.out, &ocsf::event(finding, self.now))?)
            }
            Form::Junit | Form::OpenMetrics => Ok(()),
        }
    }

    /// Writes how a place's scan ended, where that is not at the end.
    ///
    /// # Errors
    ///
    /// Returns an error if it cannot be written.
    pub fn scanned(&mut self, scan: &Scan) -> Result<(), Error> {
        self.begin()?;
        written(match self.form {
            Form::JsonLines => write(&mut self.out, &ScanLine::new(scan.clone())),
            Form::Junit => self.suites.scanned(&mut self.out, scan),
            _ => Ok(()),
        })
    }

    /// Ends the output.
    ///
    /// # Errors
    ///
    /// Returns an error if it cannot be written.
    pub fn finish(mut self, counts: &Counts) -> Result<(), Error> {
        self.begin()?;
        let by_rule: BTreeMap<&str, u64> = self
            .counts
            .iter()
            .filter(|((_, excepted), _)| !excepted)
            .map(|((rule, _), n)| (*rule, *n))
            .collect();
        let excepted: u64 = self.counts.iter().filter(|((_, excepted), _)| *excepted).map(|(_, n)| n).sum();
        let total: u64 = by_rule.values().sum();
        let out = &mut self.out;
        let result = match self.form {
            Form::Table => counts
                .incomplete
                .iter()
                .try_for_each(|scan| {
                    let line = format!("not scanned: {}: {}", scan.place, flat::not_scanned(scan));
                    writeln!(out, "{}", printable::escape(&line))
                })
                .and_then(|()| writeln!(out, "{total} findings, {excepted} excepted; {}", counts.line())),
            Form::Json => {
                let summary = json!({
                    "findings": total,
                    "excepted": excepted,
                    "by_rule": by_rule,
                    "instances": counts.instances(),
                    "complete": counts.complete,
                    "incomplete": counts.incomplete,
                    "not_looked_at": counts.not_looked_at,
                    "enforced": counts.enforced,
                    "defaults_read": counts.defaults,
                });
                writeln!(out, "\n],\"summary\":{summary}}}")
            }
            Form::JsonLines | Form::Csv => Ok(()),
            Form::Sarif => sarif::tail(out, counts),
            Form::Ocsf => out.write_all(b"\n]\n"),
            Form::Junit => self.suites.finish(out),
            Form::OpenMetrics => {
                use std::fmt::Write;
                let mut text = String::new();
                state::metrics(&mut text, counts);
                text.push_str(
                    "# TYPE imds_fleet_findings gauge\n# HELP imds_fleet_findings Findings by rule.\n",
                );
                for rule in RULES {
                    for excepted in [false, true] {
                        let count = self.counts.get(&(rule.id, excepted)).copied().unwrap_or(0);
                        // Writing to a string cannot fail.
                        let _ = writeln!(
                            text,
                            "imds_fleet_findings{{rule=\"{}\",excepted=\"{excepted}\"}} {count}",
                            rule.id
                        );
                    }
                }
                text.push_str("# EOF\n");
                out.write_all(text.as_bytes())
            }
        };
        written(result.and_then(|()| self.out.flush()))
    }
}

fn row(severity: &str, rule: &str, account: &str, region: &str, id: &str, text: &str) -> String {
    format!("{severity:<13} {rule:<23} {account:<12} {region:<14} {id:<20} {text}")
}
