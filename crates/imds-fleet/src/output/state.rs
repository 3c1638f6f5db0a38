//! The output of `state`: rows streaming, a summary at the end.

use std::borrow::Cow;

use imds_model::printable;
use serde::Serialize;

use super::not_covered::{NOT_COVERED, NotCovered};
use super::{Out, csv, flat, written};
use crate::checkpoint::{ScanLine, write};
use crate::counts::Counts;
use crate::error::Error;
use crate::inventory::SCHEMA_VERSION;
use crate::inventory::options::Posture;
use crate::inventory::requests::FleetRequest;
use crate::inventory::resource::{Resource, Scan};
use crate::scan::Event;

/// How `state` is written.
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
    /// Gauges.
    OpenMetrics,
}

/// Writes `state`.
pub struct Writer<'a> {
    form: Form,
    out: Out<'a>,
    begun: bool,
    any: bool,
}

impl std::fmt::Debug for Writer<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Writer").field("form", &self.form).finish_non_exhaustive()
    }
}

/// What the JSON document says at its end.
#[derive(Serialize)]
struct Summary<'a> {
    instances: u64,
    postures: std::collections::BTreeMap<&'static str, u64>,
    complete: u64,
    incomplete: &'a [Scan],
    /// Regions that nobody asked for.
    not_looked_at: &'a [String],
    /// The end state: accounts and Regions that refuse IMDSv1 altogether, of those whose defaults
    /// were read.
    enforced: u64,
    defaults_read: u64,
    defaults_by_policy: u64,
    end_state_reached: u64,
    /// What launches instances and is not read.
    not_covered: [NotCovered; NOT_COVERED.len()],
}

impl<'a> Writer<'a> {
    /// Writes in this form.
    #[must_use]
    pub fn new(form: Form, out: Out<'a>) -> Self {
        Self { form, out, begun: false, any: false }
    }

    /// Writes the start of the document once there is a first result. A scan that fails before it
    /// writes nothing.
    fn begin(&mut self) -> Result<(), Error> {
        if std::mem::replace(&mut self.begun, true) {
            return Ok(());
        }
        let out = &mut self.out;
        written(match self.form {
            Form::Table => line(out, TABLE_HEAD),
            Form::Json => write!(out, "{{\"schema_version\":{SCHEMA_VERSION},\"resources\":["),
            Form::Csv => csv::record(out, flat::COLUMNS.iter().map(|(name, _)| Cow::Borrowed(*name))),
            Form::JsonLines | Form::OpenMetrics => Ok(()),
        })
    }

    /// Writes what was found.
    ///
    /// # Errors
    ///
    /// Returns an error if it cannot be written.
    pub fn event(&mut self, event: &Event) -> Result<(), Error> {
        match event {
            Event::AccountRegions(_) | Event::NotLookedAt(_) => Ok(()),
            Event::Found(resources) => {
                self.begin()?;
                resources.iter().try_for_each(|resource| written(self.resource(resource)))
            }
            Event::Scanned(scan) => {
                self.begin()?;
                written(self.scan(scan))
            }
        }
    }

    fn resource(&mut self, resource: &Resource) -> std::io::Result<()> {
        match self.form {
            Form::Table => row(&mut self.out, resource),
            Form::Json => {
                if std::mem::replace(&mut self.any, true) {
                    self.out.write_all(b",")?;
                }
                self.out.write_all(b"\n")?;
                serde_json::to_writer(&mut self.out, resource)?;
                Ok(())
            }
            Form::JsonLines => write(&mut self.out, resource),
            Form::Csv => record(&mut self.out, &flat::resource(resource)),
            Form::OpenMetrics => Ok(()),
        }
    }

    fn scan(&mut self, scan: &Scan) -> std::io::Result<()> {
        match self.form {
            Form::JsonLines => write(&mut self.out, &ScanLine::new(scan.clone())),
            Form::Csv if !scan.is_complete() => record(&mut self.out, &flat::scan(scan)),
            _ => Ok(()),
        }
    }

