//! Reading a whole tree: what is kept out, what could not be read, and what the end of it is.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use imds::{Client, Error, ErrorKind, MetadataPath, Walk};
use imds_model::Category;
use imds_model::catalogue::{self, Presence};
use regex_lite::{Regex, RegexBuilder};

use crate::exit::Exit;
use crate::progress::Progress;
use crate::render::Leaf;
use crate::report::{self, Failure};

/// A tree, as far as it could be read.
#[derive(Debug, Default)]
pub(crate) struct TreeRead {
    /// The values, in the order of their paths.
    pub(crate) leaves: Vec<Leaf>,
    /// Secrets that were not asked for, in the order of their paths.
    pub(crate) withheld: Vec<MetadataPath>,
    /// The names under which launch keys are listed, by index.
    pub(crate) key_names: BTreeMap<String, String>,
    /// What could not be read.
    pub(crate) failures: Vec<Error>,
    /// Why the walk was stopped before its end.
    stopped: Option<Failure>,
}

/// What of a tree is read.
#[derive(Debug)]
pub(crate) struct Selection {
    /// Only values whose path below the version it matches.
    pub(crate) pattern: Option<Regex>,
    /// Whether secrets are read.
    pub(crate) secrets: bool,
    /// Most levels below the root.
    pub(crate) depth: usize,
}

/// Most entries of a tree. An instance with every category, fifteen interfaces and fifty tags has
/// under a thousand.
const MOST_ENTRIES: usize = 20_000;
/// Deepest tree. The service nests eight levels; a listing that lists itself has no end.
const DEEPEST: usize = 12;

/// Counts what a walk meets, and stops it where no real service goes.
#[derive(Clone, Debug)]
pub(crate) struct Bounds {
    root: usize,
    entries: Arc<AtomicUsize>,
    too_deep: Arc<AtomicBool>,
}

impl Bounds {
    pub(crate) fn of(root: &MetadataPath) -> Self {
        Self { root: segments(root), entries: Arc::default(), too_deep: Arc::default() }
    }

    /// Whether the walk may take this entry in.
    pub(crate) fn admit(&self, path: &MetadataPath) -> bool {
        if segments(path) > DEEPEST {
            self.too_deep.store(true, Ordering::Relaxed);
            return false;
        }
        self.entries.fetch_add(1, Ordering::Relaxed) < MOST_ENTRIES
    }

    /// The number of levels that a path is below the root.
    pub(crate) fn level(&self, path: &MetadataPath) -> usize {
        segments(path).saturating_sub(self.root)
    }

    /// The failure of a walk that was stopped.
    pub(crate) fn outcome(&self) -> Result<(), Failure> {
        let refused = |what: String| {
            Failure::told(Exit::Unexpected, format!("cannot read the whole tree: {what}"))
                .hint("name a directory below it, or use `imds list`")
        };
        if self.entries.load(Ordering::Relaxed) > MOST_ENTRIES {
            return Err(refused(format!("it has more than {MOST_ENTRIES} entries")));
        }
        if self.too_deep.load(Ordering::Relaxed) {
            return Err(refused(format!("it is deeper than {DEEPEST} levels")));
        }
        Ok(())
    }
}

fn segments(path: &MetadataPath) -> usize {
    path.as_str().split('/').filter(|segment| !segment.is_empty()).count()
}

/// Whether the value of a path must be left out unless it was asked for by name.
pub(crate) fn is_secret(path: &MetadataPath) -> bool {
    path.is_secret()
}

#[derive(Debug, Default)]
struct Seen {
    withheld: Vec<MetadataPath>,
    key_names: BTreeMap<String, String>,
}

