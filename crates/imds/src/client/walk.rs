//! Directories and whole trees: what a directory lists, and every value below a path.

use std::collections::VecDeque;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use imds_model::{Category, MetadataPath, PathError, catalogue};

use crate::client::blocking::Client;
use crate::client::response::Response;
use crate::error::{Error, ErrorKind};

/// Threads that read a tree: as many as a client may have requests in flight.
pub(crate) const WORKERS: usize = crate::protocol::rate_limit::IN_FLIGHT;
/// Deepest directory that is followed. The deepest known leaf, a private address behind a public
/// one, has eight segments; an endless listing must end somewhere.
const DEEPEST: usize = 32;
/// Most entries of one walk. An instance with fifteen interfaces has about a thousand.
const MOST_ENTRIES: usize = 20_000;

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
    /// Whether the entry is, or lies below, a secret: [`MetadataPath::is_secret`]. A secret is
    /// never a directory.
    pub is_secret: bool,
}

impl Entry {
    /// Returns the entry that line `number` of this directory's listing names.
    fn listed(directory: &MetadataPath, number: usize, line: &str) -> Result<Self, Error> {
        let name = line.strip_suffix('/').unwrap_or(line);
        let is_key_list =
            catalogue::find(directory).is_some_and(|found| found.category == Category::PublicKeysDirectory);
        // `0=my-key` is requested as `0/` (EC2 User Guide, "Access instance metadata", example of
        // public keys).
        let index = name.split_once('=').map(|(index, _)| index).filter(|_| is_key_list);
        // The line is never quoted: a service that answers with the credentials themselves instead
        // of their names would have them shown.
        let wrong = || {
            let message = format!("line {number} of the listing of `{directory}` is not a name");
            Error::new(ErrorKind::Protocol, message).path_context(directory)
        };
        if directory.lists_secrets() && !is_role_name(name) {
            return Err(wrong());
        }
        let entry = |segment: &str| directory.child(segment).map_err(|_| wrong());
        let path = entry(index.unwrap_or(name))?;
        let is_secret = path.is_secret();
        // The versions and the trees below them are listed without a slash, though they are
        // directories. A secret is never read as a directory, however it is listed.
        let is_directory =
            !is_secret && (line.ends_with('/') || index.is_some() || catalogue::is_directory(&path));
        let path = if is_directory { entry(&format!("{}/", index.unwrap_or(name)))? } else { path };
        Ok(Self { name: name.to_owned(), path, is_directory, is_secret })
    }
}

/// Returns whether the text can be the name of a role or of a document beside it (IAM User Guide,
/// "IAM and AWS STS quotas": letters, digits and `+=,.@_-`, at most 64).
fn is_role_name(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"+=,.@_-".contains(&byte);
    (1..=64).contains(&text.len()) && text.bytes().all(fits)
}

/// Returns the entries that a listing names, in its order.
pub(crate) fn entries(listing: &Response) -> Result<Vec<Entry>, Error> {
    let lines = listing.lines()?.enumerate().filter(|(_, line)| !line.is_empty());
    lines.map(|(at, line)| Entry::listed(listing.path(), at + 1, line)).collect()
}

/// Returns the path as a directory's, with the trailing slash that some hosts ask for
/// (uswitch/kiam#116).
///
/// # Errors
/// Returns an error if the path holds a secret: such a value is never read as a listing.
pub(crate) fn directory(path: MetadataPath) -> Result<MetadataPath, Error> {
    if path.is_secret() {
        let message = format!("`{path}` holds a secret value and is not a directory");
        return Err(Error::new(ErrorKind::Path, message).path_context(&path));
    }
    Ok(as_directory(path))
}

fn as_directory(path: MetadataPath) -> MetadataPath {
    if path.is_directory() { path } else { format!("{path}/").parse().unwrap_or(path) }
}

pub(crate) type Filter = dyn Fn(&Entry) -> bool + Send + Sync;

/// Every value below a path; see [`Client::walk`]. Nothing is requested before it is iterated.
#[must_use = "nothing is read before the walk is iterated"]
pub struct Walk {
    client: Client,
    root: MetadataPath,
    filter: Option<Box<Filter>>,
}

impl Client {
    /// Returns what a directory lists.
    ///
    /// ```
    /// # let emulator = imds_emulator::Emulator::builder().start()?;
    /// # let imds = imds::Client::builder().endpoint(emulator.endpoint()).no_store().build()?;
    /// let keys = imds.list("public-keys")?;
    /// assert_eq!(keys[0].name, "0=my-key");
    /// assert_eq!(keys[0].path.as_str(), "/latest/meta-data/public-keys/0/");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// Returns an error as [`get`](Self::get) does, and [`ErrorKind::Protocol`] if a line of the
    /// listing cannot be the name of an entry.
    pub fn list<P>(&self, path: P) -> Result<Vec<Entry>, Error>
    where
        P: TryInto<MetadataPath>,
        PathError: From<P::Error>,
    {
        let path = directory(path.try_into().map_err(PathError::from)?)?;
        entries(&self.get::<MetadataPath>(path)?)
    }

