//! Scans every account and Region asked for: accounts side by side, one AssumeRole each, a cap on
//! all of it.

use std::collections::BTreeSet;
use std::sync::Arc;

use tokio::sync::Semaphore;
use tokio::sync::mpsc::Sender;
use tokio::task::JoinSet;

use super::{Event, Wanted, region};
use crate::aws::account;
use crate::aws::call::Caller;
use crate::aws::instances::Selection;
use crate::aws::session::{Access, Member};
use crate::error::Error;
use crate::fault::Fault;
use crate::inventory::end_state::Asked;
use crate::inventory::resource::{AccountRegion, Gap, Scan};

/// Which accounts.
#[derive(Clone, Debug)]
pub enum Accounts {
    /// The caller's own.
    Own,
    /// These.
    Listed(Vec<String>),
    /// All active ones of the organization, or of these units of it, listed as this role if one is
    /// given.
    Organization {
        /// Units or roots; none for all.
        units: Vec<String>,
        /// The role that may list accounts, where the caller may not.
        listing_role: Option<String>,
    },
}

/// Which Regions.
#[derive(Clone, Debug)]
pub enum Regions {
    /// These.
    Listed(Vec<String>),
    /// All that each account may use.
    All,
}

/// A part of the accounts, for one of several jobs that share nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    number: u32,
    of: u32,
}

impl Shard {
    /// Reads `K/N`.
    ///
    /// # Errors
    ///
    /// Returns an error if it is not two numbers with K within 1 to N.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (number, of) = text
            .split_once('/')
            .and_then(|(number, of)| Some((number.parse().ok()?, of.parse().ok()?)))
            .filter(|(number, of)| *number >= 1 && number <= of)
            .ok_or_else(|| format!("`{text}` is not a shard: say `K/N` with K from 1 to N, such as `1/8`"))?;
        Ok(Self { number, of })
    }

    /// Whether the account is in this part. By the digits of the account alone (FNV-1a), so that
    /// every account is in exactly one shard whatever list each job was given.
    #[must_use]
    pub fn holds(self, account: &str) -> bool {
        let hash = account.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        // The low bits of FNV repeat with the last digits; folding in the high ones evens it out.
        (hash ^ (hash >> 32)) % u64::from(self.of) == u64::from(self.number - 1)
    }
}

impl std::fmt::Display for Shard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}-of-{}", self.number, self.of)
    }
}

/// What to scan.
#[derive(Clone, Debug)]
pub struct Scope {
    /// Which accounts.
    pub accounts: Accounts,
    /// Which Regions.
    pub regions: Regions,
    /// Which part of the accounts.
    pub shard: Shard,
    /// What to read in each place.
    pub wanted: Wanted,
    /// Which instances.
    pub selection: Selection,
    /// How many places at a time.
    pub concurrency: usize,
    /// Accounts that are left out.
    pub excluded: BTreeSet<String>,
    /// What an earlier run has done.
    pub done: BTreeSet<AccountRegion>,
}

/// The accounts of a scope, page by page: those of the first page are scanned while the next is
/// asked for. Twenty a page at Organizations' pace is a minute for 5,000 accounts.
enum Listing {
    Known(Option<Vec<String>>),
    Organization { client: aws_sdk_organizations::Client, caller: Caller, home: AccountRegion, next: Next },
}

/// Which page comes next.
enum Next {
    First,
    After(String),
    None,
}

impl Listing {
    async fn of(access: &Access, accounts: &Accounts) -> Result<Self, Error> {
        Ok(match accounts {
            Accounts::Own => Self::Known(Some(vec![access.home().account.clone()])),
            Accounts::Listed(accounts) => Self::Known(Some(accounts.clone())),
            Accounts::Organization { listing_role, units } => {
                let member = match listing_role {
                    Some(arn) => access.assume(arn).await.map_err(Error::Call)?,
                    None => access.own(),
                };
                let (client, caller, home) =
                    (member.organizations(), member.caller.clone(), access.home().clone());
                if !units.is_empty() {
                    let accounts = account::accounts_below(&client, &caller, &home, units).await;
                    return Ok(Self::Known(Some(accounts.map_err(Error::Call)?)));
                }
                Self::Organization { client, caller, home, next: Next::First }
            }
        })
    }

    async fn page(&mut self) -> Result<Option<Vec<String>>, Error> {
        match self {
            Self::Known(accounts) => Ok(accounts.take()),
            Self::Organization { client, caller, home, next } => {
                let token = match std::mem::replace(next, Next::None) {
                    Next::First => None,
                    Next::After(token) => Some(token),
                    Next::None => return Ok(None),
                };
                let (accounts, token) =
                    account::organization_page(client, caller, home, token).await.map_err(Error::Call)?;
                *next = token.map_or(Next::None, Next::After);
                Ok(Some(accounts))
            }
        }
    }
}