    /// Ends the output.
    ///
    /// # Errors
    ///
    /// Returns an error if it cannot be written.
    pub fn finish(mut self, counts: &Counts) -> Result<(), Error> {
        self.begin()?;
        let out = &mut self.out;
        let result = match self.form {
            Form::Table => counts
                .incomplete
                .iter()
                .try_for_each(|scan| {
                    let line = format!("not scanned: {}: {}", scan.place, flat::not_scanned(scan));
                    writeln!(out, "{}", printable::escape(&line))
                })
                .and_then(|()| writeln!(out, "{}", counts.line()))
                .and_then(|()| {
                    let names: Vec<&str> = NOT_COVERED.iter().map(|it| it.what).collect();
                    writeln!(out, "not covered (`--output json` says why): {}", names.join("; "))
                }),
            Form::Json => {
                let summary = Summary {
                    instances: counts.instances(),
                    postures: Posture::ALL.iter().map(|it| (it.as_str(), counts.of(*it))).collect(),
                    complete: counts.complete,
                    incomplete: &counts.incomplete,
                    not_looked_at: &counts.not_looked_at,
                    enforced: counts.enforced,
                    defaults_read: counts.defaults,
                    defaults_by_policy: counts.by_policy,
                    end_state_reached: counts.end_state,
                    not_covered: NOT_COVERED,
                };
                out.write_all(b"\n],\"summary\":")
                    .and_then(|()| Ok(serde_json::to_writer(&mut *out, &summary)?))
                    .and_then(|()| out.write_all(b"}\n"))
            }
            Form::JsonLines | Form::Csv => Ok(()),
            Form::OpenMetrics => {
                let mut text = String::new();
                metrics(&mut text, counts);
                text.push_str("# EOF\n");
                out.write_all(text.as_bytes())
            }
        };
        written(result.and_then(|()| out.flush()))
    }
}

const TABLE_HEAD: [&str; 10] =
    ["ACCOUNT", "REGION", "ID", "POSTURE", "TOKENS", "HOP", "ENDPOINT", "IPV6", "TAGS", "NOTE"];

/// Wide enough for what EC2 makes up; a longer value moves its own line only.
const WIDTHS: [usize; 9] = [12, 14, 20, 17, 8, 3, 8, 8, 8];

fn line(out: &mut Out<'_>, cells: [&str; 10]) -> std::io::Result<()> {
    let mut text = String::new();
    for (cell, width) in cells.iter().zip(WIDTHS.iter().chain([&0])) {
        let cell = printable::escape(cell);
        text.push_str(&format!("{cell:<width$} "));
    }
    writeln!(out, "{}", text.trim_end())
}

fn row(out: &mut Out<'_>, resource: &Resource) -> std::io::Result<()> {
    let flat = flat::resource(resource);
    let column = |name: &str| {
        flat::COLUMNS
            .iter()
            .position(|(column, _)| *column == name)
            .and_then(|index| flat.values().get(index)?.as_ref())
            .map_or_else(|| "-".to_owned(), ToString::to_string)
    };
    let note = match resource {
        Resource::Instance(it) => {
            let mut notes = Vec::new();
            notes.extend(it.name.clone());
            if it.run_state != "running" {
                notes.push(it.run_state.clone());
            }
            notes.extend(it.lifecycle.clone());
            notes.extend(it.operator.as_ref().map(|operator| format!("managed by {operator}")));
            notes.extend(it.owner().map(|owner| format!("owned by {}", owner.name())));
            let risk = it.risk.as_ref();
            notes.extend(risk.map(|risk| format!("risk {} ({})", risk.score, risk.reasons.join(", "))));
            notes.join(", ")
        }
        Resource::LaunchTemplate(it) => {
            let mut note =
                format!("launch template {} version {}", it.name.as_deref().unwrap_or("-"), it.version);
            if it.is_default {
                note.push_str(", default");
            }
            let users: Vec<&str> = it.users().collect();
            if !users.is_empty() {
                note.push_str(&format!(", used by {}", users.join(" ")));
            }
            if it.launched > 0 {
                note.push_str(&format!(", in the tags of {} instances", it.launched));
            }
            if let Some(data) = it.user_data.as_ref().filter(|data| !data.findings.is_empty()) {
                let v1 = data.findings.iter().filter(|finding| finding.v1).count();
                note.push_str(&format!(
                    ", {} findings in its user data, {v1} of them IMDSv1",
                    data.findings.len()
                ));
            }
            let owner = it.owner.map(|owner| format!(", owned by {}", owner.name())).unwrap_or_default();
            format!(
                "{note}{owner}; next launch: {}{}",
                next(&it.effective, it.enforced),
                assumed(resource.assumed())
            )
        }
        Resource::LaunchConfiguration(it) => {
            let next = next(&it.effective, it.enforced);
            format!("launch configuration; next launch: {next}{}", assumed(resource.assumed()))
        }
        Resource::FleetRequest(it) => request_note(it),
        Resource::WarmPool(it) => {
            let state = it.pool_state.as_deref().unwrap_or("state unknown");
            let owner = it.owner.map(|owner| format!(", owned by {}", owner.name())).unwrap_or_default();
            format!("warm pool ({state}) of {} instances{owner}", it.instances.len())
        }
        Resource::Image(it) => {
            format!("image, ImdsSupport {}", it.imds_support.as_deref().unwrap_or("not set"))
        }
        Resource::AccountDefaults(it) => {
            let enforced = if it.http_tokens_enforced { ", IMDSv2 enforced" } else { "" };
            let by = it.managed_by.as_deref().unwrap_or("account");
            let end = match it.end_state.missing.as_slice() {
                [] if it.end_state.reached => "end state reached".to_owned(),
                // Saved by an earlier version.
                [] => "end state not known".to_owned(),
                missing => format!("end state not reached: {}", missing.join(", ")),
            };
            format!("account defaults, managed by {by}{enforced}; {end}")
        }
    };
    let place = resource.place();
    line(
        out,
        [
            &place.account,
            &place.region,
            resource.id(),
            &column("posture"),
            &column("http_tokens"),
            &column("http_put_response_hop_limit"),
            &column("http_endpoint"),
            &column("http_protocol_ipv6"),
            &column("instance_metadata_tags"),
            &note,
        ],
    )
}

