//! Where the values of one category go.

use std::fmt::Display;

use imds_model::Category;
use imds_model::catalogue::Format;

use crate::base::version::Version;
use crate::tree::{Directory, Leaf};

/// Puts values of one category into the tree, each at the category's path and with its version.
pub(super) struct Sink<'a> {
    root: &'a mut Directory,
    category: Category,
}

impl<'a> Sink<'a> {
    pub(super) const fn new(root: &'a mut Directory, category: Category) -> Self {
        Self { root, category }
    }

    /// The value of a category without labels.
    pub(super) fn text(&mut self, value: impl Into<Vec<u8>>) {
        self.labelled(&[], value);
    }

    /// The value, if there is one; without one, nothing is found.
    pub(super) fn optional(&mut self, value: Option<impl Into<Vec<u8>>>) {
        if let Some(value) = value {
            self.text(value);
        }
    }

    /// One value per line. A list with nothing in it is not found (amazonlinux/amazon-ec2-net-utils
    /// reads it so).
    pub(super) fn lines<T: Display>(&mut self, values: &[T]) {
        if !values.is_empty() {
            self.text(lines(values));
        }
    }

    /// The value of a path of a family: `labels` stand for what is in `<>`, in their order.
    pub(super) fn labelled(&mut self, labels: &[&str], value: impl Into<Vec<u8>>) {
        let leaf = match self.category.format() {
            Format::Opaque => Leaf::binary(value),
            _ => Leaf::new(value),
        };
        self.leaf(labels, leaf);
    }

    /// The same, of a value that is more than bytes.
    pub(super) fn leaf(&mut self, labels: &[&str], leaf: Leaf) {
        let mut labels = labels.iter();
        let mut path = String::new();
        for segment in self.category.path().trim_end_matches('/').split('/') {
            if !path.is_empty() {
                path.push('/');
            }
            path.push_str(match labels.len() {
                0 => segment,
                _ if segment.starts_with('<') => labels.next().copied().unwrap_or(segment),
                _ => segment,
            });
        }
        self.root.put(&path, Version::of(self.category), leaf);
    }
}

/// One text per line, without a newline at the end.
pub(super) fn lines<T: Display>(values: &[T]) -> String {
    values.iter().map(T::to_string).collect::<Vec<_>>().join("\n")
}
