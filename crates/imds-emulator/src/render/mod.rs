//! From the instance to the tree: every path, listing and the identity document at one point in time.

mod credentials;
mod events;
mod identity;
mod json;
mod network;

use std::fmt::Display;
use std::time::Duration;

use crate::identity::SignatureKind;
use crate::instance::Instance;
use crate::profile::Profile;
use crate::snapshot::Snapshot;
use crate::state::version_of;
use crate::time::Timestamp;
use crate::tree::{Directory, Leaf};
use crate::version::Version;

use credentials::Generation;

/// What a tree is made from.
#[derive(Clone, Copy, Debug)]
pub struct Source<'a> {
    /// The instance.
    pub instance: &'a Instance,
    /// The wire profile: a Snowball shows less.
    pub profile: Profile,
    /// Whether tags are shown.
    pub tags: bool,
    /// When credentials were first issued.
    pub credentials_since: Timestamp,
    /// How often credentials were rotated by hand.
    pub rotations: u64,
}

/// A tree and the time from which it has to be made anew.
#[derive(Clone, Debug)]
pub struct Tree {
    /// `meta-data/`, `dynamic/` and `user-data`: what lies below a version.
    pub root: Directory,
    /// When a value in it changes by itself.
    pub until: Timestamp,
}

/// `meta-data/` while it is filled.
struct Branch<'a>(&'a mut Directory);

impl Branch<'_> {
    fn put(&mut self, path: &str, since: Version, value: impl Into<Vec<u8>>) {
        self.0.put(path, since, Leaf::new(value));
    }
}

/// One text per line, without a newline at the end.
fn lines<T: Display>(values: &[T]) -> String {
    values.iter().map(T::to_string).collect::<Vec<_>>().join("\n")
}

/// The tree at `now`.
#[must_use]
pub fn tree(source: Source<'_>, now: Timestamp) -> Tree {
    let instance = source.instance;
    let mut root = Directory::default();
    dynamic(&mut root, source);
    let mut until = Timestamp::NEVER;
    let metadata = root.directory("meta-data", Version::FIRST);
    let mut branch = Branch(metadata);
    if source.profile == Profile::Snowball {
        snowball(&mut branch, instance);
    } else {
        basics(&mut branch, instance);
        for interface in &instance.interfaces {
            network::interface(&mut branch, instance, interface);
        }
        events::put(&mut branch, instance);
        until = until.min(roles(&mut branch, source, now));
        tags(&mut branch, source);
    }
    metadata.sort();
    for (index, key) in instance.public_keys.iter().enumerate() {
        let index = index.to_string();
        let keys = metadata.directory("public-keys", Version::FIRST);
        keys.list_as(&index, &format!("{index}={}", key.name));
    }
    metadata.hide("managed-ssh-keys");
    // No slash after these two, although they are directories.
    root.list_as("dynamic", "dynamic");
    root.list_as("meta-data", "meta-data");
    if let Some(data) = &instance.user_data {
        root.put("user-data", Version::FIRST, Leaf::binary(data.0.clone()));
    }
    Tree { root, until }
}

/// The tree of a snapshot, with what was announced since on top.
#[must_use]
pub(crate) fn snapshot(snapshot: &Snapshot, instance: &Instance) -> Tree {
    let mut root = Directory::default();
    root.directory("dynamic", Version::FIRST).trailing_newline = true;
    root.directory("meta-data", Version::FIRST);
    let mut keys = Vec::new();
    for (path, value) in snapshot.leaves() {
        // `public-keys/0=my-key/openssh-key` keeps the key's name, which no path of the service holds.
        let key = path
            .strip_prefix("meta-data/public-keys/")
            .and_then(|rest| rest.split_once('/')?.0.split_once('='));
        let path = match key {
            Some((index, name)) => {
                keys.push((index.to_owned(), name.to_owned()));
                format!("meta-data/public-keys/{index}/openssh-key")
            }
            None => path.to_owned(),
        };
        let leaf = if path == "user-data" { Leaf::binary(value) } else { Leaf::new(value) };
        root.put(&path, version_of(&path), leaf);
    }
    let metadata = root.directory("meta-data", Version::FIRST);
    let lifecycle = Instance { lifecycle: instance.lifecycle.clone(), ..Instance::default() };
    events::put_lifecycle(&mut Branch(metadata), &lifecycle);
    metadata.sort();
    for (index, name) in keys {
        let listed = format!("{index}={name}");
        metadata.directory("public-keys", Version::FIRST).list_as(&index, &listed);
    }
    root.list_as("dynamic", "dynamic");
    root.list_as("meta-data", "meta-data");
    Tree { root, until: Timestamp::NEVER }
}

