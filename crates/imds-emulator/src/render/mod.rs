//! From the instance to the tree: every path, listing and the identity document at one point in
//! time.

mod category;
mod credentials;
mod events;
mod identity;
mod json;
mod sink;

use std::time::Duration;

use imds_model::{CATALOGUE, Category};

use crate::base::path::ValuePath;
use crate::base::profile::Profile;
use crate::base::time::Timestamp;
use crate::base::version::Version;
use crate::files::snapshot::Snapshot;
use crate::instance::{Instance, Lifecycle, RoleCredentials};
use crate::tree::{Directory, Leaf};

use credentials::Generation;
use sink::Sink;

/// What a tree is made from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Source<'a> {
    /// The instance.
    pub(crate) instance: &'a Instance,
    /// The wire profile: a Snowball shows less.
    pub(crate) profile: Profile,
    /// Whether tags are shown.
    pub(crate) tags: bool,
    /// When credentials were first issued.
    pub(crate) credentials_since: Timestamp,
    /// How often credentials were rotated by hand.
    pub(crate) rotations: u64,
    /// The role's credentials, if they come from elsewhere.
    pub(crate) given: Option<&'a RoleCredentials>,
}

/// What the value of a category follows from.
#[derive(Clone, Copy, Debug)]
struct Context<'a> {
    instance: &'a Instance,
    profile: Profile,
    tags: bool,
    rotations: u64,
    given: Option<&'a RoleCredentials>,
    /// The role's current credentials.
    role: Generation,
    /// The instance identity role's.
    identity: Generation,
}

/// How long the instance identity role's credentials last.
const IDENTITY_LIFETIME: Duration = Duration::from_secs(21_600);

impl<'a> Context<'a> {
    fn new(source: Source<'a>, now: Timestamp) -> Self {
        let instance = source.instance;
        let lifetime = instance.role.as_ref().map_or(IDENTITY_LIFETIME, |role| role.lifetime());
        Self {
            instance,
            profile: source.profile,
            tags: source.tags,
            rotations: source.rotations,
            given: source.given,
            role: Generation::at(now, source.credentials_since, lifetime),
            identity: Generation::at(now, source.credentials_since, IDENTITY_LIFETIME),
        }
    }

    /// When a value changes by itself.
    fn until(&self) -> Timestamp {
        if self.profile == Profile::Snowball {
            return Timestamp::NEVER;
        }
        let role = self.instance.role.as_ref().map(|_| self.role.replaced);
        let identity = self.instance.identity_credentials.then_some(self.identity.replaced);
        role.into_iter().chain(identity).min().unwrap_or(Timestamp::NEVER)
    }
}

/// A tree and the time from which it has to be made anew.
#[derive(Clone, Debug)]
pub(crate) struct Tree {
    /// `meta-data/`, `dynamic/` and `user-data`: what lies below a version.
    pub(crate) root: Directory,
    /// When a value in it changes by itself.
    pub(crate) until: Timestamp,
}

/// The tree at `now`.
pub(crate) fn tree(source: Source<'_>, now: Timestamp) -> Tree {
    let context = Context::new(source, now);
    let mut root = Directory::default();
    let shown = |category: &Category| source.profile != Profile::Snowball || category.snowball();
    for category in CATALOGUE.iter().copied().filter(shown) {
        category::put(category, &context, &mut Sink::new(&mut root, category));
    }
    let names = source.instance.public_keys.iter().map(|key| key.name.as_str());
    shape(&mut root, names.enumerate().map(|(index, name)| (index.to_string(), name.to_owned())));
    if !source.tags && source.profile != Profile::Snowball {
        // Switched off: `tags/` is not found, `tags/instance` is there and empty
        // (amazon-ec2-metadata-mock#189).
        let since = Version::of(Category::TagsDirectory);
        let metadata = root.directory("meta-data", Version::FIRST);
        metadata.directory("tags/instance", since);
        metadata.directory("tags", since).ghost = true;
        metadata.hide("tags");
    }
    Tree { root, until: context.until() }
}

/// The tree of a snapshot, with what was announced since on top.
pub(crate) fn snapshot(snapshot: &Snapshot, lifecycle: &Lifecycle) -> Tree {
    let mut root = Directory::default();
    root.directory("dynamic", Version::of(Category::DynamicDataDirectory));
    root.directory("meta-data", Version::FIRST);
    let mut keys = Vec::new();
    for (path, value) in snapshot.leaves() {
        // `public-keys/0=my-key/openssh-key` keeps the key's name, which no path of the service
        // holds.
        let key = path
            .as_str()
            .strip_prefix("meta-data/public-keys/")
            .and_then(|rest| rest.split_once('/')?.0.split_once('='));
        match key {
            Some((index, name)) => {
                keys.push((index.to_owned(), name.to_owned()));
                put(&mut root, &format!("meta-data/public-keys/{index}/openssh-key"), value);
            }
            None => put_value(&mut root, path, value),
        }
    }
    let announced = Instance { lifecycle: lifecycle.clone(), ..Instance::default() };
    for category in [
        Category::RebalanceRecommendation,
        Category::SpotInstanceAction,
        Category::SpotTerminationTime,
        Category::AutoScalingTargetLifecycleState,
    ] {
        events::put(category, &announced, &mut Sink::new(&mut root, category));
    }
    shape(&mut root, keys.into_iter());
    Tree { root, until: Timestamp::NEVER }
}

/// Puts a value that a user gave at a path.
pub(crate) fn put_value(root: &mut Directory, path: &ValuePath, value: &[u8]) {
    put(root, path.as_str(), value);
}

fn put(root: &mut Directory, path: &str, value: &[u8]) {
    let leaf = if path == Category::UserData.path() { Leaf::binary(value) } else { Leaf::new(value) };
    root.put(path, Version::of_path(path), leaf);
}

/// What listings show otherwise than names in their order. `keys` are the public keys by index.
fn shape(root: &mut Directory, keys: impl Iterator<Item = (String, String)>) {
    // Directories, but their names have no slash behind.
    root.list_as("dynamic", "dynamic");
    root.list_as("meta-data", "meta-data");
    let dynamic = root.directory("dynamic", Version::of(Category::DynamicDataDirectory));
    // Both listings ended with a newline in captures of 2018 and 2020.
    dynamic.trailing_newline = true;
    let identity = dynamic.directory("instance-identity", Version::of(Category::InstanceIdentityDirectory));
    identity.trailing_newline = true;
    // The order of the EC2 User Guide's listing.
    identity.listed_first = &["rsa2048", "pkcs7", "document", "signature", "dsa2048"];
    let metadata = root.directory("meta-data", Version::FIRST);
    // Found, but in no listing that was captured.
    metadata.hide("managed-ssh-keys");
    if let Some(iam) = metadata.find_directory("iam") {
        iam.hide("security-credentials-extended");
    }
    for (index, name) in keys {
        let listed = format!("{index}={name}");
        metadata.directory("public-keys", Version::FIRST).list_as(&index, &listed);
    }
}
