//! The policy file: what is allowed, and who has an exception until when.

use std::collections::BTreeMap;
use std::path::Path;

use imds_model::options::HopLimit;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::catalogue::{RULES, Severity};
use crate::error::Error;
use crate::inventory::resource::Resource;

/// What is allowed.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Policy {
    /// The highest hop limit that is no finding.
    pub max_hop_limit: HopLimit,
    /// What makes an instance one with containers, and what they need.
    pub containers: Containers,
    /// Severities of rules, or `off`.
    pub rules: BTreeMap<String, Level>,
    /// Who has an exception until when.
    #[serde(rename = "exception")]
    pub exceptions: Vec<Exception>,
}

/// Instances with containers.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Containers {
    /// Tag keys that such instances carry; one that ends with `*` stands for all that start so.
    pub tags: Vec<String>,
    /// The lowest hop limit that is no finding on them.
    pub min_hop_limit: HopLimit,
}

/// A rule's severity in a policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// The rule is not applied.
    Off,
    /// Informational.
    Informational,
    /// Fix eventually.
    Low,
    /// Fix soon.
    Medium,
    /// Fix now.
    High,
}

/// An exception from one rule. What it does not name, it holds for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exception {
    /// The rule.
    pub rule: String,
    /// The account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// The Region.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// The resource.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// A tag, as `KEY=VALUE`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tag: Option<String>,
    /// Who answers for it.
    pub owner: String,
    /// The last day on which it holds.
    pub expires: Date,
    /// Why.
    pub reason: String,
}

fn hops(hops: u8) -> HopLimit {
    HopLimit::new(hops).unwrap_or(HopLimit::MIN)
}

impl Default for Policy {
    fn default() -> Self {
        // 2 is what AWS sets with IMDSv2, and eBPF overlays need 3
        // (kubernetes-sigs/aws-ebs-csi-driver#2966).
        Self {
            max_hop_limit: hops(3),
            containers: Containers::default(),
            rules: BTreeMap::new(),
            exceptions: Vec::new(),
        }
    }
}

impl Default for Containers {
    fn default() -> Self {
        let tags =
            ["eks:cluster-name", "aws:eks:cluster-name", "kubernetes.io/cluster/*", "AmazonECSManaged"];
        Self { tags: tags.map(str::to_owned).to_vec(), min_hop_limit: hops(2) }
    }
}

impl Policy {
    /// Reads a policy file.
    ///
    /// # Errors
    ///
    /// Returns an error if it cannot be read, or says something that is not understood: a policy
    /// half understood is none.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let text = std::fs::read_to_string(path).map_err(|source| Error::unusable("read", path, &source))?;
        Self::parse(&text).map_err(|error| Error::Input(format!("policy `{}`: {error}", path.display())))
    }

    /// Reads a policy.
    ///
    /// # Errors
    ///
    /// Returns what is wrong, and where.
    pub fn parse(text: &str) -> Result<Self, String> {
        let policy: Self = toml::from_str(text).map_err(|error| error.to_string().trim_end().to_owned())?;
        let named = policy.rules.keys().chain(policy.exceptions.iter().map(|exception| &exception.rule));
        for rule in named {
            if !RULES.iter().any(|known| known.id == *rule) {
                let known: Vec<&str> = RULES.iter().map(|rule| rule.id).collect();
                return Err(format!("no rule is called `{rule}`; there are {}", known.join(", ")));
            }
        }
        for exception in &policy.exceptions {
            if exception.owner.trim().is_empty() || exception.reason.trim().is_empty() {
                return Err(format!("an exception from `{}` has no owner or no reason", exception.rule));
            }
            if exception.tag.as_ref().is_some_and(|tag| !tag.contains('=')) {
                return Err(format!(
                    "an exception from `{}` has a tag that is not `KEY=VALUE`",
                    exception.rule
                ));
            }
        }
        Ok(policy)
    }

    /// The severity of a rule under this policy; none when it is off.
    #[must_use]
    pub fn severity(&self, rule: &super::catalogue::Rule) -> Option<Severity> {
        match self.rules.get(rule.id) {
            None => Some(rule.severity),
            Some(Level::Off) => None,
            Some(Level::Informational) => Some(Severity::Informational),
            Some(Level::Low) => Some(Severity::Low),
            Some(Level::Medium) => Some(Severity::Medium),
            Some(Level::High) => Some(Severity::High),
        }
    }

    /// Whether the policy itself says how severe a rule is.
    #[must_use]
    pub fn names(&self, rule: &super::catalogue::Rule) -> bool {
        self.rules.contains_key(rule.id)
    }

    /// The exception that holds for a resource: one in force before one that has expired.
    #[must_use]
    pub fn exception(&self, rule: &str, resource: &Resource, today: Date) -> Option<&Exception> {
        let of = |exception: &&Exception| exception.rule == rule && exception.covers(resource);
        let mut covering: Vec<&Exception> = self.exceptions.iter().filter(of).collect();
        covering.sort_by_key(|exception| exception.expires < today);
        covering.first().copied()
    }
}

impl Exception {
    fn covers(&self, resource: &Resource) -> bool {
        let is =
            |wanted: &Option<String>, value: &str| wanted.as_deref().is_none_or(|wanted| wanted == value);
        let place = resource.place();
        let tagged = self.tag.as_deref().is_none_or(|tag| {
            let (key, value) = tag.split_once('=').unwrap_or((tag, ""));
            match resource {
                Resource::Instance(instance) => instance.tags.get(key).is_some_and(|actual| actual == value),
                _ => false,
            }
        });
        is(&self.account, &place.account)
            && is(&self.region, &place.region)
            && is(&self.id, resource.id())
            && tagged
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_understood_is_refused() {
        let exception = "[[exception]]\nrule = \"v1-allowed\"\nowner = \"x\"\nreason = \"y\"\n";
        let cases = [
            ("max_hop_limit = 65", "a hop limit of 1 to 64"),
            ("max_hops = 2", "unknown field `max_hops`"),
            ("[rules]\nv1 = \"off\"", "no rule is called `v1`; there are v1-allowed, "),
            ("[rules]\nv1-allowed = \"loud\"", "unknown variant `loud`"),
            (exception, "missing field `expires`"),
            (&format!("{exception}expires = \"never\""), "expires"),
            (
                &format!("{exception}expires = \"2026-12-31\"\ntag = \"team\""),
                "a tag that is not `KEY=VALUE`",
            ),
            (&exception.replace("\"x\"", "\" \""), "missing field `expires`"),
        ];
        for (text, says) in cases {
            let error = Policy::parse(text).unwrap_err();
            assert!(error.contains(says), "{text}: {error}");
        }
        let blank = format!("{}expires = \"2026-12-31\"", exception.replace("\"x\"", "\" \""));
        assert_eq!(
            Policy::parse(&blank).unwrap_err(),
            "an exception from `v1-allowed` has no owner or no reason"
        );
    }

    #[test]
    fn an_empty_policy_is_the_default() {
        let policy = Policy::parse("").unwrap();
        assert_eq!(policy.max_hop_limit.get(), 3);
        assert_eq!(policy.containers.min_hop_limit.get(), 2);
    }
}
