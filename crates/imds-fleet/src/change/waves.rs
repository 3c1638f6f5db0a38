//! In what order, and how many at a time: one, 1 %, 10 %, the rest; enforcement last of all.

use std::collections::BTreeMap;

use imds_model::options::Switch;

use super::plan::Change;

/// The numbers of the changes of each wave. Places take turns, so that an early wave touches many
/// of them. Enforcement takes the rollback, so it waits until all else has stood its test, in a
/// wave of its own.
#[must_use]
pub fn waves(changes: &[Change]) -> Vec<Vec<usize>> {
    let mut by_place: BTreeMap<_, Vec<usize>> = BTreeMap::new();
    let mut last = Vec::new();
    for (number, change) in changes.iter().enumerate() {
        if change.http_tokens_enforced.is_some_and(|it| it.new == Switch::Enabled) {
            last.push(number);
            continue;
        }
        by_place.entry(&change.place).or_default().push(number);
    }
    let mut turns = Vec::with_capacity(changes.len());
    let longest = by_place.values().map(Vec::len).max().unwrap_or(0);
    for turn in 0..longest {
        turns.extend(by_place.values().filter_map(|numbers| numbers.get(turn)).copied());
    }
    let total = turns.len();
    let ends = [total.min(1), total.div_ceil(100), total.div_ceil(10), total];
    let mut waves = Vec::new();
    let mut start = 0;
    for end in ends {
        if end > start {
            waves.push(turns[start..end].to_vec());
            start = end;
        }
    }
    if !last.is_empty() {
        waves.push(last);
    }
    waves
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::change::plan::{Enforcement, Target};
    use crate::inventory::options::Options;
    use crate::inventory::resource::AccountRegion;

    fn changes(count: usize, places: usize) -> Vec<Change> {
        (0..count)
            .map(|n| Change {
                place: AccountRegion {
                    account: format!("{:012}", n * places / count.max(1)),
                    region: "r".to_owned(),
                },
                target: Target::Instance { id: format!("i-{n}") },
                name: None,
                prior: Options::NONE,
                new: Options::NONE,
                http_tokens_enforced: None,
                usage: None,
                used_by: Vec::new(),
            })
            .collect()
    }

    #[test]
    fn one_then_a_hundredth_then_a_tenth_then_all() {
        let sizes = |count| waves(&changes(count, 1)).iter().map(Vec::len).collect::<Vec<_>>();
        assert_eq!(sizes(1000), [1, 9, 90, 900]);
        assert_eq!(sizes(50), [1, 4, 45]);
        assert_eq!(sizes(2), [1, 1]);
        assert_eq!(sizes(1), [1]);
        assert_eq!(sizes(0), [0_usize; 0]);
    }

    #[test]
    fn enforcement_waits_for_all_else() {
        let mut changes = changes(30, 3);
        changes[0].http_tokens_enforced = Some(Enforcement { prior: None, new: Switch::Enabled });
        changes[1].http_tokens_enforced = Some(Enforcement { prior: None, new: Switch::Disabled });
        let waves = waves(&changes);
        assert_eq!(waves.last(), Some(&vec![0]));
        assert_eq!(waves.concat().len(), 30);
    }

    #[test]
    fn every_change_once_and_places_take_turns() {
        let changes = changes(100, 4);
        let waves = waves(&changes);
        let mut all: Vec<usize> = waves.concat();
        let early: std::collections::BTreeSet<_> =
            all[..4].iter().map(|number| &changes[*number].place.account).collect();
        assert_eq!(early.len(), 4);
        all.sort_unstable();
        assert_eq!(all, (0..100).collect::<Vec<_>>());
    }
}
