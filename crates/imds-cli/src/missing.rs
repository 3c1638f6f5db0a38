//! What to say of a path that does not exist: the path that was probably meant.

use imds::{Client, ErrorKind, MetadataPath};
use imds_model::{CATALOGUE, catalogue, printable, well_known};

use crate::report::Failure;
use crate::suggest;

/// Names that people know from elsewhere, from the AWS CLI and from other clouds, and the path of
/// the value. Case and separators do not count.
const OTHER_NAMES: [(&str, &str); 57] = [
    ("account", "account-id"),
    ("account-number", "account-id"),
    ("ami", "ami-id"),
    ("asg", "tags/instance/aws:autoscaling:groupName"),
    ("asg-name", "tags/instance/aws:autoscaling:groupName"),
    ("auto-scaling-group", "tags/instance/aws:autoscaling:groupName"),
    ("availability-zone", "placement/availability-zone"),
    ("az-id", "placement/availability-zone-id"),
    ("credentials", "iam/security-credentials/"),
    ("document", "dynamic/instance-identity/document"),
    ("eip", "public-ipv4"),
    ("elastic-ip", "public-ipv4"),
    ("eni", "network/interfaces/macs/@primary/interface-id"),
    ("eni-id", "network/interfaces/macs/@primary/interface-id"),
    ("fqdn", "local-hostname"),
    ("iam-role", "role"),
    ("id", "instance-id"),
    ("identity", "dynamic/instance-identity/document"),
    ("image-id", "ami-id"),
    ("instance", "instance-id"),
    ("instance-profile", "iam/info"),
    ("instance-profile-arn", "iam/info"),
    ("interruption", "spot/instance-action"),
    ("ip", "local-ipv4"),
    ("ip-address", "local-ipv4"),
    ("ipv4", "local-ipv4"),
    ("key", "public-keys/0/openssh-key"),
    ("lifecycle", "autoscaling/target-lifecycle-state"),
    ("lifecycle-state", "autoscaling/target-lifecycle-state"),
    ("local-ip", "local-ipv4"),
    ("mac-address", "mac"),
    ("macs", "network/interfaces/macs/"),
    ("maintenance", "events/maintenance/scheduled"),
    ("name", "tags/instance/Name"),
    ("network-interface-id", "network/interfaces/macs/@primary/interface-id"),
    ("private-dns", "local-hostname"),
    ("private-dns-name", "local-hostname"),
    ("private-ip", "local-ipv4"),
    ("private-ip-address", "local-ipv4"),
    ("private-ipv4", "local-ipv4"),
    ("public-dns", "public-hostname"),
    ("public-dns-name", "public-hostname"),
    ("public-ip", "public-ipv4"),
    ("public-ip-address", "public-ipv4"),
    ("rebalance", "events/recommendations/rebalance"),
    ("role-name", "role"),
    ("security-group-id", "network/interfaces/macs/@primary/security-group-ids"),
    ("sg", "security-groups"),
    ("spot", "spot/instance-action"),
    ("spot-interruption", "spot/instance-action"),
    ("ssh-key", "public-keys/0/openssh-key"),
    ("subnet", "network/interfaces/macs/@primary/subnet-id"),
    ("subnet-cidr", "network/interfaces/macs/@primary/subnet-ipv4-cidr-block"),
    ("type", "instance-type"),
    ("vpc", "vpc-id"),
    ("vpc-cidr", "network/interfaces/macs/@primary/vpc-ipv4-cidr-block"),
    ("zone", "placement/availability-zone"),
];

/// The command line in which a path was mistyped, so that advice repeats it.
#[derive(Clone, Debug)]
pub(crate) struct Typed {
    /// What stands in front of the path: `get `, `env NAME=`.
    before: String,
    /// What stands behind it.
    behind: &'static str,
    takes: Takes,
}

/// What a command takes for a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Takes {
    /// Paths and short names.
    Names,
    /// Paths.
    Paths,
    /// Directories.
    Directories,
}

impl Typed {
    /// A subcommand that takes paths.
    pub(crate) fn by(subcommand: &str, takes: Takes) -> Self {
        Self { before: format!("{subcommand} "), behind: "", takes }
    }

    /// A subcommand that takes `NAME=PATH`, and what stands behind.
    pub(crate) fn variable(subcommand: &str, name: Option<&str>, behind: &'static str) -> Self {
        let name = name.map(|name| format!("{name}=")).unwrap_or_default();
        Self { before: format!("{subcommand} {name}"), behind, takes: Takes::Names }
    }

