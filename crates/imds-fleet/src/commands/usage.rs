//! `usage`: who still uses IMDSv1.

use std::borrow::Cow;
use std::collections::BTreeMap;
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
use crate::usage::{Asked, Usage, usage};

/// Runs it.
///
/// # Errors
///
/// Returns an error if the scan cannot begin, or the output cannot be written.
pub async fn run(args: &UsageArgs, out: Out<'_>) -> Result<End, Error> {
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
    let (found, failed) = usage(clients, asked, args.days, now.as_second(), concurrency).await;
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
                "summary": { "statuses": counts, "incomplete": scanned.incomplete, "not_looked_at": scanned.not_looked_at, "not_read": not_read },
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
                    .try_for_each(|line| writeln!(out, "not scanned: {}", printable::escape(&line)))
                    .and_then(|()| match scanned.not_looked_at.as_slice() {
                        [] => Ok(()),
                        regions => writeln!(out, "not looked at: {}", printable::escape(&regions.join(", "))),
                    })
                    .and_then(|()| writeln!(out, "{}", counts.join(", ")))
            }),
    })?;
    Ok(if scanned.incomplete.is_empty() && failed.is_empty() { End::Clean } else { End::Incomplete })
}

fn fields(usage: &Usage) -> [String; 10] {
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
    ]
}
