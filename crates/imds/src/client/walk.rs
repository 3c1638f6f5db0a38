//! Directories and whole trees: what is listed, and every value below a path.

use std::collections::VecDeque;
use std::fmt;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use imds_model::{Category, MetadataPath, catalogue};

use crate::client::blocking::Client;
use crate::client::response::Response;
use crate::error::{Error, ErrorKind};

/// Threads that read a tree: as many as a client may have requests in flight.
pub(crate) const WORKERS: usize = crate::protocol::rate_limit::IN_FLIGHT;
/// Deepest directory that is followed. The deepest known leaf, a private address behind a public one, has eight
/// segments; a listing that goes on for ever must end somewhere.
const DEEPEST: usize = 32;

/// An entry of a directory.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Entry {
    /// The name as it is listed, without a `/` at its end: `ami-id`, `0=my-key`.
    pub name: String,
    /// Where the entry is: `public-keys/0/` for the name `0=my-key`.
    pub path: MetadataPath,
    /// Whether the entry has entries of its own.
    pub is_directory: bool,
}

impl Entry {
    /// What a line of this directory's listing names.
    fn listed(directory: &MetadataPath, line: &str) -> Result<Self, Error> {
        let name = line.strip_suffix('/').unwrap_or(line);
        let is_key_list =
            catalogue::find(directory).is_some_and(|found| found.category == Category::PublicKeysDirectory);
        // `0=my-key` is asked for as `0/` (EC2 User Guide, "Access instance metadata", example of public keys).
        let index = name.split_once('=').map(|(index, _)| index).filter(|_| is_key_list);
        let entry = |segment: &str| {
            directory.child(segment).map_err(|error| {
                let message = format!("directory `{directory}` lists an entry that cannot be");
                Error::new(ErrorKind::Protocol, message).path_context(directory).caused_by(error)
            })
        };
        let path = entry(index.unwrap_or(name))?;
        // The versions and the trees below them are listed without a slash, though they are directories.
        let is_directory = line.ends_with('/') || index.is_some() || catalogue::is_directory(&path);
        let path = if is_directory { entry(&format!("{}/", index.unwrap_or(name)))? } else { path };
        Ok(Self { name: name.to_owned(), path, is_directory })
    }
}

/// What a directory lists, in its order.
pub(crate) fn entries(listing: &Response) -> Result<Vec<Entry>, Error> {
    let lines = listing.lines()?.filter(|line| !line.is_empty());
    lines.map(|line| Entry::listed(listing.path(), line)).collect()
}

/// The path as a directory's, with the trailing slash that some hosts ask for (uswitch/kiam#116).
pub(crate) fn as_directory(path: MetadataPath) -> MetadataPath {
    if path.is_directory() { path } else { format!("{path}/").parse().unwrap_or(path) }
}

pub(crate) type Filter = dyn Fn(&Entry) -> bool + Send + Sync;

/// Every value below a path; see [`Client::walk`]. Nothing is asked before it is iterated.
#[must_use = "nothing is read before the walk is iterated"]
pub struct Walk {
    client: Client,
    root: MetadataPath,
    filter: Option<Box<Filter>>,
}

impl Walk {
    pub(crate) fn new(client: Client, root: MetadataPath) -> Self {
        Self { client, root, filter: None }
    }

    /// Asks only for the entries that this answers `true` for: neither another value nor another directory is
    /// requested. It is called once for each listed entry, on the threads that read.
    pub fn filter(mut self, keep: impl Fn(&Entry) -> bool + Send + Sync + 'static) -> Self {
        self.filter = Some(Box::new(keep));
        self
    }
}

impl fmt::Debug for Walk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Walk").field("root", &self.root).finish_non_exhaustive()
    }
}

impl IntoIterator for Walk {
    type Item = Result<Response, Error>;
    type IntoIter = Leaves;

    fn into_iter(self) -> Leaves {
        let (request, values) = channel();
        let tree = Arc::new(Tree {
            client: self.client,
            filter: self.filter,
            work: Mutex::new(Work { queue: VecDeque::from([beginning(self.root)]), busy: 0, stopped: false }),
            changed: Condvar::new(),
        });
        let mut started = 0;
        for _ in 0..WORKERS {
            let (tree, request) = (tree.clone(), request.clone());
            let worker =
                std::thread::Builder::new().name("imds-walk".into()).spawn(move || tree.work(&request));
            started += usize::from(worker.is_ok());
        }
        if started == 0 {
            let error = Error::new(ErrorKind::Io, "cannot start a thread to read with");
            // The receiver is at hand, so it cannot be gone.
            let _ = request.send(Err(error));
        }
        Leaves { values, tree }
    }
}

/// The values of a [`Walk`], each as soon as it is there and so in no fixed order. An error belongs to its own path
/// ([`Error::path`]) and ends nothing but what is below that.
pub struct Leaves {
    values: Receiver<Result<Response, Error>>,
    tree: Arc<Tree>,
}

