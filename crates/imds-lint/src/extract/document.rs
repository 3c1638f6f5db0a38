//! YAML and JSON documents as one kind of value.

use std::ops::Range;

use super::scalar::Scalar;

/// A value and where it is written.
#[derive(Clone, Debug)]
pub struct Value {
    /// What it is.
    pub kind: ValueKind,
    /// Where.
    pub span: Range<usize>,
    /// Its YAML tag, such as `!Sub`.
    pub tag: Option<String>,
}

/// What a value is.
#[derive(Clone, Debug)]
pub enum ValueKind {
    /// A mapping or object, in order.
    Map(Vec<(Scalar, Value)>),
    /// A sequence or array.
    List(Vec<Value>),
    /// A string, number or other scalar.
    Scalar(Scalar),
    /// Anything else: an alias, nothing.
    Other,
}

impl Value {
    /// The value of a key.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Self> {
        self.entries().iter().find(|(name, _)| name.text == key).map(|(_, value)| value)
    }

    /// The value at the end of a path of keys.
    #[must_use]
    pub fn path(&self, keys: &[&str]) -> Option<&Self> {
        keys.iter().try_fold(self, |value, key| value.get(key))
    }

    /// Its entries, if it is a mapping.
    #[must_use]
    pub fn entries(&self) -> &[(Scalar, Self)] {
        match &self.kind {
            ValueKind::Map(entries) => entries,
            _ => &[],
        }
    }

    /// Its elements, if it is a sequence.
    #[must_use]
    pub fn elements(&self) -> &[Self] {
        match &self.kind {
            ValueKind::List(elements) => elements,
            _ => &[],
        }
    }

    /// Itself, if it is a scalar.
    #[must_use]
    pub fn scalar(&self) -> Option<&Scalar> {
        match &self.kind {
            ValueKind::Scalar(scalar) => Some(scalar),
            _ => None,
        }
    }

    /// Its text, if it is a scalar.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        self.scalar().map(|scalar| scalar.text.as_str())
    }

    /// Calls `visit` for this value and everything in it, with the keys that lead there.
    pub fn walk<'v>(&'v self, keys: &mut Vec<&'v str>, visit: &mut dyn FnMut(&[&'v str], &'v Self)) {
        visit(keys, self);
        for (key, value) in self.entries() {
            keys.push(&key.text);
            value.walk(keys, visit);
            keys.pop();
        }
        for element in self.elements() {
            element.walk(keys, visit);
        }
    }
}
