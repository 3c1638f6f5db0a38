//! What a scan finds: instances, launch templates, launch configurations, images, account defaults;
//! and for each account and Region whether it was scanned at all.

use std::collections::BTreeMap;

use imds_model::options::State;
use serde::{Deserialize, Serialize};

pub use super::account_region::AccountRegion;
use super::effective::Effective;
use super::end_state::{Declared, EndState};
use super::lint::UserData;
use super::options::{Options, Posture};
use super::owner::Owner;
use super::requests::{FleetRequest, FleetUse, WarmPool};
use super::risk::{Exposure, Risk};

/// An instance and its metadata options.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Instance {
    /// Where it is.
    #[serde(flatten)]
    pub place: AccountRegion,
    /// `i-...`
    pub id: String,
    /// The tag `Name`.
    #[serde(default)]
    pub name: Option<String>,
    /// `running`, `stopped`, ...
    pub run_state: String,
    /// Whether IMDSv1 is answered.
    pub posture: Posture,
    /// The five options.
    pub options: Options,
    /// Whether they are in force.
    #[serde(default)]
    pub options_state: Option<State>,
    /// The type, such as `m7g.large`.
    #[serde(default)]
    pub instance_type: Option<String>,
    /// The image.
    #[serde(default)]
    pub image_id: Option<String>,
    /// When it was last launched, in seconds since 1970.
    #[serde(default)]
    pub launched_at: Option<i64>,
    /// `spot`, `scheduled`, `capacity-block`; none for an on-demand instance.
    #[serde(default)]
    pub lifecycle: Option<String>,
    /// The Auto Scaling group (tag `aws:autoscaling:groupName`).
    #[serde(default)]
    pub auto_scaling_group: Option<String>,
    /// The AWS service that manages the instance, if one does.
    #[serde(default)]
    pub operator: Option<String>,
    /// Whether it is left out of a plain `DescribeInstances`.
    #[serde(default)]
    pub hidden: bool,
    /// All tags.
    #[serde(default)]
    pub tags: BTreeMap<String, String>,
    /// How it can be reached and what there is to steal, where the source says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exposure: Option<Exposure>,
    /// How much is at stake while IMDSv1 is answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub risk: Option<Risk>,
}

impl Instance {
    /// Works out the risk of what is known by now.
    pub fn assess(&mut self) {
        self.risk = Risk::of(self.posture, &self.run_state, self.exposure.as_ref());
    }

    /// Who owns it, by its tags.
    #[must_use]
    pub fn owner(&self) -> Option<Owner> {
        Owner::of_tags(self.tags.iter().map(|(key, value)| (key.as_str(), value.as_str())))
    }
}

/// An Auto Scaling group that names a template version by its number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pin {
    /// The group.
    pub group: String,
    /// Whose group it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<Owner>,
}

/// A version of a launch template that launches would use.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LaunchTemplate {
    /// Where it is.
    #[serde(flatten)]
    pub place: AccountRegion,
    /// `lt-...`
    pub id: String,
    /// Its name.
    #[serde(default)]
    pub name: Option<String>,
    /// The version that this row is about.
    pub version: i64,
    /// Whether that is the default version.
    pub is_default: bool,
    /// The Auto Scaling groups that launch from this version.
    #[serde(default)]
    pub used_by: Vec<String>,
    /// Those of them that name it by its number: a new version is nothing to them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pinned_by: Vec<Pin>,
    /// Those of them that name it as `$Latest`: any new version is theirs at once.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub latest_of: Vec<String>,
    /// The EC2 Fleet and Spot Fleet requests that launch from this version.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fleets: Vec<FleetUse>,
    /// How many instances carry the version in their tags, besides those of Auto Scaling groups:
    /// what else launches from a template (Batch, EMR, Karpenter, a person) is known by this
    /// alone.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub launched: u64,
    /// What the version sets.
    pub options: Options,
    /// The image, if it names one.
    #[serde(default)]
    pub image_id: Option<String>,
    /// The AWS service that manages the template, if one does.
    #[serde(default)]
    pub operator: Option<String>,
    /// Who owns the template, or a group that launches from it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<Owner>,
    /// Whether it could not be read which groups launch from it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub users_unknown: bool,
    /// The keys of the tags that it gives to instances.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub instance_tags: Vec<String>,
    /// Whether a launch that allows IMDSv1 is refused in its account (`HttpTokensEnforced`).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub enforced: bool,
    /// What the next launch would get.
    pub effective: Effective,
    /// What had to be assumed because it could not be read.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub assumed: Vec<String>,
    /// What `imds-lint` found in its user data; nothing where it has none, or was not asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_data: Option<UserData>,
}

impl LaunchTemplate {
    /// All groups and fleet requests that launch from the version.
    pub fn users(&self) -> impl Iterator<Item = &str> {
        self.used_by.iter().map(String::as_str).chain(self.fleets.iter().map(|it| it.request.as_str()))
    }
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// A launch configuration, the older form of a launch template.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LaunchConfiguration {
    /// Where it is.
    #[serde(flatten)]
    pub place: AccountRegion,
    /// Its name.
    pub id: String,
    /// The Auto Scaling groups that launch from it.
    #[serde(default)]
    pub used_by: Vec<String>,
    /// What it sets.
    pub options: Options,
    /// The image.
    #[serde(default)]
    pub image_id: Option<String>,
    /// Who owns a group that launches from it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<Owner>,
    /// Whether it could not be read which groups launch from it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub users_unknown: bool,
    /// Whether a launch that allows IMDSv1 is refused in its account (`HttpTokensEnforced`).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub enforced: bool,
    /// What the next launch would get.
    pub effective: Effective,
    /// What had to be assumed because it could not be read.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub assumed: Vec<String>,
}

