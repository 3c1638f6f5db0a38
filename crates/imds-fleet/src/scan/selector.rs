//! Which of what a file or an aggregator holds was asked for: what EC2 selects on its side where it
//! is asked itself.

use std::collections::BTreeSet;

use super::fleet::Shard;
use crate::error::Error;
use crate::inventory::options::Posture;
use crate::inventory::resource::{AccountRegion, Instance, Resource};

/// What was asked for. What does not say where it is passes: it may be what was asked for.
#[derive(Clone, Debug)]
pub struct Selector {
    /// The Regions; none for all.
    pub regions: Vec<String>,
    /// The accounts; none for all.
    pub accounts: Option<BTreeSet<String>>,
    /// Accounts that are left out.
    pub excluded: BTreeSet<String>,
    /// Which part of the accounts.
    pub shard: Shard,
    /// Filters by the names of the EC2 API.
    pub filters: Vec<(String, Vec<String>)>,
    /// Only what answers IMDSv1.
    pub v1_only: bool,
    /// Only instances.
    pub instances_only: bool,
}

/// The filters that are known here; a tag is asked for as `tag:KEY`.
const NAMES: [&str; 14] = [
    "instance-id",
    "instance-state-name",
    "instance-type",
    "image-id",
    "instance-lifecycle",
    "metadata-options.http-tokens",
    "metadata-options.http-endpoint",
    "metadata-options.http-put-response-hop-limit",
    "metadata-options.http-protocol-ipv6",
    "metadata-options.instance-metadata-tags",
    "metadata-options.state",
    "operator.managed",
    "operator.principal",
    "tag-key",
];

impl Selector {
    /// Checks that every filter can be applied here.
    ///
    /// # Errors
    ///
    /// Returns an error if one is only known to EC2.
    pub fn check(&self) -> Result<(), Error> {
        for (name, _) in &self.filters {
            if !NAMES.contains(&name.as_str()) && !name.starts_with("tag:") {
                return Err(Error::Input(format!(
                    "filter `{name}` cannot be applied to this source; there are `tag:KEY`, `{}`",
                    NAMES.join("`, `")
                )));
            }
        }
        Ok(())
    }

    /// Whether an account and Region was asked for.
    #[must_use]
    pub fn holds_place(&self, place: &AccountRegion) -> bool {
        let known_region = place.region != "unknown" && place.region != "*";
        if known_region && !self.regions.is_empty() && !self.regions.contains(&place.region) {
            return false;
        }
        place.account == "unknown"
            || self.accounts.as_ref().is_none_or(|accounts| accounts.contains(&place.account))
                && !self.excluded.contains(&place.account)
                && self.shard.holds(&place.account)
    }

    /// Whether a resource was asked for.
    #[must_use]
    pub fn holds(&self, resource: &Resource) -> bool {
        if !self.holds_place(resource.place()) {
            return false;
        }
        match resource {
            Resource::Instance(it) => {
                (!self.v1_only || it.posture == Posture::V1Allowed)
                    && self.filters.iter().all(|(name, values)| matches(it, name, values))
            }
            _ => !self.instances_only,
        }
    }
}

fn matches(it: &Instance, name: &str, values: &[String]) -> bool {
    let any = |actual: Option<&str>| {
        actual.is_some_and(|actual| values.iter().any(|value| is_like(value.as_bytes(), actual.as_bytes())))
    };
    let options = &it.options;
    match name {
        "instance-id" => any(Some(&it.id)),
        "instance-state-name" => any(Some(&it.run_state)),
        "instance-type" => any(it.instance_type.as_deref()),
        "image-id" => any(it.image_id.as_deref()),
        "instance-lifecycle" => any(it.lifecycle.as_deref()),
        "metadata-options.http-tokens" => any(options.http_tokens.map(|value| value.as_str())),
        "metadata-options.http-endpoint" => any(options.http_endpoint.map(|value| value.as_str())),
        "metadata-options.http-put-response-hop-limit" => {
            any(options.http_put_response_hop_limit.map(|hops| hops.to_string()).as_deref())
        }
        "metadata-options.http-protocol-ipv6" => any(options.http_protocol_ipv6.map(|value| value.as_str())),
        "metadata-options.instance-metadata-tags" => {
            any(options.instance_metadata_tags.map(|value| value.as_str()))
        }
        "metadata-options.state" => any(it.options_state.map(|state| state.as_str())),
        "operator.managed" => any(Some(if it.operator.is_some() { "true" } else { "false" })),
        "operator.principal" => any(it.operator.as_deref()),
        "tag-key" => it.tags.keys().any(|key| any(Some(key))),
        _ => any(name.strip_prefix("tag:").and_then(|key| it.tags.get(key)).map(String::as_str)),
    }
}

/// Whether a text is like a value of a filter: `*` stands for any characters, `?` for one ("List
/// and filter your resources", EC2 User Guide). Linear in the product of both, whatever the
/// pattern.
fn is_like(pattern: &[u8], text: &[u8]) -> bool {
    let (mut p, mut t) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some(b'*') => {
                star = Some((p, t));
                p += 1;
            }
            Some(b'?') => (p, t) = (p + 1, t + 1),
            Some(byte) if *byte == text[t] => (p, t) = (p + 1, t + 1),
            _ => match star {
                Some((at, from)) => {
                    star = Some((at, from + 1));
                    (p, t) = (at + 1, from + 1);
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|byte| *byte == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards() {
        for (pattern, text, like) in [
            ("web", "web", true),
            ("web", "web1", false),
            ("web*", "web-1", true),
            ("*b*", "web", true),
            ("w?b", "web", true),
            ("w?b", "wb", false),
            ("*", "", true),
            ("", "", true),
            ("a*a*a", "aa", false),
        ] {
            assert_eq!(is_like(pattern.as_bytes(), text.as_bytes()), like, "{pattern} {text}");
        }
    }
}
