//! `usage`: who still uses IMDSv1.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use imds_model::printable;
use serde_json::json;

use super::{End, scan};
use crate::aws::clients::AccountClients;
use crate::cli::{UsageArgs, UsageOutput};
use crate::clock;
use crate::error::Error;
use crate::inventory::SCHEMA_VERSION;
use crate::inventory::resource::Resource;
use crate::output::{Out, csv, flat, written};
use crate::scan::Event;
use crate::trace::{TracedCaller, Traces};
use crate::usage::{Asked, Kind, Usage, usage};

/// Runs it.
///
/// # Errors
///
/// Returns an error if the scan cannot begin, or the output cannot be written.
pub async fn run(args: &UsageArgs, out: Out<'_>) -> Result<End, Error> {
    let traces = Traces::read(&args.traces.traces)?;
    let mut asked = Asked::default();
    let mut scope = args.scope.clone();
    scope.instances_only = true;
    scope.without_risk = true;
    let scanned = scan::run_scan(&scope, &mut |event| {
        if let Event::Found(resources) = event {
            for resource in resources {
                if let Resource::Instance(it) = resource {
                    asked.instance(crate::inventory::resource::Instance::clone(it));
                }
            }
        }
        Ok(())
    })
    .await?;
    let clients = Arc::new(AccountClients::new(scan::access_as(&scope.access, &scope.role).await?));
    let concurrency = usize::from(scope.access.concurrency);
    let now = clock::now();
    let (mut found, failed) = usage(clients, asked, args.days, now.as_second(), concurrency).await;
    let not_matched = join(&mut found, &traces, args.days, now.as_second());
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    for usage in &found {
        *counts.entry(usage.status.as_str()).or_default() += 1;
    }
    let not_read: Vec<String> = failed.iter().map(|(place, fault)| format!("{place}: {fault}")).collect();
    written(match args.output {
        UsageOutput::Json => {
            let document = json!({
                "schema_version": SCHEMA_VERSION,
                "read_at": now,
                "days": args.days,
                "usage": found,
                "summary": { "statuses": counts, "incomplete": scanned.incomplete, "not_looked_at": scanned.not_looked_at, "not_read": not_read, "trace_gaps": traces.gaps, "traced_elsewhere": not_matched },
            });
            writeln!(out, "{document}")
        }
        UsageOutput::Csv => {
            let head = [
                "account_id",
                "region_name",
                "kind",
                "id",
                "name",
                "posture",
                "status",
                "reason",
                "calls",
                "refused",
                "callers",
            ];
            csv::record(out, head.map(Cow::Borrowed)).and_then(|()| {
                found.iter().try_for_each(|usage| csv::record(out, fields(usage).map(Cow::Owned)))
            })
        }
        UsageOutput::Table => found
            .iter()
            .try_for_each(|usage| {
                let shown = fields(usage).map(|field| printable::escape(&field).into_owned());
                let [account, region, _, id, name, posture, status, reason, ..] = shown;
                writeln!(out, "{account:<12} {region:<14} {id:<20} {posture:<17} {status:<8} {reason} {name}")
            })
            .and_then(|()| {
                let counts: Vec<String> =
                    counts.iter().map(|(status, count)| format!("{count} {status}")).collect();
                let scans = scanned
                    .incomplete
                    .iter()
                    .map(|scan| format!("{}: {}", scan.place, flat::not_scanned(scan)));
                scans
                    .chain(not_read.iter().cloned())
                    .chain(traces.gaps.iter().cloned())
                    .try_for_each(|line| writeln!(out, "not scanned: {}", printable::escape(&line)))
                    .and_then(|()| match not_matched.as_slice() {
                        [] => Ok(()),
                        ids => writeln!(
                            out,
                            "traced, and not among these: {}",
                            printable::escape(&ids.join(", "))
                        ),
                    })
                    .and_then(|()| match scanned.not_looked_at.as_slice() {
                        [] => Ok(()),
                        regions => writeln!(out, "not looked at: {}", printable::escape(&regions.join(", "))),
                    })
                    .and_then(|()| writeln!(out, "{}", counts.join(", ")))
            }),
    })?;
    let whole = scanned.incomplete.is_empty() && failed.is_empty() && traces.gaps.is_empty();
    Ok(if whole { End::Clean } else { End::Incomplete })
}

/// Joins the traces to the instances, and says which of them are traced and not there.
fn join(found: &mut [Usage], traces: &Traces, days: u16, now: i64) -> Vec<String> {
    let mut missing: BTreeSet<&str> = traces.instances().collect();
    for usage in found.iter_mut().filter(|it| it.kind == Kind::Instance) {
        if let Some(callers) = traces.of(&usage.id) {
            missing.remove(usage.id.as_str());
            usage.traced(callers, days, now);
        }
    }
    missing.into_iter().map(str::to_owned).collect()
}

fn fields(usage: &Usage) -> [String; 11] {
    let number = |number: Option<f64>| number.map(|number| number.to_string()).unwrap_or_default();
    [
        usage.place.account.clone(),
        usage.place.region.clone(),
        usage.kind.as_str().to_owned(),
        usage.id.clone(),
        usage.name.clone().unwrap_or_default(),
        usage.posture.map_or_else(|| usage.kind.as_str().to_owned(), |posture| posture.as_str().to_owned()),
        usage.status.as_str().to_owned(),
        usage.reason.clone(),
        number(usage.calls),
        number(usage.refused),
        usage.callers.iter().map(TracedCaller::label).collect::<Vec<_>>().join("; "),
    ]
}