    /// Reads every value below a path, each exactly once, on a few threads within the rate limit.
    ///
    /// ```
    /// # let emulator = imds_emulator::Emulator::builder().start()?;
    /// # let imds = imds::Client::builder().endpoint(emulator.endpoint()).no_store().build()?;
    /// let mut zones = 0;
    /// let wanted = |entry: &imds::Entry| entry.name.starts_with("availability");
    /// for leaf in imds.walk("placement")?.filter(wanted) {
    ///     let leaf = leaf?;
    ///     zones += 1;
    ///     println!("{} = {}", leaf.path(), leaf.text()?);
    /// }
    /// assert_eq!(zones, 2);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// Returns [`ErrorKind::Path`] if the text is no path. Errors of the reads themselves come out
    /// of the iteration.
    pub fn walk<P>(&self, path: P) -> Result<Walk, Error>
    where
        P: TryInto<MetadataPath>,
        PathError: From<P::Error>,
    {
        Ok(Walk::new(self.clone(), path.try_into().map_err(PathError::from)?))
    }
}

impl Walk {
    pub(crate) fn new(client: Client, root: MetadataPath) -> Self {
        Self { client, root, filter: None }
    }

    /// Requests only the entries that the function returns `true` for. It is called once for each
    /// listed entry, on the threads that read.
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
        let (root, is_directory) = beginning(self.root);
        let tree = Arc::new(Tree {
            client: self.client.within_deadline(),
            filter: self.filter,
            root: root.clone(),
            work: Mutex::new(Work { queue: VecDeque::from([(root, is_directory)]), ..Work::default() }),
            changed: Condvar::new(),
        });
        let mut started = 0;
        for _ in 0..WORKERS {
            let tree = tree.clone();
            let worker = std::thread::Builder::new().name("imds-walk".into()).spawn(move || tree.work());
            started += usize::from(worker.is_ok());
        }
        if started == 0 {
            let mut work = tree.lock();
            work.queue.clear();
            work.values.push_back(Err(Error::new(ErrorKind::Io, "cannot start a thread to read with")));
        }
        Leaves { tree }
    }
}

/// The values of a [`Walk`], each as soon as it is there and so in no fixed order.
///
/// An error belongs to its own path ([`Error::path`]) and ends nothing but what is below that. A
/// listed entry that answers 404 is gone, and is left out; so is a directory.
pub struct Leaves {
    tree: Arc<Tree>,
}

impl Iterator for Leaves {
    type Item = Result<Response, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut work = self.tree.lock();
        loop {
            if let Some(value) = work.values.pop_front() {
                return Some(value);
            }
            if work.is_over() {
                return None;
            }
            work = self.tree.changed.wait(work).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl fmt::Debug for Leaves {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Leaves").finish_non_exhaustive()
    }
}

impl Drop for Leaves {
    /// Requests that are under way end by themselves; no other begins.
    fn drop(&mut self) {
        self.tree.lock().stopped = true;
        self.tree.changed.notify_all();
    }
}

/// Returns the paths to request for a listing, and whether each is a directory.
pub(crate) fn below(
    listing: &Response,
    filter: Option<&Filter>,
    listed_before: usize,
) -> Result<Vec<(MetadataPath, bool)>, Error> {
    let wrong = |message: String| Error::new(ErrorKind::Protocol, message).path_context(listing.path());
    if listing.path().as_str().matches('/').count() > DEEPEST {
        return Err(wrong(format!("directory `{}` is deeper than {DEEPEST} levels", listing.path())));
    }
    let mut entries = entries(listing)?;
    if entries.len() + listed_before > MOST_ENTRIES {
        let message =
            format!("the tree lists more than {MOST_ENTRIES} entries, the last in `{}`", listing.path());
        return Err(wrong(message));
    }
    entries.retain(|entry| filter.is_none_or(|keep| keep(entry)));
    Ok(entries.into_iter().map(|entry| (entry.path, entry.is_directory)).collect())
}

/// Returns where a walk begins, and whether that is a directory.
pub(crate) fn beginning(root: MetadataPath) -> (MetadataPath, bool) {
    let is_directory = !root.is_secret() && catalogue::is_directory(&root);
    (if is_directory { as_directory(root) } else { root }, is_directory)
}

/// What the threads of a walk share.
struct Tree {
    client: Client,
    filter: Option<Box<Filter>>,
    root: MetadataPath,
    work: Mutex<Work>,
    changed: Condvar,
}

#[derive(Default)]
struct Work {
    /// Paths to request, and whether each is a directory.
    queue: VecDeque<(MetadataPath, bool)>,
    /// Results that the iterator has not returned yet.
    values: VecDeque<Result<Response, Error>>,
    /// Requests under way. One of a directory may bring more paths.
    reading: usize,
    /// Entries listed so far.
    listed: usize,
    stopped: bool,
}

impl Work {
    fn is_over(&self) -> bool {
        self.reading == 0 && self.queue.is_empty()
    }
}

impl Tree {
    fn lock(&self) -> MutexGuard<'_, Work> {
        self.work.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads until nothing is left and nothing can come any more.
    fn work(&self) {
        while let Some((path, is_directory)) = self.take() {
            // The caller's filter runs in here. A panic in it must neither end the walk early, as
            // if that were all, nor leave the iterator waiting.
            let read = catch_unwind(AssertUnwindSafe(|| self.read(&path, is_directory)));
            let value = read.unwrap_or_else(|_| {
                let message = format!("the filter of the walk panicked at the listing of `{path}`");
                Some(Err(Error::new(ErrorKind::Io, message).path_context(&path)))
            });
            let mut work = self.lock();
            work.reading -= 1;
            work.values.extend(value);
            drop(work);
            self.changed.notify_all();
        }
    }

