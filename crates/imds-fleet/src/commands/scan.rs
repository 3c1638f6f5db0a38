//! Runs a scan as the command line asks for it, from whichever source, and hands on what it finds.

use std::collections::BTreeSet;
use std::io::{BufRead, IsTerminal};
use std::path::Path;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use tokio::sync::mpsc;

use crate::aws::instances::Selection;
use crate::aws::session::{Access, Settings};
use crate::checkpoint::Checkpoint;
use crate::cli::{AccessArgs, RoleArgs, ScopeArgs, SourceName};
use crate::counts::Counts;
use crate::error::Error;
use crate::scan::fleet::{self, Accounts, Regions, Scope};
use crate::scan::{Event, Wanted};
use crate::source::{aggregator, file};

/// How many events may wait: a page is up to 1,000 instances, so this bounds the memory.
const WAITING: usize = 16;

/// Opens the access that the arguments ask for.
///
/// # Errors
///
/// When there are no credentials, or they are refused.
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
/// When the scan cannot begin, or `to` fails.
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
                bar.set_message(scan.place.to_string());
            }
        }
        // Rows on the terminal that the bar stands on: it makes way for them.
        if shared { bar.suspend(|| to(&event)) } else { to(&event) }
    };
    match args.source {
        SourceName::File => {
            let region = args.regions.first().map(String::as_str);
            for path in &args.files {
                file::read(path, region, &mut hand_on)?;
            }
        }
        SourceName::ConfigAggregator => {
            let access = access_as(&args.access, &args.role).await?;
            let region = args.regions.first().unwrap_or(&access.home().region).clone();
            let name = args.aggregator.clone().unwrap_or_default();
            aggregator::read(&access, &region, &name, &mut hand_on).await?;
        }
        SourceName::Aws => live(args, &mut hand_on).await?,
    }
    bar.finish_and_clear();
    Ok(counts)
}

async fn live(
    args: &ScopeArgs,
    hand_on: &mut (dyn FnMut(Event) -> Result<(), Error> + Send),
) -> Result<(), Error> {
    let accounts = accounts(args)?;
    let mut checkpoint = None;
    let mut done = BTreeSet::new();
    if let Some(path) = &args.checkpoint {
        let (opened, before) = Checkpoint::open(path)?;
        opened.replay(&before, hand_on)?;
        (checkpoint, done) = (Some(opened), before);
    }
    let access = access_as(&args.access, &args.role).await?;
    let regions = if args.all_regions {
        Regions::All
    } else if args.regions.is_empty() {
        Regions::Listed(vec![access.home().region.clone()])
    } else {
        Regions::Listed(args.regions.clone())
    };
    let scope = Scope {
        accounts,
        regions,
        shard: args.shard,
        wanted: Wanted { instances: true, launch_sources: !args.instances_only },
        selection: Selection { filters: args.filters.clone(), v1_only: args.v1_only },
        concurrency: usize::from(args.access.concurrency),
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

fn accounts(args: &ScopeArgs) -> Result<Accounts, Error> {
    if args.organization {
        return Ok(Accounts::Organization { listing_role: args.listing_role.clone() });
    }
    let Some(path) = &args.accounts else { return Ok(Accounts::Own) };
    let accounts = listed(path)?;
    if accounts.is_empty() {
        return Err(Error::Input(format!("no accounts in `{}`", path.display())));
    }
    Ok(Accounts::Listed(accounts))
}

/// Account ids, one a line; what follows the twelve digits, and lines that start with `#`, are for people.
fn listed(path: &Path) -> Result<Vec<String>, Error> {
    let reader: Box<dyn BufRead> = if path == Path::new("-") {
        Box::new(std::io::stdin().lock())
    } else {
        let file = std::fs::File::open(path).map_err(|source| Error::file(path, source))?;
        Box::new(std::io::BufReader::new(file))
    };
    let mut accounts = BTreeSet::new();
    for line in reader.lines() {
        let line = line.map_err(|source| Error::file(path, source))?;
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let word: String = line.chars().take_while(|c| !c.is_whitespace() && *c != ',').collect();
        if word.len() != 12 || !word.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(Error::Input(format!(
                "`{word}` in `{}` is not an account: twelve digits",
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
