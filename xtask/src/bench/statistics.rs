//! The order of the runs, and what is said about their times.

/// Orders without a pattern, the same in every run of the task: xorshift (Marsaglia, 2003) and
/// Fisher-Yates.
pub(super) struct Shuffle(u64);

impl Shuffle {
    pub(super) fn new() -> Self {
        Self(0x9e37_79b9_7f4a_7c15)
    }

    /// The numbers below `count` in a new order.
    pub(super) fn order(&mut self, count: usize) -> Vec<usize> {
        let mut order: Vec<usize> = (0..count).collect();
        for last in (1..count).rev() {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            let other = usize::try_from(self.0 >> 33).unwrap_or_default() % (last + 1);
            order.swap(last, other);
        }
        order
    }
}

/// What a contender's runs took, in milliseconds.
#[derive(Debug, PartialEq)]
pub(super) struct Summary {
    pub(super) median: f64,
    pub(super) fastest: f64,
    pub(super) nine_in_ten: f64,
}

impl Summary {
    pub(super) fn of(mut times: Vec<f64>) -> Self {
        times.sort_by(f64::total_cmp);
        let at = |index: usize| times.get(index).copied().unwrap_or(f64::NAN);
        let count = times.len();
        Self { median: at(count / 2), fastest: at(0), nine_in_ten: at(count * 9 / 10) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_are_complete_and_differ() {
        let mut shuffle = Shuffle::new();
        let orders: Vec<Vec<usize>> = (0..50).map(|_| shuffle.order(4)).collect();
        for order in &orders {
            let mut sorted = order.clone();
            sorted.sort_unstable();
            assert_eq!(sorted, [0, 1, 2, 3]);
        }
        for first in 0..4 {
            assert!(orders.iter().any(|order| order[0] == first), "{first} never runs first");
        }
    }

    #[test]
    fn a_median_is_no_mean() {
        let summary = Summary::of(vec![5.0, 1.0, 1000.0, 2.0, 3.0]);
        assert_eq!(summary, Summary { median: 3.0, fastest: 1.0, nine_in_ten: 1000.0 });
    }
}
