//! Runs a scan as the command line asks for it, from whichever source, and hands on what it finds.

use std::collections::{BTreeSet, HashSet};
use std::io::{BufRead, IsTerminal};
use std::path::Path;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use tokio::sync::mpsc;

use crate::aws::account;
use crate::aws::instances::Selection;
use crate::aws::session::{Access, Settings};
use crate::checkpoint::Checkpoint;
use crate::cli::{AccessArgs, RoleArgs, ScopeArgs, SourceName};
use crate::counts::Counts;
use crate::error::Error;
use crate::inventory::resource::{AccountRegion, Resource};
use crate::scan::fleet::{self, Accounts, Regions, Scope};
use crate::scan::selector::Selector;
use crate::scan::{Event, Wanted};
use crate::source::{aggregator, file};

/// How many events may wait: a page is up to 1,000 instances, so this bounds the memory.
const WAITING: usize = 16;

/// Opens the access that the arguments ask for.
///
/// # Errors
///
/// Returns an error if there are no credentials, or they are refused.
pub async fn access_as(args: &AccessArgs, role: &RoleArgs) -> Result<Access, Error> {
    Access::open(Settings {
        profile: args.profile.clone(),
        home_region: args.home_region.clone(),
        endpoint_url: args.endpoint_url.clone(),
        instance_role: args.instance_role,
        role_name: role.role_name.clone(),
        external_id: role.external_id.clone(),
        share: f64::from(args.limit_share) / 100.0,
        backoff: args.backoff,
    })
    .await
}

/// Scans and hands on every event.
///
/// # Errors
///
/// Returns an error if the scan cannot begin, or `to` fails.
pub async fn run_scan(
    args: &ScopeArgs,
    to: &mut (dyn FnMut(&Event) -> Result<(), Error> + Send),
) -> Result<Counts, Error> {
    let mut counts = Counts::default();
    let bar = progress();
    let shared = !bar.is_hidden() && std::io::stdout().is_terminal();
    let mut hand_on = |event: Event| {
        match &event {
            Event::AccountRegions(places) => bar.inc_length(*places),
            Event::Found(resources) => resources.iter().for_each(|resource| counts.resource(resource)),
            Event::Scanned(scan) => {
                counts.scan(scan);
                bar.inc(1);
                bar.set_message(imds_model::printable::escape(&scan.place.to_string()).into_owned());
            }
            Event::NotLookedAt(regions) => counts.not_looked_at.clone_from(regions),
        }
        // Rows on the terminal that the bar stands on: it makes way for them.
        if shared { bar.suspend(|| to(&event)) } else { to(&event) }
    };
    match args.source {
        SourceName::Aws => live(args, &mut hand_on).await?,
        SourceName::File => {
            let mut selected = Selected::new(args)?;
            let stand_in = match args.regions.as_slice() {
                [region] => Some(region.as_str()),
                _ => None,
            };
            for path in &args.files {
                file::read(path, stand_in, &mut |event| selected.pass(event, &mut hand_on))?;
            }
        }
        SourceName::ConfigAggregator => {
            let mut selected = Selected::new(args)?;
            let access = access_as(&args.access, &args.role).await?;
            let region = access.home().region.clone();
            let name = args.aggregator.clone().unwrap_or_default();
            let mut pass = |event| selected.pass(event, &mut hand_on);
            aggregator::read(&access, &region, &name, &mut pass).await?;
        }
    }
    bar.finish_and_clear();
    Ok(counts)
}

/// What was asked for of a file or an aggregator, each of it once.
struct Selected {
    selector: Selector,
    /// What was handed on: files overlap, and a scan that was resumed holds some of it twice.
    seen: HashSet<(AccountRegion, String)>,
}

impl Selected {
    fn new(args: &ScopeArgs) -> Result<Self, Error> {
        let source = if args.source == SourceName::File { "file" } else { "config-aggregator" };
        let misplaced = [
            (args.organization, "--organization"),
            (args.all_regions, "--all-regions"),
            (args.checkpoint.is_some(), "--checkpoint"),
            (args.user_data, "--user-data"),
            (args.role.role_name.is_some(), "--role-name"),
            (args.files.iter().filter(|path| *path == Path::new("-")).count() > 1, "--file - given twice"),
        ];
        if let Some((_, option)) = misplaced.iter().find(|(given, _)| *given) {
            return Err(Error::Input(format!("`{option}` cannot be used with `--source {source}`")));
        }
        let selector = Selector {
            regions: args.regions.clone(),
            accounts: args.accounts.as_deref().map(listed).transpose()?.map(|it| it.into_iter().collect()),
            excluded: args.exclude_accounts.iter().cloned().collect(),
            shard: args.shard,
            filters: args.filters.clone(),
            v1_only: args.v1_only,
            instances_only: args.instances_only,
        };
        selector.check()?;
        Ok(Self { selector, seen: HashSet::new() })
    }

    fn pass(&mut self, event: Event, to: &mut dyn FnMut(Event) -> Result<(), Error>) -> Result<(), Error> {
        match event {
            Event::Found(resources) => {
                let selected: Vec<Resource> = resources
                    .into_iter()
                    .filter(|it| self.selector.holds(it) && self.seen.insert((it.place().clone(), it.key())))
                    .collect();
                if selected.is_empty() { Ok(()) } else { to(Event::Found(selected)) }
            }
            Event::Scanned(scan) if !self.selector.holds_place(&scan.place) => Ok(()),
            other => to(other),
        }
    }
}

