//! The tree of values at one point in time: typed leaves and directories, each with the version
//! that brought it.

mod leaf;
mod name;

use std::collections::BTreeMap;

pub(crate) use leaf::{Leaf, MediaType};

use crate::base::version::Version;
use name::{Key, Lookup, Name};

/// Entries by name; numbers come first and by value, so that `public-keys/` lists 2 before 10.
#[derive(Clone, Debug, Default)]
pub(crate) struct Directory {
    entries: BTreeMap<Name, Entry>,
    /// Names that a listing shows first, in this order.
    pub(crate) listed_first: &'static [&'static str],
    /// The listing ends with a newline (`dynamic/` and `dynamic/instance-identity/` in captures of
    /// 2018 to 2020).
    pub(crate) trailing_newline: bool,
    /// The directory itself is not found, yet what lies in it is: `tags/` while tags are switched
    /// off (aws/amazon-ec2-metadata-mock#189).
    pub(crate) ghost: bool,
}

#[derive(Clone, Debug)]
struct Entry {
    /// What a listing shows instead of the name: `0=my-key`.
    listed_as: Option<Box<str>>,
    hidden: bool,
    since: Version,
    /// A value; without one the entry is a directory.
    leaf: Option<Leaf>,
    directory: Directory,
}

/// What a path names at a version.
#[derive(Debug)]
pub(crate) enum Found<'a> {
    /// A value.
    Leaf(&'a Leaf),
    /// A directory's listing.
    Listing(String),
}

impl Directory {
    /// Looks the segments up among what the version shows.
    ///
    /// An empty run of segments names this directory itself.
    pub(crate) fn find<'a>(
        &'a self,
        mut segments: impl Iterator<Item = &'a str>,
        version: Version,
    ) -> Option<Found<'a>> {
        let mut directory = self;
        loop {
            let Some(segment) = segments.next() else {
                return (!directory.ghost).then(|| Found::Listing(directory.listing(version)));
            };
            let entry = directory.get(segment)?;
            if entry.since > version {
                return None;
            }
            match &entry.leaf {
                // A child of a leaf does not exist; a trailing slash is not a child
                // (aws/amazon-ec2-metadata-mock#81).
                Some(leaf) => return segments.next().is_none().then_some(Found::Leaf(leaf)),
                None => directory = &entry.directory,
            }
        }
    }

    /// One name per line; a directory's name ends with `/`.
    pub(crate) fn listing(&self, version: Version) -> String {
        let mut text = String::new();
        let mut line = |name: &str, entry: &Entry| {
            if entry.hidden || entry.since > version {
                return;
            }
            if !text.is_empty() {
                text.push('\n');
            }
            text.push_str(entry.listed_as.as_deref().unwrap_or(name));
            if entry.listed_as.is_none() && entry.leaf.is_none() {
                text.push('/');
            }
        };
        for name in self.listed_first {
            if let Some(entry) = self.get(name) {
                line(name, entry);
            }
        }
        for (name, entry) in &self.entries {
            if !self.listed_first.contains(&name.as_str()) {
                line(name.as_str(), entry);
            }
        }
        if self.trailing_newline {
            text.push('\n');
        }
        text
    }

    /// Puts a leaf at this path, making the directories on the way. A leaf in the way becomes a
    /// directory.
    pub(crate) fn put(&mut self, path: &str, since: Version, leaf: Leaf) {
        match path.rsplit_once('/') {
            Some((directory, name)) => self.directory(directory, since).insert(name, since, leaf),
            None => self.insert(path, since, leaf),
        }
    }

    /// The directory at this path, made if there is none.
    pub(crate) fn directory(&mut self, path: &str, since: Version) -> &mut Self {
        path.split('/').fold(self, |directory, name| directory.descend(name, since))
    }

    /// A directory in this one, if there is one of this name.
    pub(crate) fn find_directory(&mut self, name: &str) -> Option<&mut Self> {
        self.get_mut(name).filter(|entry| entry.leaf.is_none()).map(|entry| &mut entry.directory)
    }

    /// Removes what is at this path; `false` if there is nothing. Directories left empty go with
    /// it.
    pub(crate) fn remove(&mut self, path: &str) -> bool {
        let Some((first, rest)) = path.split_once('/') else {
            return self.entries.remove(&Lookup(path) as &dyn Key).is_some();
        };
        let Some(entry) = self.get_mut(first) else { return false };
        let removed = entry.directory.remove(rest);
        if removed && entry.directory.entries.is_empty() {
            self.entries.remove(&Lookup(first) as &dyn Key);
        }
        removed
    }

    /// Shows an entry of this directory under another name in listings.
    pub(crate) fn list_as(&mut self, name: &str, shown: &str) {
        if let Some(entry) = self.get_mut(name) {
            entry.listed_as = Some(shown.into());
        }
    }

    /// Leaves an entry of this directory out of listings.
    pub(crate) fn hide(&mut self, name: &str) {
        if let Some(entry) = self.get_mut(name) {
            entry.hidden = true;
        }
    }

    /// Every leaf below with its path from here, in the order of the names.
    pub(crate) fn leaves<'a>(&'a self, prefix: &str, visit: &mut dyn FnMut(&str, &'a Leaf)) {
        for (name, entry) in &self.entries {
            let path = format!("{prefix}{}", name.as_str());
            match &entry.leaf {
                Some(leaf) => visit(&path, leaf),
                None => entry.directory.leaves(&format!("{path}/"), visit),
            }
        }
    }

    fn get(&self, name: &str) -> Option<&Entry> {
        self.entries.get(&Lookup(name) as &dyn Key)
    }

    fn get_mut(&mut self, name: &str) -> Option<&mut Entry> {
        self.entries.get_mut(&Lookup(name) as &dyn Key)
    }

    fn descend(&mut self, name: &str, since: Version) -> &mut Self {
        let entry = self.entries.entry(Name::new(name)).or_insert_with(|| Entry::new(since));
        // A directory is as old as the oldest thing in it.
        entry.since = entry.since.min(since);
        entry.leaf = None;
        &mut entry.directory
    }

    fn insert(&mut self, name: &str, since: Version, leaf: Leaf) {
        let entry = self.entries.entry(Name::new(name)).or_insert_with(|| Entry::new(since));
        entry.leaf = Some(leaf);
        entry.directory = Self::default();
    }
}

