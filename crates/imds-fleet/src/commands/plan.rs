//! `plan`: what would be changed, in a file for people to review.

use std::collections::BTreeMap;
use std::sync::Arc;

use imds_model::options::{HttpTokens, Switch};
use imds_model::printable;

use super::{End, scan};
use crate::aws::clients::AccountClients;
use crate::change::defaults::Seen;
use crate::change::launches::{self, Launches};
use crate::change::plan::{Change, LeftOut, Plan, Planned, Rules, SCHEMA_VERSION};
use crate::change::readiness::{Accepted, UsageStatuses};
use crate::cli::{PlanArgs, ScopeArgs};
use crate::clock;
use crate::counts::Counts;
use crate::error::Error;
use crate::inventory::options::{Options, Posture};
use crate::inventory::resource::{AccountDefaults, AccountRegion, Instance, Resource};
use crate::output::{Out, flat, written};
use crate::scan::Event;
use crate::usage::{Asked, Saved, usage};

/// Runs it.
///
/// # Errors
///
/// Returns an error if nothing is wanted, the scan cannot begin, or the plan cannot be written.
pub async fn run(args: &PlanArgs, out: Out<'_>) -> Result<End, Error> {
    let rules = rules(args)?;
    let saved = args.ready.usage_file.as_deref().map(Saved::read).transpose()?;
    let launch_sources = args.launch_templates || args.pinned_groups;
    let turns_off = rules.wanted.http_tokens == Some(HttpTokens::Required)
        && (!args.no_instances || launch_sources || args.account_defaults);
    if turns_off && saved.is_none() && !args.ready.usage && !rules.include.unknown {
        return Err(Error::Input(
            "`--http-tokens required` needs to know who still uses IMDSv1: say `--usage`, `--usage-file FILE`, or \
             `--include-unknown`"
                .to_owned(),
        ));
    }
    // Never over a plan that is there: its journal may be needed to undo it. Before the scan, which
    // may be long.
    if args.out.exists() {
        let source = std::io::Error::from(std::io::ErrorKind::AlreadyExists);
        return Err(Error::unusable("write", &args.out, &source));
    }
    let directory = args.out.parent().filter(|it| !it.as_os_str().is_empty());
    if let Some(directory) = directory
        && let Err(source) = std::fs::read_dir(directory)
    {
        return Err(Error::unusable("write", &args.out, &source));
    }
    let (found, counts) = Found::scan(args).await?;
    let mut not_read = Vec::new();
    let mut statuses = match saved {
        Some(saved) => UsageStatuses::new(saved.read_at, saved.days, clock::now(), saved.usage),
        None if args.ready.usage && turns_off => read_usage(args, &rules, &found, &mut not_read).await?,
        None => UsageStatuses::default(),
    };
    statuses.filtered = !args.scope.filters.is_empty();
    counts.incomplete.iter().for_each(|scan| statuses.not_seen(scan.place.clone()));
    found.instances.iter().for_each(|it| statuses.seen(it));
    let (changes, left_out) = planned(args, &rules, &found, &statuses, &counts);
    let plan = Plan {
        schema_version: SCHEMA_VERSION,
        made_at: clock::now(),
        wanted: rules.wanted,
        hop_limit_exact: rules.hop_limit_exact,
        http_tokens_enforced: rules.enforced,
        allow_irreversible: rules.allow_irreversible,
        include: rules.include,
        changes,
        left_out,
        not_scanned: counts
            .incomplete
            .iter()
            .map(|scan| format!("{}: {}", scan.place, flat::not_scanned(scan)))
            .collect(),
    };
    write(args, &plan)?;
    report(args, &plan, &counts.not_looked_at, &not_read, out)?;
    Ok(if !plan.not_scanned.is_empty() || !not_read.is_empty() {
        End::Incomplete
    } else if plan.left_out.is_empty() {
        End::Clean
    } else {
        End::Findings
    })
}

fn rules(args: &PlanArgs) -> Result<Rules, Error> {
    let wanted = Options {
        http_tokens: args.http_tokens,
        http_endpoint: args.http_endpoint,
        http_put_response_hop_limit: args.hop_limit.or(args.hop_limit_exact),
        http_protocol_ipv6: args.ipv6,
        instance_metadata_tags: args.tags,
    };
    if wanted.is_empty() && args.http_tokens_enforced.is_none() {
        return Err(Error::Input("nothing to change: say for example `--http-tokens required`".to_owned()));
    }
    if args.http_tokens_enforced == Some(Switch::Enabled) && !args.scope.filters.is_empty() {
        return Err(Error::Input(
            "`--http-tokens-enforced enabled` holds for every instance of an account: it cannot be planned with \
             `--filter`"
                .to_owned(),
        ));
    }
    Ok(Rules {
        wanted,
        hop_limit_exact: args.hop_limit_exact.is_some(),
        enforced: args.http_tokens_enforced,
        allow_irreversible: args.allow_irreversible,
        allow_launch_failures: args.allow_launch_failures,
        include: Accepted { in_use: args.ready.include_in_use, unknown: args.ready.include_unknown },
        include_owned: args.include_owned.clone(),
    })
}

/// What a scan finds, as far as a plan needs it.
#[derive(Debug, Default)]
struct Found {
    /// Sorted by account, Region and id.
    instances: Vec<Instance>,
    defaults: BTreeMap<AccountRegion, AccountDefaults>,
    launches: Launches,
}