    fn did_you_mean(&self, meant: &str) -> String {
        let short = crate::shortcuts::NAMES.iter().find(|short| short.name == meant);
        let path = match short {
            Some(short) if self.takes != Takes::Names => short.path,
            _ => meant,
        };
        let quoted = crate::render::shell::word(&printable::brief(path)).to_string();
        if self.takes == Takes::Directories && !path.ends_with('/') {
            return format!("did you mean `imds get {quoted}`?");
        }
        format!("did you mean `imds {}{quoted}{}`?", self.before, self.behind)
    }
}

/// Adds advice to the failure of a path that does not exist, as `hint:` lines. May list a directory
/// that holds names of the user's own, such as tag keys; a failure of that is left out, since one
/// error is reported already.
pub(crate) fn explain(
    client: &Client,
    typed: &Typed,
    written: &str,
    path: &MetadataPath,
    failure: Failure,
) -> Failure {
    match failure {
        Failure::Imds { error, hints } if error.kind() == ErrorKind::NotFound && hints.is_empty() => {
            Failure::Imds { hints: advice(client, typed, written, path), error }
        }
        other => other,
    }
}

fn advice(client: &Client, typed: &Typed, written: &str, path: &MetadataPath) -> Vec<String> {
    if let Some(hints) = of_own_names(client, typed, path) {
        return hints;
    }
    if catalogue::find(path).is_some() {
        // Spelled right: this instance has no such value, or this version.
        let is_pinned = path.version() != "latest";
        return if is_pinned {
            vec!["`imds list /` shows the versions that exist".to_owned()]
        } else {
            Vec::new()
        };
    }
    meant(written).map(|meant| typed.did_you_mean(&meant)).into_iter().collect()
}

/// Refuses a path that the catalogue does not hold, for a command that would wait for it in
/// silence. Spelled in full, from `meta-data/` on, every path is taken.
pub(crate) fn refuse_unknown(verb: &str, typed: &Typed, written: &str) -> Result<(), Failure> {
    let first = written.split('/').next().unwrap_or_default();
    let is_in_full = written.contains('/')
        && (first.starts_with(|first: char| first.is_ascii_digit())
            || ["", "latest", "meta-data", "dynamic"].contains(&first));
    if is_in_full || is_known(written) {
        return Ok(());
    }
    let shown = printable::brief(written);
    let kinds = if verb == "watch" { "neither an event nor a known path" } else { "not a known path" };
    let failure = Failure::usage(format!("cannot {verb} `{shown}`: it is {kinds}"));
    Err(match meant(written) {
        Some(meant) => failure.hint(typed.did_you_mean(&meant)),
        None => failure.hint(format!("write `meta-data/{shown}` to {verb} that path all the same")),
    })
}

/// Returns the path that was probably meant by a word that is none.
pub(crate) fn meant(written: &str) -> Option<String> {
    let typed = written.trim_matches('/');
    // `/user-data` and `/meta-data/x` are how systemd and some SDKs spell paths.
    let below = ["latest/meta-data/", "meta-data/", "latest/"]
        .iter()
        .find_map(|prefix| typed.strip_prefix(prefix))
        .unwrap_or(typed);
    if below != written && is_known(below) {
        return Some(below.to_owned());
    }
    let other = OTHER_NAMES.iter().find(|(name, _)| suggest::is_same(name, below));
    if let Some((_, path)) = other {
        return Some((*path).to_owned());
    }
    if let Some(short) = crate::shortcuts::NAMES.iter().find(|short| suggest::is_same(short.name, below)) {
        // Spelled as a path, a short name is none.
        return Some(if short.path.contains('@') { short.name } else { short.path }.to_owned());
    }
    if let Some(("tag" | "tags" | "Tags" | "Tag", key)) = below.split_once('/') {
        let key = key.rsplit('/').next().unwrap_or_default();
        return (!key.is_empty()).then(|| format!("tags/instance/{key}"));
    }
    if let Some(of_interface) = of_interface(below) {
        return Some(of_interface);
    }
    let known =
        || CATALOGUE.iter().filter(|category| !category.has_labels()).map(|category| short(category.path()));
    if let Some(near) = suggest::nearest(below, known()) {
        return Some(near.to_owned());
    }
    // The last segment alone: `availability-zone` for `placement/availability-zone`.
    let last = below.rsplit('/').next().unwrap_or_default();
    let same_name = known().find(|path| name_of(path).eq_ignore_ascii_case(last));
    same_name
        .or_else(|| {
            let near = suggest::nearest(last, known().map(name_of))?;
            known().find(|path| name_of(path) == near)
        })
        .map(str::to_owned)
        .or_else(|| {
            let near = suggest::nearest(last, interface_names())?;
            Some(format!("{INTERFACES}@primary/{near}"))
        })
}