/// Scans them all. What cannot be reached is recorded as not scanned and stops nothing else.
///
/// # Errors
///
/// Returns an error if the accounts cannot be listed to the end.
pub async fn scan(access: Access, scope: Scope, to: Sender<Event>) -> Result<(), Error> {
    let mut listing = Listing::of(&access, &scope.accounts).await?;
    let permits = Arc::new(Semaphore::new(scope.concurrency.max(1)));
    let job = Arc::new(Job { access, scope, to, permits });
    let mut running = JoinSet::new();
    while let Some(accounts) = listing.page().await? {
        for account in accounts
            .into_iter()
            .filter(|account| job.scope.shard.holds(account) && !job.scope.excluded.contains(account))
        {
            // As many accounts in flight as places: their tasks are made as others end, not all at
            // once.
            while running.len() >= job.scope.concurrency.max(1) {
                running.join_next().await;
            }
            let job = Arc::clone(&job);
            running.spawn(async move { job.account(account).await });
        }
    }
    while running.join_next().await.is_some() {}
    Ok(())
}

struct Job {
    access: Access,
    scope: Scope,
    to: Sender<Event>,
    permits: Arc<Semaphore>,
}

impl Job {
    async fn account(self: Arc<Self>, account: String) {
        let (regions, member) = match self.enter(&account).await {
            Ok(entered) => entered,
            Err((regions, fault)) => {
                self.not_scanned(&account, &regions, &fault).await;
                return;
            }
        };
        let places: Vec<AccountRegion> = regions
            .into_iter()
            .map(|region| AccountRegion { account: account.clone(), region })
            .filter(|place| !self.scope.done.contains(place))
            .collect();
        if self.to.send(Event::AccountRegions(places.len() as u64)).await.is_err() {
            return;
        }
        let asked = Arc::new(self.asked(&account, &member, &places).await);
        let mut running = JoinSet::new();
        for place in places {
            let (job, member, asked) = (Arc::clone(&self), member.clone(), Arc::clone(&asked));
            running.spawn(async move {
                // A closed semaphore cannot be: nobody closes it.
                let Ok(_permit) = job.permits.acquire().await else { return };
                let scope = &job.scope;
                // Nobody listening means that the whole command is ending.
                let _ =
                    region::scan(&member, &place, (&scope.wanted, &scope.selection), &asked, &job.to).await;
            });
        }
        while running.join_next().await.is_some() {}
    }

    /// What the organization says for the account, and the hole that it leaves if that cannot be
    /// read.
    async fn asked(&self, account: &str, member: &Member, places: &[AccountRegion]) -> (Asked, Option<Gap>) {
        let organization = matches!(self.scope.accounts, Accounts::Organization { .. });
        if !organization || !self.scope.wanted.launch_sources || places.is_empty() {
            return (Asked::No, None);
        }
        let home = AccountRegion { account: account.to_owned(), region: self.access.home().region.clone() };
        match account::declared(&member.organizations(), &member.caller, &home).await {
            Ok(declared) => (Asked::Says(declared), None),
            Err(fault) => (Asked::Unknown, Some(fault.gap())),
        }
    }

    /// The account's Regions and its credentials.
    async fn enter(&self, account: &str) -> Result<(Vec<String>, Member), (Vec<String>, Fault)> {
        let listed = match &self.scope.regions {
            Regions::Listed(regions) => regions.clone(),
            Regions::All => Vec::new(),
        };
        let undone = listed.iter().any(|region| {
            !self.scope.done.contains(&AccountRegion { account: account.to_owned(), region: region.clone() })
        });
        if !listed.is_empty() && !undone {
            return Ok((Vec::new(), self.access.own()));
        }
        let member = self.access.member(account).await.map_err(|fault| (listed.clone(), fault))?;
        if !listed.is_empty() {
            return Ok((listed, member));
        }
        let home = AccountRegion { account: account.to_owned(), region: self.access.home().region.clone() };
        let ec2 = member.ec2(&home.region);
        let regions = account::regions(&ec2, &member.caller, &home).await.map_err(|fault| (listed, fault))?;
        Ok((regions.enabled, member))
    }

    async fn not_scanned(&self, account: &str, regions: &[String], fault: &Fault) {
        // Where the Regions are not known either, one record stands for them all.
        let all = ["*".to_owned()];
        let regions = if regions.is_empty() { &all[..] } else { regions };
        let _ = self.to.send(Event::AccountRegions(regions.len() as u64)).await;
        for region in regions {
            let place = AccountRegion { account: account.to_owned(), region: region.clone() };
            let gaps: Vec<Gap> = vec![fault.gap()];
            let _ = self.to.send(Event::Scanned(Scan { place, instances: 0, gaps })).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shards_share_all_accounts_out_evenly() {
        let accounts: Vec<String> = (0..5000).map(|n| format!("{:012}", 100_000_000_000_u64 + n)).collect();
        let mut seen = 0;
        for number in 1..=8 {
            let shard = Shard::parse(&format!("{number}/8")).unwrap();
            let held = accounts.iter().filter(|account| shard.holds(account)).count();
            assert!((500..=750).contains(&held), "shard {number} holds {held}");
            seen += held;
        }
        assert_eq!(seen, accounts.len());
        let whole = Shard::parse("1/1").unwrap();
        assert!(accounts.iter().all(|account| whole.holds(account)));
    }

    #[test]
    fn a_shard_is_k_of_n() {
        for wrong in ["0/2", "3/2", "1", "a/b", "1/0", ""] {
            let error = Shard::parse(wrong).unwrap_err();
            assert!(error.contains("is not a shard: say `K/N`"), "{error}");
        }
        assert_eq!(Shard::parse("2/8").unwrap().to_string(), "2-of-8");
    }
}
