//! Reads how the targets of changes are now, as many calls at a time as there are permits: the
//! check before the first wave, the wait after each one, and rollback all read so.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::plan::{Change, Plan, Target};
use super::target::{Current, Targets};
use crate::aws::instances;
use crate::fault::Fault;
use crate::inventory::resource::AccountRegion;

/// How many templates, groups and defaults one task reads, each by calls of its own.
const SINGLE: usize = 10;

/// Changes by their number in the plan.
pub(super) trait Numbered: Send + Sync + 'static {
    /// The change with this number.
    fn change(&self, number: usize) -> Option<&Change>;
}

impl Numbered for Plan {
    fn change(&self, number: usize) -> Option<&Change> {
        self.changes.get(number)
    }
}

impl Numbered for BTreeMap<usize, Change> {
    fn change(&self, number: usize) -> Option<&Change> {
        self.get(&number)
    }
}

/// What the target of each change is now, or none when it is gone.
pub(super) type Found = Vec<(usize, Option<Current>)>;

/// What was read of one account and Region: which changes, and what they are now.
pub(super) type Read = (AccountRegion, Vec<usize>, Result<Found, Fault>);

/// Reads how the targets of these changes are now, by account and Region. If a call of an account
/// and Region fails, nothing is known of it.
pub(super) async fn read<T: Numbered>(
    targets: &Arc<Targets>,
    permits: &Arc<Semaphore>,
    changes: &Arc<T>,
    numbers: impl Iterator<Item = usize>,
) -> Vec<Read> {
    let mut running = JoinSet::new();
    for (place, numbers) in units(&**changes, numbers) {
        let (targets, permits, changes) = (Arc::clone(targets), Arc::clone(permits), Arc::clone(changes));
        running.spawn(async move {
            // A closed semaphore cannot be: nobody closes it.
            let _permit = permits.acquire().await;
            let of: Vec<&Change> = numbers.iter().filter_map(|number| changes.change(*number)).collect();
            let read = targets.current(&place, &of).await;
            let found = read.map(|current| numbers.iter().copied().zip(current).collect::<Found>());
            (place, numbers, found)
        });
    }
    let mut places: BTreeMap<AccountRegion, (Vec<usize>, Result<Found, Fault>)> = BTreeMap::new();
    for (place, numbers, found) in running.join_all().await {
        let (all, read) = places.entry(place).or_insert_with(|| (Vec::new(), Ok(Vec::new())));
        all.extend(numbers);
        match (read, found) {
            (Ok(read), Ok(found)) => read.extend(found),
            (read @ Ok(_), Err(fault)) => *read = Err(fault),
            (Err(_), _) => {}
        }
    }
    let sorted = |(place, (mut numbers, mut read)): (AccountRegion, (Vec<usize>, Result<Found, Fault>))| {
        numbers.sort_unstable();
        if let Ok(found) = &mut read {
            found.sort_unstable_by_key(|(number, _)| *number);
        }
        (place, numbers, read)
    };
    places.into_iter().map(sorted).collect()
}

/// What one task reads: instances of one place in one call, others one by one.
fn units(changes: &impl Numbered, numbers: impl Iterator<Item = usize>) -> Vec<(AccountRegion, Vec<usize>)> {
    let mut by_place: BTreeMap<(&AccountRegion, bool), Vec<usize>> = BTreeMap::new();
    for number in numbers {
        if let Some(change) = changes.change(number) {
            let is_instance = matches!(change.target, Target::Instance { .. });
            by_place.entry((&change.place, is_instance)).or_default().push(number);
        }
    }
    let cut = |((place, is_instance), numbers): ((&AccountRegion, bool), Vec<usize>)| {
        let size = if is_instance { instances::NAMED } else { SINGLE };
        numbers.chunks(size).map(|numbers| (place.clone(), numbers.to_vec())).collect::<Vec<_>>()
    };
    by_place.into_iter().flat_map(cut).collect()
}