    fn read(&self, path: &MetadataPath, is_directory: bool) -> Option<Result<Response, Error>> {
        match self.client.get(path) {
            Ok(listing) if is_directory => self.descend(&listing).err().map(Err),
            Err(error) if is_gone(&error, &self.root) => None,
            other => Some(other),
        }
    }

    fn take(&self) -> Option<(MetadataPath, bool)> {
        let mut work = self.lock();
        loop {
            if work.stopped {
                return None;
            }
            if let Some(next) = work.queue.pop_front() {
                work.reading += 1;
                return Some(next);
            }
            if work.is_over() {
                return None;
            }
            work = self.changed.wait(work).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn descend(&self, listing: &Response) -> Result<(), Error> {
        let listed = self.lock().listed;
        let found = below(listing, self.filter.as_deref(), listed)?;
        let mut work = self.lock();
        work.listed += found.len();
        work.queue.extend(found);
        drop(work);
        self.changed.notify_all();
        Ok(())
    }
}

/// Returns whether the error says that a listed entry is no longer there: a detached interface
/// stays listed in `macs/` (aws/amazon-vpc-cni-k8s#1008).
pub(crate) fn is_gone(error: &Error, root: &MetadataPath) -> bool {
    error.kind() == ErrorKind::NotFound && error.path() != Some(root)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(directory: &str, line: &str) -> (String, bool) {
        let entry = Entry::listed(&directory.parse().unwrap(), 1, line).unwrap();
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
    fn a_secret_is_never_a_directory() {
        for (directory, line, path) in [
            ("iam/security-credentials/", "web/", "/latest/meta-data/iam/security-credentials/web"),
            (
                "iam/security-credentials-extended/",
                "web/",
                "/latest/meta-data/iam/security-credentials-extended/web",
            ),
            ("iam/", "new/", "/latest/meta-data/iam/new"),
            ("/latest/", "user-data/", "/latest/user-data"),
        ] {
            let entry = Entry::listed(&directory.parse().unwrap(), 1, line).unwrap();
            assert_eq!((entry.path.as_str(), entry.is_directory, entry.is_secret), (path, false, true));
        }
    }

    #[test]
    fn a_line_that_is_not_a_name_is_an_error_that_does_not_quote_it() {
        for (directory, line) in [
            ("/latest/meta-data/x/", ".."),
            ("/latest/meta-data/x/", "a/../../user-data"),
            ("/latest/meta-data/iam/security-credentials/", r#"  "SecretAccessKey" : "wJalrXUtnFEMI","#),
            ("/latest/meta-data/iam/security-credentials-extended/", "{"),
        ] {
            let directory: MetadataPath = directory.parse().unwrap();
            let error = Entry::listed(&directory, 7, line).unwrap_err();
            assert_eq!(error.to_string(), format!("line 7 of the listing of `{directory}` is not a name"));
            assert_eq!((error.kind(), error.path()), (ErrorKind::Protocol, Some(&directory)));
            assert!(std::error::Error::source(&error).is_none());
        }
    }

    #[test]
    fn a_secret_is_never_listed() {
        let error = directory("iam/security-credentials/web/".parse().unwrap()).unwrap_err();
        assert_eq!(
            error.to_string(),
            "`/latest/meta-data/iam/security-credentials/web/` holds a secret value and is not a directory"
        );
        assert!(!beginning("user-data/".parse().unwrap()).1);
    }
}