async fn live(
    args: &ScopeArgs,
    hand_on: &mut (dyn FnMut(Event) -> Result<(), Error> + Send),
) -> Result<(), Error> {
    let accounts = accounts(args)?;
    let access = access_as(&args.access, &args.role).await?;
    let regions = if args.all_regions {
        Regions::All
    } else if args.regions.is_empty() {
        Regions::Listed(vec![access.home().region.clone()])
    } else {
        Regions::Listed(args.regions.clone())
    };
    let mut checkpoint = None;
    let mut done = BTreeSet::new();
    if let Some(path) = &args.checkpoint {
        let (opened, before) = Checkpoint::open(path, &scope_of(args, &access, &accounts, &regions))?;
        opened.replay(&before, hand_on)?;
        (checkpoint, done) = (Some(opened), before);
    }
    if !args.all_regions && args.regions.is_empty() {
        hand_on(Event::NotLookedAt(other_regions(&access).await))?;
    }
    let scope = Scope {
        accounts,
        regions,
        shard: args.shard,
        wanted: Wanted {
            instances: true,
            launch_sources: !args.instances_only,
            security_groups: !args.without_risk,
            user_data: args.user_data,
        },
        selection: Selection { filters: args.filters.clone(), v1_only: args.v1_only },
        concurrency: usize::from(args.access.concurrency),
        excluded: args.exclude_accounts.iter().cloned().collect(),
        done,
    };
    let (sender, mut events) = mpsc::channel(WAITING);
    let scanning = tokio::spawn(fleet::scan(access, scope, sender));
    while let Some(event) = events.recv().await {
        if let Some(checkpoint) = &mut checkpoint {
            checkpoint.add(&event)?;
        }
        hand_on(event)?;
    }
    match scanning.await {
        Ok(result) => result,
        Err(error) => Err(Error::Stopped(format!("scan broken off: {error}"))),
    }
}

/// The Regions that are not scanned by default, so that nobody takes them for clean.
async fn other_regions(access: &Access) -> Vec<String> {
    let (member, home) = (access.own(), access.home());
    match account::regions(&member.ec2(&home.region), &member.caller, home).await {
        Ok(regions) => regions.enabled.into_iter().filter(|region| *region != home.region).collect(),
        Err(fault) => vec![format!("every Region but {} ({fault})", home.region)],
    }
}

/// What is scanned, as a checkpoint records it.
fn scope_of(args: &ScopeArgs, access: &Access, accounts: &Accounts, regions: &Regions) -> String {
    let filters: Vec<String> =
        args.filters.iter().map(|(name, values)| format!("{name}={}", values.join(","))).collect();
    let accounts = match accounts {
        Accounts::Own => format!("account {}", access.home().account),
        Accounts::Listed(accounts) => format!("accounts {}", accounts.join(",")),
        Accounts::Organization { units, .. } if units.is_empty() => "the organization".to_owned(),
        Accounts::Organization { units, .. } => format!("the organization below {}", units.join(",")),
    };
    let regions = match regions {
        Regions::All => "all Regions".to_owned(),
        Regions::Listed(regions) => format!("Regions {}", regions.join(",")),
    };
    let mut scope = format!("{accounts} in {regions}");
    let more = [
        (!args.exclude_accounts.is_empty(), format!("without {}", args.exclude_accounts.join(","))),
        (args.shard.to_string() != "1-of-1", format!("shard {}", args.shard)),
        (!filters.is_empty(), format!("filter {}", filters.join(" "))),
        (args.v1_only, "IMDSv1 only".to_owned()),
        (args.instances_only, "instances only".to_owned()),
        (args.user_data, "user data".to_owned()),
    ];
    for (_, text) in more.into_iter().filter(|(given, _)| *given) {
        scope.push_str(&format!(", {text}"));
    }
    scope
}

fn accounts(args: &ScopeArgs) -> Result<Accounts, Error> {
    if args.organization {
        return Ok(Accounts::Organization {
            listing_role: args.listing_role.clone(),
            units: args.ou.clone(),
        });
    }
    let Some(path) = &args.accounts else { return Ok(Accounts::Own) };
    let accounts = listed(path)?;
    if accounts.is_empty() {
        return Err(Error::Input(format!("no accounts in `{}`", path.display())));
    }
    Ok(Accounts::Listed(accounts))
}

/// Account ids, one per line; what follows the twelve digits, and lines that start with `#`, are
/// for people.
fn listed(path: &Path) -> Result<Vec<String>, Error> {
    let reader: Box<dyn BufRead> = if path == Path::new("-") {
        Box::new(std::io::stdin().lock())
    } else {
        let file = std::fs::File::open(path).map_err(|source| Error::unusable("read", path, &source))?;
        Box::new(std::io::BufReader::new(file))
    };
    let mut accounts = BTreeSet::new();
    for line in reader.lines() {
        let line = line.map_err(|source| Error::unusable("read", path, &source))?;
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let word: String = line.chars().take_while(|c| !c.is_whitespace() && *c != ',').collect();
        if word.len() != 12 || !word.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(Error::Input(format!(
                "`{}` in `{}` is not an account: twelve digits",
                imds_model::printable::brief(&word),
                path.display()
            )));
        }
        accounts.insert(word);
    }
    Ok(accounts.into_iter().collect())
}

/// A bar on a terminal, nothing elsewhere.
fn progress() -> ProgressBar {
    let target = if std::io::stderr().is_terminal() {
        ProgressDrawTarget::stderr()
    } else {
        ProgressDrawTarget::hidden()
    };
    // The message is cut to what is left of the line: a bar that wraps cannot be erased cleanly.
    let style = ProgressStyle::with_template("{bar:30} {pos}/{len} account/Regions, {elapsed}, {wide_msg}");
    let bar = ProgressBar::with_draw_target(Some(0), target);
    match style {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}