fn request_note(it: &FleetRequest) -> String {
    let sources: Vec<String> = it
        .sources
        .iter()
        .map(|source| {
            let next = match &source.effective {
                Some(effective) => format!("next launch: {}", next(effective, it.enforced)),
                None => "not read".to_owned(),
            };
            format!("{}, {next}{}", source.label(), assumed(&source.assumed))
        })
        .collect();
    let kind = it.request_type.as_deref().map(|kind| format!(" ({kind})")).unwrap_or_default();
    let owner = it.owner.map(|owner| format!(", owned by {}", owner.name())).unwrap_or_default();
    format!("{} request{kind}{owner}: {}", it.service.name(), sources.join("; "))
}

fn assumed(assumed: &[String]) -> String {
    match assumed {
        [] => String::new(),
        assumed => format!("; assumed: {}", assumed.join(", ")),
    }
}

fn next(effective: &crate::inventory::effective::Effective, enforced: bool) -> String {
    let refused = if enforced && effective.allows_v1() { "refused (IMDSv2 is enforced): " } else { "" };
    let tokens = effective.http_tokens;
    let hops = effective.http_put_response_hop_limit;
    format!(
        "{refused}{} (from {}), hop limit {} (from {})",
        tokens.value,
        tokens.from.as_str(),
        hops.value,
        hops.from.as_str()
    )
}

fn record(out: &mut Out<'_>, row: &flat::Row) -> std::io::Result<()> {
    let fields = row
        .values()
        .iter()
        .map(|value| Cow::Owned(value.as_ref().map(ToString::to_string).unwrap_or_default()));
    csv::record(out, fields)
}

/// The gauges of a scan (OpenMetrics 1.0).
pub fn metrics(text: &mut String, counts: &Counts) {
    use std::fmt::Write;
    text.push_str("# TYPE imds_fleet_instances gauge\n# HELP imds_fleet_instances Instances by posture.\n");
    for posture in Posture::ALL {
        // Writing to a string cannot fail.
        let _ =
            writeln!(text, "imds_fleet_instances{{posture=\"{}\"}} {}", posture.as_str(), counts.of(posture));
    }
    text.push_str("# TYPE imds_fleet_places gauge\n# HELP imds_fleet_places Accounts in a Region, by whether they were scanned in full.\n");
    let _ = writeln!(text, "imds_fleet_places{{scanned=\"complete\"}} {}", counts.complete);
    let _ = writeln!(text, "imds_fleet_places{{scanned=\"incomplete\"}} {}", counts.incomplete.len());
}
