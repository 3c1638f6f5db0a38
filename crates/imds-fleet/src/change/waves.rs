//! In what order, and how many at a time: one, 1 %, 10 %, the rest.

use std::collections::BTreeMap;

use super::plan::Change;

/// The numbers of the changes of each wave. Places take turns, so that an early wave touches many of them.
#[must_use]
pub fn waves(changes: &[Change]) -> Vec<Vec<usize>> {
    let mut by_place: BTreeMap<_, Vec<usize>> = BTreeMap::new();
    for (number, change) in changes.iter().enumerate() {
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
    waves
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::change::plan::Target;
    use crate::inventory::options::Options;
    use crate::inventory::resource::Place;

    fn changes(count: usize, places: usize) -> Vec<Change> {
        (0..count)
            .map(|n| Change {
                place: Place {
                    account: format!("{:012}", n * places / count.max(1)),
                    region: "r".to_owned(),
                },
                target: Target::Instance { id: format!("i-{n}") },
                name: None,
                prior: Options::NONE,
                new: Options::NONE,
                usage: None,
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
