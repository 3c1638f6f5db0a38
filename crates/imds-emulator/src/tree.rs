//! The tree of values at one point in time: typed leaves and directories, each with the version that brought it.

use std::sync::Arc;

use crate::identity::SignatureKind;
use crate::version::Version;

/// Entries in the order in which a listing shows them.
#[derive(Clone, Debug, Default)]
pub struct Directory {
    entries: Vec<Entry>,
    /// The listing ends with a newline (`dynamic/` and `dynamic/instance-identity/` in captures of 2018 to 2020).
    pub trailing_newline: bool,
    /// The directory itself is not found, yet what lies in it is: `tags/` where tags are switched off
    /// (aws/amazon-ec2-metadata-mock#189).
    pub ghost: bool,
}

#[derive(Clone, Debug)]
struct Entry {
    name: Box<str>,
    /// What a listing shows in place of the name: `0=my-key`.
    listed_as: Option<Box<str>>,
    hidden: bool,
    since: Version,
    /// A value; without one the entry is a directory.
    leaf: Option<Leaf>,
    directory: Directory,
}

/// What a leaf's `Content-Type` says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MediaType {
    /// Every leaf but the user data, JSON ones included (aws/amazon-ec2-metadata-mock#207).
    #[default]
    Text,
    /// User data.
    Binary,
}

/// A value, which may differ between IMDSv1 and IMDSv2 readers (role credentials do).
#[derive(Clone)]
pub struct Leaf {
    value: Arc<[u8]>,
    value_v1: Option<Arc<[u8]>>,
    /// What `Content-Type` says.
    pub media_type: MediaType,
    /// The leaf is this signature of its value, made when it is asked for.
    pub signature: Option<SignatureKind>,
}

impl std::fmt::Debug for Leaf {
    /// A value may be a secret: only its length is shown.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Leaf({} bytes)", self.value.len())
    }
}

impl Leaf {
    /// A value that is the same for every reader.
    pub fn new(value: impl Into<Vec<u8>>) -> Self {
        Self { value: value.into().into(), value_v1: None, media_type: MediaType::Text, signature: None }
    }

    /// A value that IMDSv1 readers see otherwise.
    pub fn by_version(v1: impl Into<Vec<u8>>, v2: impl Into<Vec<u8>>) -> Self {
        Self { value_v1: Some(v1.into().into()), ..Self::new(v2) }
    }

    /// A value of arbitrary bytes.
    pub fn binary(value: impl Into<Vec<u8>>) -> Self {
        Self { media_type: MediaType::Binary, ..Self::new(value) }
    }

    /// A signature of a document.
    pub fn signature(kind: SignatureKind, document: impl Into<Vec<u8>>) -> Self {
        Self { signature: Some(kind), ..Self::new(document) }
    }

    /// The value that this reader sees; of a signature, the document.
    #[must_use]
    pub fn value(&self, with_token: bool) -> &Arc<[u8]> {
        match &self.value_v1 {
            Some(value) if !with_token => value,
            _ => &self.value,
        }
    }
}

/// What a path names at a version.
#[derive(Debug)]
pub enum Found<'a> {
    /// A value.
    Leaf(&'a Leaf),
    /// A directory's listing.
    Listing(String),
}