const INTERFACES: &str = "network/interfaces/macs/";

/// What the service holds of each network interface.
fn interface_names() -> impl Iterator<Item = &'static str> {
    let paths = CATALOGUE.iter().map(|category| short(category.path()));
    paths
        .filter_map(|path| path.strip_prefix(INTERFACES)?.strip_prefix("<mac>/"))
        .filter(|name| !name.is_empty())
}

/// A name of an interface that is spelled nearly right, behind its MAC address.
fn of_interface(below: &str) -> Option<String> {
    let (mac, name) = below.strip_prefix(INTERFACES)?.split_once('/')?;
    let near = suggest::nearest(name, interface_names())?;
    Some(format!("{INTERFACES}{mac}/{near}"))
}

fn name_of(path: &'static str) -> &'static str {
    path.trim_end_matches('/').rsplit('/').next().unwrap_or_default()
}

/// A name that is listed by the service itself: a tag key, a role.
fn of_own_names(client: &Client, typed: &Typed, path: &MetadataPath) -> Option<Vec<String>> {
    let below = path.below_version();
    let (directory, name) = ["meta-data/tags/instance/", "meta-data/iam/security-credentials/"]
        .iter()
        .find_map(|directory| Some((*directory, below.strip_prefix(directory)?)))?;
    if name.is_empty() {
        return None;
    }
    let directory_path: MetadataPath = format!("/{}/{directory}", path.version()).parse().ok()?;
    let listing = client.list(&directory_path).ok()?;
    let near = suggest::nearest(name, listing.iter().map(|entry| entry.name.as_str()));
    let short = directory.strip_prefix("meta-data/")?;
    Some(match near {
        Some(near) => vec![typed.did_you_mean(&format!("{short}{near}"))],
        None => vec![format!("`imds list {short}` shows the names that exist")],
    })
}

/// Whether the catalogue holds the path; `user-data` and the like stand for themselves.
pub(crate) fn is_known(text: &str) -> bool {
    if text.is_empty() || text.contains(char::is_whitespace) {
        return false;
    }
    let path: Result<MetadataPath, _> = text.parse();
    path.is_ok_and(|path| path.as_str() != well_known::TOKEN_PATH && catalogue::find(&path).is_some())
}

fn short(path: &'static str) -> &'static str {
    path.strip_prefix("meta-data/").filter(|rest| !rest.is_empty()).unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_meant() {
        for (written, expected) in [
            ("instanceid", "instance-id"),
            ("InstanceId", "instance-id"),
            ("meta-data/region", "placement/region"),
            ("/latest/meta-data/az", "placement/availability-zone"),
            ("availability-zone", "placement/availability-zone"),
            ("public-ip", "public-ipv4"),
            ("userdata", "user-data"),
            ("user_data", "user-data"),
            ("/instance-id", "instance-id"),
            ("/meta-data/instance-id", "instance-id"),
            ("/user-data", "user-data"),
            ("latest/region", "placement/region"),
            ("placment/region", "placement/region"),
            ("ami_id", "ami-id"),
            ("local-ip", "local-ipv4"),
            ("PrivateIpAddress", "local-ipv4"),
            ("azid", "placement/availability-zone-id"),
            ("vpcid", "vpc-id"),
            ("subnet_id", "network/interfaces/macs/@primary/subnet-id"),
            ("security-group-id", "network/interfaces/macs/@primary/security-group-ids"),
            (
                "network/interfaces/macs/02:00:00:00:00:01/vpcid",
                "network/interfaces/macs/02:00:00:00:00:01/vpc-id",
            ),
            ("role_name", "role"),
            ("tags/Name", "tags/instance/Name"),
            ("tag/instance/Name", "tags/instance/Name"),
            ("metadata/instance-id", "instance-id"),
        ] {
            assert_eq!(meant(written).as_deref(), Some(expected), "{written}");
        }
        assert_eq!(meant("nothing-like-it-at-all"), None);
        assert_eq!(meant(""), None);
    }
}