impl Found {
    async fn scan(args: &PlanArgs) -> Result<(Self, Counts), Error> {
        let mut found = Self::default();
        let scope = ScopeArgs { without_risk: true, ..args.scope.clone() };
        let counts = scan::run_scan(&scope, &mut |event| {
            let Event::Found(resources) = event else { return Ok(()) };
            for resource in resources {
                match resource {
                    Resource::Instance(it) => found.instances.push(Instance::clone(it)),
                    Resource::AccountDefaults(it) => {
                        found.defaults.insert(it.place.clone(), AccountDefaults::clone(it));
                    }
                    Resource::LaunchTemplate(it) => found.launches.template(it),
                    Resource::LaunchConfiguration(it) => found.launches.configuration(it),
                    Resource::FleetRequest(it) => found.launches.request(it),
                    // Its instances are planned as all others are.
                    Resource::WarmPool(_) => {}
                    Resource::Image(_) => {}
                }
            }
            Ok(())
        })
        .await?;
        found.instances.sort_by(|a, b| (&a.place, &a.id).cmp(&(&b.place, &b.id)));
        Ok((found, counts))
    }

    fn v1(&self, place: &AccountRegion) -> u64 {
        let v1 = |it: &&Instance| it.place == *place && it.posture == Posture::V1Allowed;
        self.instances.iter().filter(v1).count() as u64
    }
}

fn planned(
    args: &PlanArgs,
    rules: &Rules,
    found: &Found,
    statuses: &UsageStatuses,
    counts: &Counts,
) -> (Vec<Change>, Vec<LeftOut>) {
    let (mut changes, mut left_out) = (Vec::new(), Vec::new());
    let mut take = |changes: &mut Vec<Change>, planned: Planned| match planned {
        Ok(change) => changes.push(change),
        Err(left) => left_out.push(*left),
    };
    if !args.no_instances {
        for instance in &found.instances {
            if let Some(planned) = rules.instance(instance, found.defaults.get(&instance.place), statuses) {
                take(&mut changes, planned);
            }
        }
    }
    if args.launch_templates || args.pinned_groups {
        let scope = launches::Scope { templates: args.launch_templates, pinned: args.pinned_groups };
        for planned in found.launches.plan(rules, scope, statuses) {
            take(&mut changes, planned);
        }
    }
    if args.account_defaults || args.http_tokens_enforced.is_some() {
        for it in found.defaults.values() {
            let seen = Seen {
                statuses,
                launches: &found.launches,
                changes: &changes,
                v1: found.v1(&it.place),
                complete: counts.incomplete.iter().all(|scan| scan.place != it.place),
            };
            let planned = rules.defaults(it, args.account_defaults, &seen);
            for planned in planned {
                take(&mut changes, planned);
            }
        }
    }
    changes.sort_by_cached_key(order);
    (changes, left_out)
}

/// The same for the same fleet, whatever order it was scanned in.
fn order(change: &Change) -> (AccountRegion, u8, String) {
    (change.place.clone(), change.target.kind(), change.target.id().to_owned())
}

fn write(args: &PlanArgs, plan: &Plan) -> Result<(), Error> {
    use std::io::Write as _;
    let mut text = serde_json::to_vec_pretty(plan)
        .map_err(|error| Error::Input(format!("plan cannot be written: {error}")))?;
    text.push(b'\n');
    let mut file = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(&args.out)
        .map_err(|source| Error::unusable("write", &args.out, &source))?;
    file.write_all(&text).and_then(|()| file.sync_all()).map_err(|source| Error::file(&args.out, source))
}

fn report(
    args: &PlanArgs,
    plan: &Plan,
    not_looked_at: &[String],
    not_read: &[String],
    out: Out<'_>,
) -> Result<(), Error> {
    let mut line = |text: String| written(writeln!(out, "{}", printable::escape(&text)));
    for left in &plan.left_out {
        line(format!("left out: {} in {}: {}", left.id, left.place, left.reason))?;
    }
    for scan in &plan.not_scanned {
        line(format!("not scanned: {scan}"))?;
    }
    if !not_looked_at.is_empty() {
        line(format!("not looked at: {} (`--all-regions` scans them)", not_looked_at.join(", ")))?;
    }
    for usage in not_read {
        line(format!("usage not read: {usage}"))?;
    }
    let mut what: Vec<String> =
        plan.wanted.named().into_iter().map(|(name, value)| format!("{name}={value}")).collect();
    what.extend(plan.http_tokens_enforced.map(|value| format!("HttpTokensEnforced={value}")));
    line(format!(
        "{} changes to {}, {} left out, in `{}`",
        plan.changes.len(),
        what.join(" "),
        plan.left_out.len(),
        args.out.display()
    ))
}

/// The statuses on all that the plan may turn IMDSv1 off for, from the metrics as they are now.
async fn read_usage(
    args: &PlanArgs,
    rules: &Rules,
    found: &Found,
    not_read: &mut Vec<String>,
) -> Result<UsageStatuses, Error> {
    let now = clock::now();
    let days = args.ready.usage_days;
    let mut asked = Asked::default();
    found.instances.iter().filter(|it| rules.takes_v1(it)).cloned().for_each(|it| asked.instance(it));
    if args.launch_templates || args.pinned_groups {
        found.launches.groups().for_each(|(place, name)| asked.group(place, name));
    }
    let (scope, concurrency) = (&args.scope, usize::from(args.scope.access.concurrency));
    let clients = Arc::new(AccountClients::new(scan::access_as(&scope.access, &scope.role).await?));
    let (found, failed) = usage(clients, asked, days, now.as_second(), concurrency).await;
    let mut statuses = UsageStatuses::new(now, days, now, found);
    for (place, fault) in failed {
        not_read.push(format!("{place}: {fault}"));
        statuses.not_read(place, fault.to_string());
    }
    Ok(statuses)
}
