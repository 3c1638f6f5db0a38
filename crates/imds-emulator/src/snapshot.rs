//! Snapshots: the tree of a real instance as `imds dump --snapshot` writes it, served as it is.

use std::collections::BTreeMap;
use std::fmt;

/// Every leaf of an instance by path.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Snapshot {
    leaves: BTreeMap<String, Vec<u8>>,
}

impl fmt::Debug for Snapshot {
    /// A snapshot may hold credentials and user data: only its size is shown.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Snapshot({} leaves)", self.leaves.len())
    }
}

impl Snapshot {
    /// A snapshot of these leaves, each with its path: `/latest/meta-data/instance-id`.
    pub fn new(leaves: impl IntoIterator<Item = (String, Vec<u8>)>) -> Self {
        let below_version = |path: String| {
            let path = path.trim_matches('/');
            path.strip_prefix("latest/").unwrap_or(path).to_owned()
        };
        Self { leaves: leaves.into_iter().map(|(path, value)| (below_version(path), value)).collect() }
    }

    /// A leaf's value; the path is counted from below the version.
    #[must_use]
    pub fn get(&self, path: &str) -> Option<&[u8]> {
        self.leaves.get(path).map(Vec::as_slice)
    }

    /// Leaves by path, counted from below the version.
    pub(crate) fn leaves(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.leaves.iter().map(|(path, value)| (path.as_str(), value.as_slice()))
    }
}