/// Leaves of `meta-data/` that need no other part. The dates are those of the EC2 User Guide, "Instance metadata
/// categories".
fn basics(branch: &mut Branch<'_>, instance: &Instance) {
    let first = Version::FIRST;
    branch.put("ami-id", first, instance.ami_id.as_str());
    branch.put("ami-launch-index", first, instance.ami_launch_index.to_string());
    branch.put("ami-manifest-path", first, instance.ami_manifest_path.as_str());
    if !instance.ancestor_ami_ids.is_empty() {
        branch.put("ancestor-ami-ids", Version::released(2007, 10, 10), lines(&instance.ancestor_ami_ids));
    }
    for (name, device) in &instance.block_devices {
        branch.put(&format!("block-device-mapping/{name}"), Version::released(2007, 12, 15), device.as_str());
    }
    branch.put("instance-action", Version::released(2008, 9, 1), instance.instance_action.as_str());
    branch.put("instance-id", first, instance.instance_id.as_str());
    branch.put("instance-life-cycle", Version::released(2019, 10, 1), instance.instance_life_cycle.as_str());
    branch.put("instance-type", Version::released(2007, 8, 29), instance.instance_type.as_str());
    if let Some(id) = &instance.kernel_id {
        branch.put("kernel-id", Version::released(2008, 2, 1), id.as_str());
    }
    if let Some(id) = &instance.ramdisk_id {
        branch.put("ramdisk-id", Version::released(2007, 10, 10), id.as_str());
    }
    if let Some(interface) = instance.interfaces.first() {
        branch.put("hostname", first, interface.local_hostname.as_str());
        branch.put("local-hostname", Version::released(2007, 1, 19), interface.local_hostname.as_str());
        branch.put("mac", Version::released(2011, 1, 1), interface.mac.as_str());
        branch.put("security-groups", first, lines(&interface.security_groups));
        if let Some(address) = interface.local_ipv4s.first() {
            branch.put("local-ipv4", first, address.to_string());
        }
        if let Some(address) = interface.ipv6s.first() {
            branch.put("ipv6", Version::released(2021, 1, 3), address.to_string());
        }
        if let Some(name) = &interface.public_hostname {
            branch.put("public-hostname", Version::released(2007, 1, 19), name.as_str());
        }
        if let Some(association) = interface.ipv4_associations.first() {
            branch.put("public-ipv4", Version::released(2007, 1, 19), association.public_ipv4.to_string());
        }
    }
    // Documented as no longer available, yet `metrics/` stands in every listing (captures of 2024 to 2026); what
    // the leaf holds is unknown, so it holds an empty document.
    branch.put(
        "metrics/vhostmd",
        Version::released(2011, 5, 1),
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>",
    );
    placement(branch, instance);
    if !instance.product_codes.is_empty() {
        branch.put("product-codes", Version::released(2007, 3, 1), lines(&instance.product_codes));
    }
    branch.put("profile", first, instance.profile.as_str());
    branch.put("reservation-id", first, instance.reservation_id.as_str());
    branch.put("services/domain", Version::released(2014, 2, 25), instance.services.domain.as_str());
    branch.put("services/partition", Version::released(2015, 10, 20), instance.services.partition.as_str());
    if let Some(system) = &instance.system {
        branch.put("system", Version::released(2022, 9, 24), system.as_str());
    }
    for (index, key) in instance.public_keys.iter().enumerate() {
        branch.put(&format!("public-keys/{index}/openssh-key"), first, key.openssh_key.as_str());
    }
    for (user, keys) in &instance.managed_ssh_keys {
        branch.put(&format!("managed-ssh-keys/active-keys/{user}"), first, keys.as_str());
    }
}

fn placement(branch: &mut Branch<'_>, instance: &Instance) {
    let placement = &instance.placement;
    let v2020_08_24 = Version::released(2020, 8, 24);
    branch.put(
        "placement/availability-zone",
        Version::released(2008, 2, 1),
        placement.availability_zone.as_str(),
    );
    if let Some(id) = &placement.availability_zone_id {
        branch.put("placement/availability-zone-id", Version::released(2019, 10, 1), id.as_str());
    }
    branch.put("placement/region", v2020_08_24, placement.region.as_str());
    if let Some(name) = &placement.group_name {
        branch.put("placement/group-name", v2020_08_24, name.as_str());
    }
    if let Some(id) = &placement.host_id {
        branch.put("placement/host-id", v2020_08_24, id.as_str());
    }
    if let Some(number) = placement.partition_number {
        branch.put("placement/partition-number", v2020_08_24, number.to_string());
    }
}

