//! Reading a whole tree: what is kept out, what could not be read, and what the end of it is.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use imds::{Client, Error, ErrorKind, MetadataPath, Walk};
use imds_model::Category;
use imds_model::catalogue::{self, Presence};
use regex_lite::Regex;

use crate::exit::Exit;
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
}

/// What of a tree is read.
#[derive(Debug)]
pub(crate) struct Selection {
    /// Only values whose path below the version it matches.
    pub(crate) pattern: Option<Regex>,
    /// Whether secrets are read.
    pub(crate) secrets: bool,
}

#[derive(Debug, Default)]
struct Seen {
    withheld: Vec<MetadataPath>,
    key_names: BTreeMap<String, String>,
}

/// Reads the tree below a path.
pub(crate) fn read(client: &Client, root: &MetadataPath, selection: Selection) -> Result<TreeRead, Failure> {
    let seen = Arc::new(Mutex::new(Seen::default()));
    let shared = seen.clone();
    let walk = client.walk(root)?.filter(move |entry| {
        if entry.is_directory {
            if let Some((index, _)) = entry.name.split_once('=') {
                let mut seen = shared.lock().unwrap_or_else(PoisonError::into_inner);
                seen.key_names.insert(index.to_owned(), entry.name.clone());
            }
            return true;
        }
        if selection.pattern.as_ref().is_some_and(|pattern| !pattern.is_match(&entry.path.below_version())) {
            return false;
        }
        let is_secret = category_of(&entry.path).is_some_and(|category| category.secret());
        if is_secret && !selection.secrets {
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

/// Without the root there is no tree, and no path to tell it from the rest means that nothing could be asked.
fn is_root(error: &Error, root: &MetadataPath) -> bool {
    error.is_token_fetch()
        || error
            .path()
            .is_none_or(|path| path.as_str().trim_end_matches('/') == root.as_str().trim_end_matches('/'))
}

/// Listings name some things that are not there: `metrics/` long after its end, and what no guide mentions.
fn is_absent(error: &Error) -> bool {
    let category = error.path().and_then(category_of);
    error.kind() == ErrorKind::NotFound
        && category.is_some_and(|category| category.presence() == Presence::Retired || !category.documented())
}

impl TreeRead {
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
        if self.failures.is_empty() {
            return Ok(());
        }
        let unreachable = self.failures.iter().any(|error| error.kind() == ErrorKind::Unreachable);
        let exit = if unreachable { Exit::Unreachable } else { Exit::Busy };
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
    Regex::new(text).map_err(|error| format!("it is no regular expression: {error}"))
}