/// An image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Image {
    /// Where it is.
    #[serde(flatten)]
    pub place: AccountRegion,
    /// `ami-...`
    pub id: String,
    /// Its name.
    #[serde(default)]
    pub name: Option<String>,
    /// `v2.0`, or nothing.
    #[serde(default)]
    pub imds_support: Option<String>,
}

/// The defaults of an account in a Region.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountDefaults {
    /// Where they hold.
    #[serde(flatten)]
    pub place: AccountRegion,
    /// The defaults; an option without one has no preference.
    pub options: Options,
    /// Whether IMDSv1 is refused at launch and cannot be turned back on (`HttpTokensEnforced`).
    pub http_tokens_enforced: bool,
    /// Whether that was ever set, one way or the other.
    #[serde(default)]
    pub http_tokens_enforced_set: bool,
    /// `account`, or `declarative-policy` when the organization decides.
    #[serde(default)]
    pub managed_by: Option<String>,
    /// What the organization has to say about it.
    #[serde(default)]
    pub managed_exception_message: Option<String>,
    /// What a launch that sets nothing would get from an image that says nothing.
    pub effective: Effective,
    /// What the organization's declarative policy says for the account, where it was asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub declared: Option<Declared>,
    /// Whether the end state is reached.
    #[serde(default)]
    pub end_state: EndState,
}

/// Why a call brought no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reason {
    /// Not allowed.
    Denied,
    /// The credentials have expired.
    Expired,
    /// The account has not opted in to the Region.
    OptedOut,
    /// Throttled to the end of the retries.
    Throttled,
    /// No connection, or no answer in time.
    Unreachable,
    /// The service failed, or answered what is not an answer.
    Service,
    /// The service does not support the request.
    Unsupported,
    /// Anything else.
    Other,
}

impl Reason {
    /// The word that stands for it in every output.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Denied => "denied",
            Self::Expired => "expired",
            Self::OptedOut => "opted-out",
            Self::Throttled => "throttled",
            Self::Unreachable => "unreachable",
            Self::Service => "service",
            Self::Unsupported => "unsupported",
            Self::Other => "other",
        }
    }
}

/// Something that was to be read and was not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gap {
    /// The API call, such as `DescribeInstances`.
    pub call: String,
    /// Why.
    pub reason: Reason,
    /// What the service said.
    pub message: String,
}

/// How the scan of one place ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scan {
    /// The account in the Region.
    #[serde(flatten)]
    pub place: AccountRegion,
    /// How many instances were seen.
    pub instances: u64,
    /// What could not be read: empty when the scan is complete.
    #[serde(default)]
    pub gaps: Vec<Gap>,
}

impl Scan {
    /// Whether everything asked for was read.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.gaps.is_empty()
    }
}

/// One thing found, by kind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Resource {
    /// An instance.
    Instance(Box<Instance>),
    /// A launch template version.
    LaunchTemplate(Box<LaunchTemplate>),
    /// A launch configuration.
    LaunchConfiguration(Box<LaunchConfiguration>),
    /// An EC2 Fleet or Spot Fleet request.
    FleetRequest(Box<FleetRequest>),
    /// The warm pool of an Auto Scaling group.
    WarmPool(Box<WarmPool>),
    /// An image.
    Image(Box<Image>),
    /// The defaults of an account in a Region.
    AccountDefaults(Box<AccountDefaults>),
}

impl Resource {
    /// What had to be assumed of it because it could not be read.
    #[must_use]
    pub fn assumed(&self) -> &[String] {
        match self {
            Self::LaunchTemplate(it) => &it.assumed,
            Self::LaunchConfiguration(it) => &it.assumed,
            Self::Instance(_)
            | Self::FleetRequest(_)
            | Self::WarmPool(_)
            | Self::Image(_)
            | Self::AccountDefaults(_) => &[],
        }
    }

    /// Where it is.
    #[must_use]
    pub fn place(&self) -> &AccountRegion {
        match self {
            Self::Instance(it) => &it.place,
            Self::LaunchTemplate(it) => &it.place,
            Self::LaunchConfiguration(it) => &it.place,
            Self::FleetRequest(it) => &it.place,
            Self::WarmPool(it) => &it.place,
            Self::Image(it) => &it.place,
            Self::AccountDefaults(it) => &it.place,
        }
    }

    /// What it is called within its place and kind.
    #[must_use]
    pub fn id(&self) -> &str {
        match self {
            Self::Instance(it) => &it.id,
            Self::LaunchTemplate(it) => &it.id,
            Self::LaunchConfiguration(it) => &it.id,
            Self::FleetRequest(it) => &it.id,
            Self::WarmPool(it) => &it.id,
            Self::Image(it) => &it.id,
            Self::AccountDefaults(it) => &it.place.account,
        }
    }

    /// What tells it from all others of its account and Region.
    #[must_use]
    pub fn key(&self) -> String {
        match self {
            Self::LaunchTemplate(it) => format!("{}/{}/{}", self.kind(), it.id, it.version),
            _ => format!("{}/{}", self.kind(), self.id()),
        }
    }

    /// The word for its kind in every output.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Instance(_) => "instance",
            Self::LaunchTemplate(_) => "launch_template",
            Self::LaunchConfiguration(_) => "launch_configuration",
            Self::FleetRequest(_) => "fleet_request",
            Self::WarmPool(_) => "warm_pool",
            Self::Image(_) => "image",
            Self::AccountDefaults(_) => "account_defaults",
        }
    }
}
