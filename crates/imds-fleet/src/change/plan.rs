//! The plan: what is to be changed, from what to what, in a file that people review.

use std::path::Path;

use imds_model::options::{HopLimit, HttpTokens, State, Switch};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::readiness::{Accepted, Readiness, UsageStatuses};
use crate::error::Error;
use crate::inventory::options::Options;
use crate::inventory::owner::Owner;
use crate::inventory::resource::{AccountDefaults, AccountRegion, Instance};

/// The version of the plan file.
pub const SCHEMA_VERSION: u32 = 1;

/// What is to be changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Target {
    /// An instance.
    Instance {
        /// `i-...`
        id: String,
    },
    /// The defaults of the account in the Region.
    AccountDefaults,
    /// A launch template: a new version is made from this one, and becomes the default.
    LaunchTemplate {
        /// `lt-...`
        id: String,
        /// The default version when the plan was made.
        version: i64,
    },
    /// An Auto Scaling group that pins a version of a launch template: it is moved to one that is
    /// made from it.
    AutoScalingGroup {
        /// The group's name.
        id: String,
        /// `lt-...`
        template: String,
        /// The version that it pins.
        version: i64,
    },
}

impl Target {
    /// What it is called.
    #[must_use]
    pub fn id(&self) -> &str {
        match self {
            Self::Instance { id } | Self::LaunchTemplate { id, .. } | Self::AutoScalingGroup { id, .. } => id,
            Self::AccountDefaults => "account-defaults",
        }
    }

    /// The place of its kind in a plan: what runs, what launches more of it, what holds for all.
    #[must_use]
    pub const fn kind(&self) -> u8 {
        match self {
            Self::Instance { .. } => 0,
            Self::LaunchTemplate { .. } => 1,
            Self::AutoScalingGroup { .. } => 2,
            Self::AccountDefaults => 3,
        }
    }
}

/// A change of `HttpTokensEnforced`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Enforcement {
    /// What it is; nothing when nobody has set it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prior: Option<Switch>,
    /// What it is to be.
    pub new: Switch,
}

/// One change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// Where.
    #[serde(flatten)]
    pub place: AccountRegion,
    /// What.
    #[serde(flatten)]
    pub target: Target,
    /// What people call it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// All options as they are.
    pub prior: Options,
    /// The options that change: nothing else is sent.
    pub new: Options,
    /// The change of `HttpTokensEnforced`, which account defaults alone have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub http_tokens_enforced: Option<Enforcement>,
    /// Whether it was known to be ready for IMDSv2 when the plan was made; only where that is
    /// required of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usage: Option<Readiness>,
    /// The groups that launch from what is changed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub used_by: Vec<String>,
}

/// Something that would have to be changed and is not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftOut {
    /// Where.
    #[serde(flatten)]
    pub place: AccountRegion,
    /// What.
    pub id: String,
    /// Why.
    pub reason: String,
    /// Whether it was known to be ready for IMDSv2 when the plan was made; only where that is
    /// required of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usage: Option<Readiness>,
}

/// A change, or why there is none.
pub type Planned = Result<Change, Box<LeftOut>>;

pub(super) fn left_out(place: &AccountRegion, id: &str, reason: impl Into<String>) -> Planned {
    Err(Box::new(LeftOut { place: place.clone(), id: id.to_owned(), reason: reason.into(), usage: None }))
}

/// The plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// The version of the file.
    pub schema_version: u32,
    /// When it was made.
    pub made_at: jiff::Timestamp,
    /// What is wanted.
    pub wanted: Options,
    /// Whether the hop limit is wanted exactly, also where that lowers it.
    #[serde(default)]
    pub hop_limit_exact: bool,
    /// Whether enforcement is wanted of the accounts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub http_tokens_enforced: Option<Switch>,
    /// Whether changes are made that cannot be undone.
    #[serde(alias = "no_rollback")]
    pub allow_irreversible: bool,
    /// Which instances are changed that are not known to be ready for it.
    #[serde(default)]
    pub include: Accepted,
    /// What is to be changed.
    pub changes: Vec<Change>,
    /// What is not, and why.
    pub left_out: Vec<LeftOut>,
    /// Where the scan could not see everything, so that more may have to be changed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub not_scanned: Vec<String>,
}

/// What may be planned.
#[derive(Clone, Debug)]
pub struct Rules {
    /// What is wanted.
    pub wanted: Options,
    /// Whether the hop limit is wanted exactly; else it is the lowest that is wanted.
    pub hop_limit_exact: bool,
    /// Whether enforcement is wanted of the accounts.
    pub enforced: Option<Switch>,
    /// Whether changes are planned that cannot be undone.
    pub allow_irreversible: bool,
    /// Whether enforcement is planned where it makes launches fail.
    pub allow_launch_failures: bool,
    /// Which instances are planned that are not known to be ready.
    pub include: Accepted,
    /// Whose resources are planned though a service owns them.
    pub include_owned: Vec<Owner>,
}

impl Rules {
    /// What is wanted of something whose hop limit is this: a limit that is high enough is left as
    /// it is.
    pub(super) fn wanted_above(&self, hops: Option<HopLimit>) -> Options {
        let mut wanted = self.wanted;
        let enough = |limit: HopLimit| hops.is_some_and(|hops| hops >= limit);
        if !self.hop_limit_exact && wanted.http_put_response_hop_limit.is_some_and(enough) {
            wanted.http_put_response_hop_limit = None;
        }
        wanted
    }

