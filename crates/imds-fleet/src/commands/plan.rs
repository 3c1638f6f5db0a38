//! `plan`: what would be changed, in a file for people to review.

use std::collections::BTreeMap;
use std::io::Write;
use std::sync::Arc;

use imds_model::options::HttpTokens;

use super::{End, scan};
use crate::aws::clients::AccountClients;
use crate::change::launches::Launches;
use crate::change::plan::{Change, Plan, Planned, Rules, SCHEMA_VERSION};
use crate::change::readiness::{Accepted, UsageStatuses};
use crate::cli::PlanArgs;
use crate::clock;
use crate::error::Error;
use crate::inventory::options::{Options, Posture};
use crate::inventory::resource::{AccountDefaults, AccountRegion, Instance, Resource};
use crate::output::{Out, flat, written};
use crate::scan::Event;
use crate::usage::{Saved, usage};

/// Runs it.
///
/// # Errors
///
/// When nothing is wanted, the scan cannot begin, or the plan cannot be written.
pub async fn run(args: &PlanArgs, out: Out<'_>) -> Result<End, Error> {
    let wanted = Options {
        http_tokens: args.http_tokens,
        http_endpoint: args.http_endpoint,
        http_put_response_hop_limit: args.hop_limit,
        http_protocol_ipv6: args.ipv6,
        instance_metadata_tags: args.tags,
    };
    if wanted.is_empty() && args.http_tokens_enforced.is_none() {
        return Err(Error::Input("nothing to change: say for example `--http-tokens required`".to_owned()));
    }
    let include = Accepted { in_use: args.ready.include_in_use, unknown: args.ready.include_unknown };
    let rules = Rules {
        wanted,
        enforced: args.http_tokens_enforced,
        allow_irreversible: args.allow_irreversible,
        include,
    };
    let saved = args.ready.usage_file.as_deref().map(Saved::read).transpose()?;
    let takes_v1 = wanted.http_tokens == Some(HttpTokens::Required) && !args.no_instances;
    if takes_v1 && saved.is_none() && !args.ready.usage && !include.unknown {
        return Err(Error::Input(
            "`--http-tokens required` needs to know who still uses IMDSv1: say `--usage`, `--usage-file FILE`, or \
             `--include-unknown`"
                .to_owned(),
        ));
    }
    let (mut changes, mut left_out) = (Vec::new(), Vec::new());
    // The defaults of a place come after its instances.
    let mut instances: Vec<Instance> = Vec::new();
    let mut defaults: BTreeMap<AccountRegion, AccountDefaults> = BTreeMap::new();
    let mut v1: BTreeMap<AccountRegion, u64> = BTreeMap::new();
    let mut launches = Launches::default();
    let counts = scan::run_scan(&args.scope, &mut |event| {
        let Event::Found(resources) = event else { return Ok(()) };
        for resource in resources {
            if let Resource::Instance(it) = resource
                && it.posture == Posture::V1Allowed
            {
                *v1.entry(it.place.clone()).or_default() += 1;
            }
            match resource {
                Resource::Instance(it) if !wanted.differing_from(&it.options).is_empty() => {
                    instances.push(Instance::clone(it));
                }
                Resource::AccountDefaults(it) => {
                    defaults.insert(it.place.clone(), AccountDefaults::clone(it));
                }
                Resource::LaunchTemplate(it) => launches.template(it),
                Resource::LaunchConfiguration(it) => launches.configuration(it),
                _ => {}
            }
        }
        Ok(())
    })
    .await?;
    let mut take = |planned: Planned| match planned {
        Ok(change) => changes.push(change),
        Err(left) => left_out.push(*left),
    };
    let mut not_read = Vec::new();
    if !args.no_instances {
        instances.sort_by(|a, b| (&a.place, &a.id).cmp(&(&b.place, &b.id)));
        let verdicts = match saved {
            Some(saved) => UsageStatuses::new(saved.read_at, saved.days, clock::now(), saved.usage),
            None if args.ready.usage => {
                let asked = instances.iter().filter(|it| rules.takes_v1(it)).cloned().collect();
                read_usage(args, asked, &mut not_read).await?
            }
            None => UsageStatuses::default(),
        };
        for instance in &instances {
            rules
                .instance(instance, defaults.get(&instance.place), &verdicts)
                .into_iter()
                .for_each(&mut take);
        }
    }
    if args.launch_templates || args.pinned_groups {
        let planned = launches.plan(&rules, args.launch_templates, args.pinned_groups);
        planned.into_iter().for_each(&mut take);
    }
    if args.account_defaults || args.http_tokens_enforced.is_some() {
        for it in defaults.values() {
            let v1 = v1.get(&it.place).copied().unwrap_or(0);
            rules.defaults(it, args.account_defaults, v1).into_iter().for_each(&mut take);
        }
    }
    changes.sort_by_cached_key(order);
    let plan = Plan {
        schema_version: SCHEMA_VERSION,
        made_at: clock::now(),
        wanted,
        http_tokens_enforced: args.http_tokens_enforced,
        allow_irreversible: args.allow_irreversible,
        include,
        changes,
        left_out,
        not_scanned: counts
            .incomplete
            .iter()
            .map(|scan| format!("{}: {}", scan.place, flat::not_scanned(scan)))
            .collect(),
    };
    let mut text = serde_json::to_vec_pretty(&plan)
        .map_err(|error| Error::Input(format!("plan cannot be written: {error}")))?;
    text.push(b'\n');
    // Never over a plan that is there: its journal may be needed to undo it.
    let mut file = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(&args.out)
        .map_err(|source| Error::file(&args.out, source))?;
    file.write_all(&text).and_then(|()| file.sync_all()).map_err(|source| Error::file(&args.out, source))?;

    for left in &plan.left_out {
        written(writeln!(out, "left out: {} in {}: {}", left.id, left.place, left.reason))?;
    }
    for line in &plan.not_scanned {
        written(writeln!(out, "not scanned: {line}"))?;
    }
    for line in &not_read {
        written(writeln!(out, "usage not read: {line}"))?;
    }
    let mut what: Vec<String> =
        wanted.named().into_iter().map(|(name, value)| format!("{name}={value}")).collect();
    what.extend(args.http_tokens_enforced.map(|value| format!("HttpTokensEnforced={value}")));
    written(writeln!(
        out,
        "{} changes to {}, {} left out, in `{}`",
        plan.changes.len(),
        what.join(" "),
        plan.left_out.len(),
        args.out.display()
    ))?;
    Ok(if !plan.not_scanned.is_empty() || !not_read.is_empty() {
        End::Incomplete
    } else if plan.left_out.is_empty() {
        End::Clean
    } else {
        End::Findings
    })
}

/// The same for the same fleet, whatever order it was scanned in.
fn order(change: &Change) -> (AccountRegion, u8, String) {
    (change.place.clone(), change.target.kind(), change.target.id().to_owned())
}

/// The verdicts on these instances, from the metrics as they are now.
async fn read_usage(
    args: &PlanArgs,
    instances: Vec<Instance>,
    not_read: &mut Vec<String>,
) -> Result<UsageStatuses, Error> {
    let now = clock::now();
    let days = args.ready.usage_days;
    let (scope, concurrency) = (&args.scope, usize::from(args.scope.access.concurrency));
    let clients = Arc::new(AccountClients::new(scan::access_as(&scope.access, &scope.role).await?));
    let (found, failed) = usage(clients, instances, days, now.as_second(), concurrency).await;
    let mut verdicts = UsageStatuses::new(now, days, now, found);
    for (place, fault) in failed {
        not_read.push(format!("{place}: {fault}"));
        verdicts.not_read(place, fault.to_string());
    }
    Ok(verdicts)
}
