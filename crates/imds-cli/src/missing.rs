//! What to say of a path that does not exist: the path that was probably meant.

use imds::{Client, MetadataPath};
use imds_model::{CATALOGUE, catalogue, printable, well_known};

use crate::suggest;

/// Names that people know from elsewhere, and the path of the value.
const OTHER_NAMES: [(&str, &str); 18] = [
    ("account", "account-id"),
    ("accountid", "account-id"),
    ("ami", "ami-id"),
    ("asg", "tags/instance/aws:autoscaling:groupName"),
    ("availability-zone", "placement/availability-zone"),
    ("az-id", "placement/availability-zone-id"),
    ("document", "dynamic/instance-identity/document"),
    ("id", "instance-id"),
    ("identity", "dynamic/instance-identity/document"),
    ("ip", "local-ipv4"),
    ("name", "tags/instance/Name"),
    ("private-dns", "local-hostname"),
    ("private-ip", "local-ipv4"),
    ("public-dns", "public-hostname"),
    ("public-ip", "public-ipv4"),
    ("ssh-key", "public-keys/0/openssh-key"),
    ("type", "instance-type"),
    ("zone", "placement/availability-zone"),
];

/// Returns advice on a path that does not exist, as `hint:` lines. May list a directory that holds
/// names of the user's own, such as tag keys; a failure of that is left out, since one error is
/// reported already.
pub(crate) fn hints(client: &Client, written: &str, path: &MetadataPath) -> Vec<String> {
    if let Some(hints) = of_own_names(client, path) {
        return hints;
    }
    if catalogue::find(path).is_some() {
        // Spelled right: this instance has no such value.
        return Vec::new();
    }
    match meant(written) {
        Some(meant) => vec![did_you_mean(&meant)],
        None => Vec::new(),
    }
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
    let lower = below.to_ascii_lowercase().replace('_', "-");
    let other = OTHER_NAMES.iter().find(|(name, _)| *name == lower);
    if let Some((_, path)) = other {
        return Some((*path).to_owned());
    }
    if let Some(short) = crate::shortcuts::NAMES.iter().find(|short| short.name == lower) {
        // Spelled as a path, a short name is none.
        return Some(if short.path.contains('@') { short.name } else { short.path }.to_owned());
    }
    let known =
        || CATALOGUE.iter().filter(|category| !category.has_labels()).map(|category| short(category.path()));
    if let Some(near) = suggest::nearest(below, known()) {
        return Some(near.to_owned());
    }
    // The last segment alone: `availability-zone` for `placement/availability-zone`.
    let last = below.rsplit('/').next().unwrap_or_default();
    let name_of = |path: &'static str| path.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
    let same_name = known().find(|path| name_of(path).eq_ignore_ascii_case(last));
    same_name
        .or_else(|| {
            let near = suggest::nearest(last, known().map(name_of))?;
            known().find(|path| name_of(path) == near)
        })
        .map(str::to_owned)
}

/// A name that is listed by the service itself: a tag key, a role.
fn of_own_names(client: &Client, path: &MetadataPath) -> Option<Vec<String>> {
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
    Some(match near {
        Some(near) => vec![did_you_mean(&format!("{}{near}", directory.strip_prefix("meta-data/")?))],
        None => {
            let short = directory.strip_prefix("meta-data/")?;
            vec![format!("`imds list {short}` shows the names that exist")]
        }
    })
}

fn did_you_mean(path: &str) -> String {
    let quoted = crate::render::shell::word(&printable::brief(path));
    format!("did you mean `imds get {quoted}`?")
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
        ] {
            assert_eq!(meant(written).as_deref(), Some(expected), "{written}");
        }
        assert_eq!(meant("nothing-like-it-at-all"), None);
        assert_eq!(meant(""), None);
    }
}
