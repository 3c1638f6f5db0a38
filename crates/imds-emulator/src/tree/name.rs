//! The order of names in a directory, looked up without an allocation.

use std::borrow::Borrow;
use std::cmp::Ordering;

/// A name as a key of a map.
#[derive(Clone, Debug)]
pub(super) struct Name(Box<str>);

/// What a map is searched with.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lookup<'a>(pub(super) &'a str);

/// A name, owned or borrowed.
pub(super) trait Key {
    fn name(&self) -> &str;
}

impl Name {
    pub(super) fn new(name: &str) -> Self {
        Self(name.into())
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

impl Key for Name {
    fn name(&self) -> &str {
        &self.0
    }
}

impl Key for Lookup<'_> {
    fn name(&self) -> &str {
        self.0
    }
}

impl<'a> Borrow<dyn Key + 'a> for Name {
    fn borrow(&self) -> &(dyn Key + 'a) {
        self
    }
}

impl Ord for dyn Key + '_ {
    fn cmp(&self, other: &Self) -> Ordering {
        let (one, other) = (self.name(), other.name());
        // Numbers by value and before texts; names of the same value, `1` and `01`, as texts.
        match (number(one), number(other)) {
            (Some(a), Some(b)) => a.cmp(&b).then_with(|| one.cmp(other)),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => one.cmp(other),
        }
    }
}

impl PartialOrd for dyn Key + '_ {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for dyn Key + '_ {
    fn eq(&self, other: &Self) -> bool {
        self.name() == other.name()
    }
}

impl Eq for dyn Key + '_ {}

impl Ord for Name {
    fn cmp(&self, other: &Self) -> Ordering {
        (self as &dyn Key).cmp(other as &dyn Key)
    }
}

impl PartialOrd for Name {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Name {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

impl Eq for Name {}

/// The number that a name is, in decimal digits.
fn number(name: &str) -> Option<u32> {
    // The first byte decides for most names.
    if !name.as_bytes().first()?.is_ascii_digit() || !name.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    name.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn numbers_by_value_then_texts() {
        let mut names = ["b", "10", "1a", "9", "a", "010", ""].map(Name::new);
        names.sort();
        assert_eq!(names.map(|name| name.0.into_string()), ["9", "010", "10", "", "1a", "a", "b"]);
    }

    proptest! {
        #[test]
        fn the_order_is_total(a in "[0-2a]{0,3}", b in "[0-2a]{0,3}", c in "[0-2a]{0,3}") {
            let [a, b, c] = [&a, &b, &c].map(|name| Name::new(name));
            prop_assert_eq!(a.cmp(&b), b.cmp(&a).reverse());
            prop_assert_eq!(a.cmp(&b) == Ordering::Equal, a == b);
            if a <= b && b <= c {
                prop_assert!(a <= c);
            }
        }
    }
}