impl Iterator for Leaves {
    type Item = Result<Response, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        self.values.recv().ok()
    }
}

impl fmt::Debug for Leaves {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Leaves").finish_non_exhaustive()
    }
}

impl Drop for Leaves {
    /// Requests that are under way end by themselves; no other is begun.
    fn drop(&mut self) {
        self.tree.lock().stopped = true;
        self.tree.changed.notify_all();
    }
}

/// What a listing leads to: paths to ask for, and whether each is a directory.
pub(crate) fn below(
    listing: &Response,
    filter: Option<&Filter>,
) -> Result<impl Iterator<Item = (MetadataPath, bool)> + use<>, Error> {
    if listing.path().as_str().matches('/').count() > DEEPEST {
        let message = format!("directory `{}` is deeper than {DEEPEST} levels", listing.path());
        return Err(Error::new(ErrorKind::Protocol, message).path_context(listing.path()));
    }
    let mut entries = entries(listing)?;
    entries.retain(|entry| filter.is_none_or(|keep| keep(entry)));
    Ok(entries.into_iter().map(|entry| (entry.path, entry.is_directory)))
}

/// Where a walk begins, and whether that is a directory.
pub(crate) fn beginning(root: MetadataPath) -> (MetadataPath, bool) {
    let is_directory = catalogue::is_directory(&root);
    (if is_directory { as_directory(root) } else { root }, is_directory)
}

/// What the threads of a walk share.
struct Tree {
    client: Client,
    filter: Option<Box<Filter>>,
    work: Mutex<Work>,
    changed: Condvar,
}

struct Work {
    /// Paths to ask for, and whether each is a directory.
    queue: VecDeque<(MetadataPath, bool)>,
    /// Directories that are being read, and may bring more paths.
    busy: usize,
    stopped: bool,
}

impl Tree {
    fn lock(&self) -> MutexGuard<'_, Work> {
        self.work.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads until nothing is left and nothing can come any more.
    fn work(&self, values: &Sender<Result<Response, Error>>) {
        while let Some((path, is_directory)) = self.take() {
            let answer = self.client.get(&path);
            let delivered = match answer {
                Ok(listing) if is_directory => {
                    self.descend(&listing).map_or_else(|error| values.send(Err(error)), Ok)
                }
                other => values.send(other),
            };
            if is_directory {
                self.lock().busy -= 1;
                self.changed.notify_all();
            }
            if delivered.is_err() {
                return;
            }
        }
    }

    fn take(&self) -> Option<(MetadataPath, bool)> {
        let mut work = self.lock();
        loop {
            if work.stopped {
                return None;
            }
            if let Some((path, is_directory)) = work.queue.pop_front() {
                work.busy += usize::from(is_directory);
                return Some((path, is_directory));
            }
            if work.busy == 0 {
                return None;
            }
            work = self.changed.wait(work).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn descend(&self, listing: &Response) -> Result<(), Error> {
        let found = below(listing, self.filter.as_deref())?;
        self.lock().queue.extend(found);
        self.changed.notify_all();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(directory: &str, line: &str) -> (String, bool) {
        let entry = Entry::listed(&directory.parse().unwrap(), line).unwrap();
        (entry.path.to_string(), entry.is_directory)
    }

    #[test]
    fn a_line_of_a_listing_is_an_entry() {
        for (directory, line, path, is_directory) in [
            ("/latest/meta-data/", "ami-id", "/latest/meta-data/ami-id", false),
            ("/latest/meta-data/", "network/", "/latest/meta-data/network/", true),
            ("/latest/", "meta-data", "/latest/meta-data/", true),
            ("/latest/", "user-data", "/latest/user-data", false),
            ("/", "2021-03-23", "/2021-03-23/", true),
            ("/latest/meta-data/public-keys/", "0=my-key", "/latest/meta-data/public-keys/0/", true),
            ("/latest/meta-data/tags/instance/", "a=b", "/latest/meta-data/tags/instance/a=b", false),
            ("/latest/meta-data/tags/instance/", "50%", "/latest/meta-data/tags/instance/50%25", false),
            ("/latest/meta-data/new/", "thing/", "/latest/meta-data/new/thing/", true),
        ] {
            assert_eq!(listed(directory, line), (path.to_owned(), is_directory), "{directory}{line}");
        }
    }

    #[test]
    fn a_line_that_names_nothing_is_an_error_with_its_directory() {
        let directory: MetadataPath = "/latest/meta-data/x/".parse().unwrap();
        let error = Entry::listed(&directory, "..").unwrap_err();
        assert_eq!(error.to_string(), "directory `/latest/meta-data/x/` lists an entry that cannot be");
        assert_eq!((error.kind(), error.path()), (ErrorKind::Protocol, Some(&directory)));
    }
}