    /// The options of an instance that are not as wanted.
    #[must_use]
    pub fn differing(&self, it: &Instance) -> Options {
        self.wanted_above(it.options.http_put_response_hop_limit).differing_from(&it.options)
    }

    /// Why what a service owns is left out.
    pub(super) fn owner_objection(&self, owner: Option<Owner>) -> Option<String> {
        owner.filter(|owner| !self.include_owned.contains(owner)).map(|owner| {
            format!("{}; `--include-owned {}` plans it all the same", owner.reason(), owner.option())
        })
    }

    /// Why tags cannot be shown: EC2 refuses it where a key is not fit for a path ("Tag keys must
    /// match pattern (`[0-9a-zA-Z\\-_+=,.@:]{1,255}`), and must not be a reserved name",
    /// aws/aws-cli#8825; the keys of kubernetes/cloud-provider-aws#762 are such).
    pub(super) fn tags_objection<'a>(
        &self,
        new: &Options,
        mut keys: impl Iterator<Item = &'a String>,
    ) -> Option<String> {
        if new.instance_metadata_tags != Some(Switch::Enabled) {
            return None;
        }
        let fits = |key: &str| {
            !matches!(key, "." | ".." | "_index")
                && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_+=,.@:".contains(&byte))
        };
        let key = keys.find(|key| !fits(key))?;
        Some(format!(
            "its tag key `{key}` cannot be shown in instance metadata: EC2 refuses `--tags enabled`"
        ))
    }

    /// Whether the change of this instance takes IMDSv1 from it.
    #[must_use]
    pub fn takes_v1(&self, it: &Instance) -> bool {
        self.wanted.http_tokens == Some(HttpTokens::Required)
            && it.options.http_tokens == Some(HttpTokens::Optional)
    }

    /// The change of an instance: none when it is as wanted, a reason when it cannot be.
    #[must_use]
    pub fn instance(
        &self,
        it: &Instance,
        defaults: Option<&AccountDefaults>,
        statuses: &UsageStatuses,
    ) -> Option<Planned> {
        let new = self.differing(it);
        if new.is_empty() {
            return None;
        }
        let left_out = |reason: String| Some(left_out(&it.place, &it.id, reason));
        if let Some(operator) = &it.operator {
            return left_out(format!("managed by {operator}: change it there"));
        }
        if let Some(reason) = self.owner_objection(it.owner()) {
            return left_out(reason);
        }
        if let Some(reason) = self.tags_objection(&new, it.tags.keys()) {
            return left_out(reason);
        }
        if !matches!(it.run_state.as_str(), "running" | "stopped") {
            return left_out(format!("is `{}`", it.run_state));
        }
        if !it.options.is_complete() {
            return left_out("not all five options are known, so that they could not be restored".to_owned());
        }
        if it.options_state == Some(State::Pending) {
            return left_out("an earlier change is still `pending`".to_owned());
        }
        if self.takes_v1(it) && !self.allow_irreversible {
            match defaults {
                None => {
                    return left_out(
                        "the account defaults could not be read, so that rollback may be impossible"
                            .to_owned(),
                    );
                }
                Some(defaults) if defaults.http_tokens_enforced => {
                    return left_out("rollback is impossible: `HttpTokensEnforced` is `enabled`".to_owned());
                }
                Some(_) => {}
            }
        }
        let usage = self.takes_v1(it).then(|| statuses.of(it));
        if let Some(reason) = usage.as_ref().and_then(|usage| self.include.objection(usage)) {
            let (place, id) = (it.place.clone(), it.id.clone());
            return Some(Err(Box::new(LeftOut { place, id, reason, usage })));
        }
        Some(Ok(Change {
            place: it.place.clone(),
            target: Target::Instance { id: it.id.clone() },
            name: it.name.clone(),
            prior: it.options,
            new,
            http_tokens_enforced: None,
            usage,
            used_by: Vec::new(),
        }))
    }
}

impl Plan {
    /// Reads a plan and says which one it is.
    ///
    /// # Errors
    ///
    /// Returns an error if it cannot be read, or is not a plan.
    pub fn read(path: &Path) -> Result<(Self, String), Error> {
        let bytes = std::fs::read(path).map_err(|source| Error::unusable("read", path, &source))?;
        let wrong = |why: String| Error::Input(format!("plan `{}`: {why}", path.display()));
        let plan: Self = serde_json::from_slice(&bytes).map_err(|error| wrong(error.to_string()))?;
        if plan.schema_version != SCHEMA_VERSION {
            return Err(wrong(format!(
                "has version {}, this program knows {SCHEMA_VERSION}",
                plan.schema_version
            )));
        }
        for change in &plan.changes {
            let id = change.target.id();
            if change.new.is_empty() && change.http_tokens_enforced.is_none() {
                return Err(wrong(format!("changes nothing of `{id}`")));
            }
            if matches!(change.target, Target::Instance { .. }) && !change.prior.is_complete() {
                return Err(wrong(format!("does not hold all five prior options of `{id}`")));
            }
            if change.http_tokens_enforced.is_some() && change.target != Target::AccountDefaults {
                return Err(wrong(format!("has `http_tokens_enforced` for `{id}`, which has no such thing")));
            }
        }
        Ok((plan, digest(&bytes)))
    }
}

/// The SHA-256 of a plan file, by which its journal knows it.
fn digest(bytes: &[u8]) -> String {
    use std::fmt::Write;
    Sha256::digest(bytes).iter().fold(String::new(), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