/// `iam/` and `identity-credentials/`; answers when the next credentials take the place of these.
fn roles(branch: &mut Branch<'_>, source: Source<'_>, now: Timestamp) -> Timestamp {
    let mut until = Timestamp::NEVER;
    let instance = source.instance;
    if let Some(role) = &instance.role {
        let lifetime = Duration::from_secs(role.lifetime_seconds.into());
        let generation = Generation::at(now, source.credentials_since, lifetime);
        until = until.min(generation.replaced);
        let since = Version::released(2012, 1, 12);
        let issued = generation.issued.to_string();
        let profile = role.instance_profile_name.as_ref().unwrap_or(&role.name);
        let arn = format!(
            "arn:{}:iam::{}:instance-profile/{profile}",
            instance.services.partition, instance.account_id
        );
        let info = json::object(&[
            ("Code", "Success".into()),
            ("LastUpdated", (&issued).into()),
            ("InstanceProfileArn", (&arn).into()),
            ("InstanceProfileId", (&role.instance_profile_id).into()),
        ]);
        branch.put("iam/info", since, info);
        let leaf = Leaf::by_version(
            credentials::role(role, generation, source.rotations, false),
            credentials::role(role, generation, source.rotations, true),
        );
        branch.0.put(&format!("iam/security-credentials/{}", role.name), since, leaf);
    }
    if instance.identity_credentials {
        let generation = Generation::at(now, source.credentials_since, Duration::from_secs(21_600));
        until = until.min(generation.replaced);
        let since = Version::released(2018, 5, 23);
        let issued = generation.issued.to_string();
        let info = json::object(&[
            ("Code", "Success".into()),
            ("LastUpdated", (&issued).into()),
            ("AccountId", (&instance.account_id).into()),
        ]);
        branch.put("identity-credentials/ec2/info", since, info);
        let leaf = Leaf::by_version(
            credentials::identity(generation, false),
            credentials::identity(generation, true),
        );
        branch.0.put("identity-credentials/ec2/security-credentials/ec2-instance", since, leaf);
    }
    until
}

fn tags(branch: &mut Branch<'_>, source: Source<'_>) {
    let since = Version::released(2021, 3, 23);
    if source.tags {
        for (key, value) in &source.instance.tags {
            branch.put(&format!("tags/instance/{key}"), since, value.as_str());
        }
    } else {
        // Switched off: `tags/` is not found, `tags/instance` is there and empty (amazon-ec2-metadata-mock#189).
        branch.0.directory("tags/instance", since);
        branch.0.directory("tags", since).ghost = true;
        branch.0.hide("tags");
    }
}

/// What a Snowball Edge shows (AWS Snowball Edge Developer Guide, "Supported instance metadata").
fn snowball(branch: &mut Branch<'_>, instance: &Instance) {
    let first = Version::FIRST;
    branch.put("ami-id", first, instance.ami_id.as_str());
    branch.put("instance-id", first, instance.instance_id.as_str());
    branch.put("instance-type", first, instance.instance_type.as_str());
    branch.put("reservation-id", first, instance.reservation_id.as_str());
    if let Some(interface) = instance.interfaces.first() {
        branch.put("hostname", first, interface.local_hostname.as_str());
        branch.put("local-hostname", first, interface.local_hostname.as_str());
        branch.put("mac", first, interface.mac.as_str());
        let macs = format!("network/interfaces/macs/{}", interface.mac);
        branch.put(&format!("{macs}/local-hostname"), first, interface.local_hostname.as_str());
        branch.put(&format!("{macs}/mac"), first, interface.mac.as_str());
        branch.put(&format!("{macs}/local-ipv4s"), first, lines(&interface.local_ipv4s));
        if let Some(address) = interface.local_ipv4s.first() {
            branch.put("local-ipv4", first, address.to_string());
        }
        if let Some(association) = interface.ipv4_associations.first() {
            branch.put("public-ipv4", first, association.public_ipv4.to_string());
            branch.put(&format!("{macs}/public-ipv4s"), first, association.public_ipv4.to_string());
        }
    }
    for (index, key) in instance.public_keys.iter().enumerate() {
        branch.put(&format!("public-keys/{index}/openssh-key"), first, key.openssh_key.as_str());
    }
}

fn dynamic(root: &mut Directory, source: Source<'_>) {
    let since = Version::released(2009, 4, 4);
    if source.profile != Profile::Snowball {
        let monitoring = if source.instance.monitoring { "enabled" } else { "disabled" };
        root.put("dynamic/fws/instance-monitoring", since, Leaf::new(monitoring));
    }
    let document = identity::document(source.instance, source.profile);
    let put = |root: &mut Directory, name: &str, leaf| {
        root.put(&format!("dynamic/instance-identity/{name}"), since, leaf);
    };
    // The order of the EC2 User Guide's listing. It names `dsa2048` too, which nobody has read
    // (taskcluster/taskcluster); it is left out.
    if source.profile != Profile::Snowball {
        put(root, "rsa2048", Leaf::signature(SignatureKind::Rsa2048, document.as_str()));
        let pkcs7 = SignatureKind::pkcs7_of(&source.instance.placement.region);
        put(root, "pkcs7", Leaf::signature(pkcs7, document.as_str()));
    }
    put(root, "document", Leaf::new(document.as_str()));
    if source.profile != Profile::Snowball {
        put(root, "signature", Leaf::signature(SignatureKind::Signature, document.as_str()));
    }
    // Both listings ended with a newline in captures of 2018 and 2020.
    root.directory("dynamic/instance-identity", since).trailing_newline = true;
    root.directory("dynamic", since).trailing_newline = true;
}