impl Directory {
    /// Looks the segments up among what the version shows.
    ///
    /// An empty run of segments names this directory itself.
    #[must_use]
    pub fn find<'a>(
        &'a self,
        mut segments: impl Iterator<Item = &'a str>,
        version: Version,
    ) -> Option<Found<'a>> {
        let mut directory = self;
        loop {
            let Some(segment) = segments.next() else {
                return (!directory.ghost).then(|| Found::Listing(directory.listing(version)));
            };
            let entry = directory.entries.iter().find(|entry| &*entry.name == segment)?;
            if entry.since > version {
                return None;
            }
            match &entry.leaf {
                // A child of a leaf does not exist; a trailing slash is no child (aws/amazon-ec2-metadata-mock#81).
                Some(leaf) => return segments.next().is_none().then_some(Found::Leaf(leaf)),
                None => directory = &entry.directory,
            }
        }
    }

    /// One name per line; a directory's name ends with `/`.
    #[must_use]
    pub fn listing(&self, version: Version) -> String {
        let mut text = String::new();
        for entry in self.entries.iter().filter(|entry| !entry.hidden && entry.since <= version) {
            if !text.is_empty() {
                text.push('\n');
            }
            text.push_str(entry.listed_as.as_ref().unwrap_or(&entry.name));
            if entry.listed_as.is_none() && entry.leaf.is_none() {
                text.push('/');
            }
        }
        if self.trailing_newline {
            text.push('\n');
        }
        text
    }

    /// Puts a leaf at this path, making the directories on the way. A leaf in the way becomes a directory.
    pub fn put(&mut self, path: &str, since: Version, leaf: Leaf) {
        let mut segments = path.split('/').filter(|segment| !segment.is_empty()).peekable();
        let mut directory = self;
        while let Some(segment) = segments.next() {
            if segments.peek().is_none() {
                directory.insert(segment, since, leaf);
                return;
            }
            directory = directory.descend(segment, since);
        }
    }

    /// The directory at this path, made where there is none.
    pub fn directory(&mut self, path: &str, since: Version) -> &mut Self {
        let mut directory = self;
        for segment in path.split('/').filter(|segment| !segment.is_empty()) {
            directory = directory.descend(segment, since);
        }
        directory
    }

    /// Takes away what is at this path; `false` where there is nothing. Directories left empty go with it.
    pub fn remove(&mut self, path: &str) -> bool {
        let mut segments = path.split('/').filter(|segment| !segment.is_empty());
        let Some(first) = segments.next() else { return false };
        let rest: Vec<&str> = segments.collect();
        let Some(at) = self.entries.iter().position(|entry| &*entry.name == first) else { return false };
        if rest.is_empty() {
            self.entries.remove(at);
            return true;
        }
        let entry = &mut self.entries[at];
        let removed = entry.directory.remove(&rest.join("/"));
        if removed && entry.directory.entries.is_empty() {
            self.entries.remove(at);
        }
        removed
    }

    /// Shows an entry of this directory under another name in listings.
    pub fn list_as(&mut self, name: &str, shown: &str) {
        if let Some(entry) = self.entries.iter_mut().find(|entry| &*entry.name == name) {
            entry.listed_as = Some(shown.into());
        }
    }

    /// Leaves an entry of this directory out of listings.
    pub fn hide(&mut self, name: &str) {
        if let Some(entry) = self.entries.iter_mut().find(|entry| &*entry.name == name) {
            entry.hidden = true;
        }
    }

    /// Sorts the listing by name; numbers by value, so that `public-keys/` lists 2 before 10.
    pub fn sort(&mut self) {
        self.entries.sort_by(|a, b| match (a.name.parse::<u32>(), b.name.parse::<u32>()) {
            (Ok(a), Ok(b)) => a.cmp(&b),
            _ => a.name.cmp(&b.name),
        });
        for entry in &mut self.entries {
            entry.directory.sort();
        }
    }

    /// Sorts one branch of this directory.
    pub fn sort_below(&mut self, name: &str) {
        if let Some(entry) = self.entries.iter_mut().find(|entry| &*entry.name == name) {
            entry.directory.sort();
        }
    }

    /// Every leaf below with its path from here and the version that brought it, in listing order.
    pub fn leaves<'a>(&'a self, prefix: &str, visit: &mut dyn FnMut(&str, Version, &'a Leaf)) {
        for entry in &self.entries {
            let path = format!("{prefix}{}", entry.name);
            match &entry.leaf {
                Some(leaf) => visit(&path, entry.since, leaf),
                None => entry.directory.leaves(&format!("{path}/"), visit),
            }
        }
    }

    fn descend(&mut self, name: &str, since: Version) -> &mut Self {
        let at = match self.entries.iter().position(|entry| &*entry.name == name) {
            Some(at) => at,
            None => {
                self.push(name, since, None);
                self.entries.len() - 1
            }
        };
        let entry = &mut self.entries[at];
        // A directory is as old as the oldest thing in it.
        entry.since = entry.since.min(since);
        entry.leaf = None;
        &mut entry.directory
    }

    fn insert(&mut self, name: &str, since: Version, leaf: Leaf) {
        match self.entries.iter_mut().find(|entry| &*entry.name == name) {
            Some(entry) => {
                entry.leaf = Some(leaf);
                entry.directory = Self::default();
            }
            None => self.push(name, since, Some(leaf)),
        }
    }

    fn push(&mut self, name: &str, since: Version, leaf: Option<Leaf>) {
        let directory = Self::default();
        self.entries.push(Entry {
            name: name.into(),
            listed_as: None,
            hidden: false,
            since,
            leaf,
            directory,
        });
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
        let find = |path: &str| text(root.find(path.split('/').filter(|s| !s.is_empty()), Version::LATEST));
        assert_eq!(find("meta-data/mac").unwrap(), "02:29:96:8f:6a:2d");
        assert_eq!(find("meta-data").unwrap(), "mac\nplacement/");
        assert_eq!(find("meta-data/placement").unwrap(), "region\navailability-zone");
        assert_eq!(find("meta-data/mac/x"), None);
        assert_eq!(find("nothing"), None);
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
        assert!(root.remove("/meta-data/placement/region"));
        assert!(root.remove("meta-data/placement/availability-zone/"));
        assert_eq!(root.listing(Version::LATEST), "");
    }
}