impl Entry {
    fn new(since: Version) -> Self {
        Self { listed_as: None, hidden: false, since, leaf: None, directory: Directory::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(text: &str) -> Version {
        Version::addressed(text).unwrap()
    }

    fn sample() -> Directory {
        let mut root = Directory::default();
        root.put("meta-data/mac", Version::FIRST, Leaf::new("02:29:96:8f:6a:2d"));
        root.put("meta-data/placement/region", version("2020-10-27"), Leaf::new("eu-west-1"));
        root.put("meta-data/placement/availability-zone", version("2008-02-01"), Leaf::new("eu-west-1a"));
        root
    }

    fn text(found: Option<Found<'_>>) -> Option<String> {
        found.map(|found| match found {
            Found::Leaf(leaf) => String::from_utf8_lossy(leaf.value(true)).into_owned(),
            Found::Listing(listing) => listing,
        })
    }

    #[test]
    fn leaves_and_listings() {
        let root = sample();
        let find = |path: &str| text(root.find(path.split('/'), Version::LATEST));
        assert_eq!(find("meta-data/mac").unwrap(), "02:29:96:8f:6a:2d");
        assert_eq!(find("meta-data").unwrap(), "mac\nplacement/");
        assert_eq!(find("meta-data/placement").unwrap(), "availability-zone\nregion");
        assert_eq!(find("meta-data/mac/x"), None);
        assert_eq!(find("nothing"), None);
    }

    #[test]
    fn names_of_a_fixed_order_come_first() {
        let mut root = sample();
        root.directory("meta-data/placement", Version::FIRST).listed_first = &["region"];
        let listing = text(root.find("meta-data/placement".split('/'), Version::LATEST)).unwrap();
        assert_eq!(listing, "region\navailability-zone");
    }

    #[test]
    fn later_entries_are_hidden_from_earlier_versions() {
        let root = sample();
        let old = version("2016-09-02");
        assert_eq!(
            text(root.find(["meta-data", "placement"].into_iter(), old)).unwrap(),
            "availability-zone"
        );
        assert_eq!(text(root.find(["meta-data", "placement", "region"].into_iter(), old)), None);
        let first = Version::FIRST;
        assert_eq!(text(root.find(["meta-data"].into_iter(), first)).unwrap(), "mac");
    }

    #[test]
    fn removal_takes_empty_directories_along() {
        let mut root = sample();
        assert!(root.remove("meta-data/mac"));
        assert!(!root.remove("meta-data/mac"));
        assert!(root.remove("meta-data/placement/region"));
        assert!(root.remove("meta-data/placement/availability-zone"));
        assert_eq!(root.listing(Version::LATEST), "");
    }
}