/// Reads the tree below a path.
pub(crate) fn read(
    client: &Client,
    root: &MetadataPath,
    selection: Selection,
    progress: &Progress,
) -> Result<TreeRead, Failure> {
    let seen = Arc::new(Mutex::new(Seen::default()));
    let bounds = Bounds::of(root);
    let (shared, counted, ticker) = (seen.clone(), bounds.clone(), progress.ticker());
    let walk = client.walk(root)?.filter(move |entry| {
        ticker.tick();
        let level = counted.level(&entry.path);
        if !counted.admit(&entry.path) || level > selection.depth {
            return false;
        }
        if entry.is_directory {
            if let Some((index, _)) = entry.name.split_once('=') {
                let mut seen = shared.lock().unwrap_or_else(PoisonError::into_inner);
                seen.key_names.insert(index.to_owned(), entry.name.clone());
            }
            return level < selection.depth;
        }
        if selection.pattern.as_ref().is_some_and(|pattern| !pattern.is_match(&entry.path.below_version())) {
            return false;
        }
        if !selection.secrets && is_secret(&entry.path) {
            shared.lock().unwrap_or_else(PoisonError::into_inner).withheld.push(entry.path.clone());
            return false;
        }
        true
    });
    let mut tree = collect(walk, root)?;
    let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
    tree.withheld = std::mem::take(&mut seen.withheld);
    tree.key_names = std::mem::take(&mut seen.key_names);
    tree.withheld.sort();
    tree.stopped = bounds.outcome().err();
    Ok(tree)
}

/// What a walk brings. A failure of the root itself is the command's.
pub(crate) fn collect(walk: Walk, root: &MetadataPath) -> Result<TreeRead, Failure> {
    let mut tree = TreeRead::default();
    for result in walk {
        match result {
            Ok(response) => tree.leaves.push(response.into()),
            Err(error) if is_root(&error, root) => return Err(error.into()),
            Err(error) if is_absent(&error) => {}
            Err(error) => tree.failures.push(error),
        }
    }
    tree.leaves.sort_by(|a, b| a.path.cmp(&b.path));
    tree.failures.sort_by(|a, b| a.path().cmp(&b.path()));
    Ok(tree)
}

fn category_of(path: &MetadataPath) -> Option<Category> {
    catalogue::find(path).map(|found| found.category)
}

/// Without the root there is no tree, and no path to tell it from the rest means that nothing could
/// be asked.
fn is_root(error: &Error, root: &MetadataPath) -> bool {
    error.is_token_fetch()
        || error
            .path()
            .is_none_or(|path| path.as_str().trim_end_matches('/') == root.as_str().trim_end_matches('/'))
}

/// Listings name some things that are not there: `metrics/` long after its end, and what no guide
/// mentions.
fn is_absent(error: &Error) -> bool {
    let category = error.path().and_then(category_of);
    error.kind() == ErrorKind::NotFound
        && category.is_some_and(|category| category.presence() == Presence::Retired || !category.documented())
}

impl TreeRead {
    /// Whether everything was read.
    pub(crate) fn is_whole(&self) -> bool {
        self.failures.is_empty() && self.stopped.is_none()
    }

    /// Tells what was kept out.
    pub(crate) fn note_withheld(&self) {
        if !self.withheld.is_empty() {
            let paths: Vec<String> = self.withheld.iter().map(|path| format!("`{path}`")).collect();
            report::note(&format_args!(
                "left out as secret, `--show-secrets` prints them: {}",
                paths.join(", ")
            ));
        }
    }

    /// What could not be read, as the failure that the command ends with.
    pub(crate) fn outcome(self) -> Result<(), Failure> {
        if let Some(stopped) = self.stopped {
            return Err(stopped);
        }
        if self.failures.is_empty() {
            return Ok(());
        }
        // What a later run may find differently comes first; then what somebody has to change.
        let exits: Vec<Exit> = self.failures.iter().map(|error| Exit::from(error.kind())).collect();
        let first =
            [Exit::Unreachable, Exit::Busy, Exit::Refused].into_iter().find(|exit| exits.contains(exit));
        let exit = first.unwrap_or(Exit::Unexpected);
        Err(Failure::Several { exit, errors: self.failures })
    }
}

/// Tells what a pinned schema version does not show.
pub(crate) fn note_pin(root: &MetadataPath) {
    let hidden: Vec<&str> = imds::hidden_by(root.version()).map(|category| category.path()).collect();
    let version = root.version();
    if !version.is_empty() && !hidden.is_empty() {
        report::note(&format_args!(
            "version `{version}` does not show what came later: {}",
            hidden.join(", ")
        ));
    }
}

/// A regular expression of the command line.
pub(crate) fn pattern(text: &str) -> Result<Regex, String> {
    // Far more than a person writes; what needs more takes seconds on a short text.
    const LARGEST_PROGRAM: usize = 256 * 1024;
    RegexBuilder::new(text)
        .size_limit(LARGEST_PROGRAM)
        .build()
        .map_err(|error| format!("it is not a regular expression: {error}"))
}
