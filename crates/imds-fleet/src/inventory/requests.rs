//! What launches instances or holds them ready besides groups and templates: EC2 Fleet and Spot
//! Fleet requests, warm pools.

use serde::{Deserialize, Serialize};

use super::account_region::AccountRegion;
use super::effective::Effective;
use super::options::{Options, Posture};
use super::owner::Owner;

/// The service that a fleet request was made to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FleetService {
    /// EC2 Fleet (`CreateFleet`).
    Ec2Fleet,
    /// Spot Fleet (`RequestSpotFleet`).
    SpotFleet,
}

impl FleetService {
    /// What it is called.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ec2Fleet => "EC2 Fleet",
            Self::SpotFleet => "Spot Fleet",
        }
    }
}

/// A fleet request that launches from a template version.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct FleetUse {
    /// The request.
    pub request: String,
    /// The version as the request names it: `$Default`, `$Latest` or a number.
    pub version: String,
}

impl FleetUse {
    /// Whether the request names the version by its number.
    #[must_use]
    pub fn is_pinned(&self) -> bool {
        !self.version.starts_with('$')
    }
}

/// One of the things that a fleet request launches from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FleetSource {
    /// The launch template, by id or name; none for a launch specification.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub template: Option<String>,
    /// The version as the request names it: `$Default`, `$Latest` or a number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The image, where the request names one itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image_id: Option<String>,
    /// What the template version sets. A launch specification has no metadata options.
    #[serde(default, skip_serializing_if = "Options::is_empty")]
    pub options: Options,
    /// What the next launch would get; nothing where the template version could not be read.
    #[serde(default)]
    pub effective: Option<Effective>,
    /// What had to be assumed because it could not be read.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub assumed: Vec<String>,
}

impl FleetSource {
    /// The posture of what would be launched.
    #[must_use]
    pub fn posture(&self) -> Posture {
        self.effective.as_ref().map_or(Posture::Unknown, Effective::posture)
    }

    /// Whether the request itself decides the image, so that no template version stands for it.
    #[must_use]
    pub const fn is_own(&self) -> bool {
        self.template.is_none() || self.image_id.is_some()
    }

    /// What it is, in words.
    #[must_use]
    pub fn label(&self) -> String {
        let image = self.image_id.as_deref().map(|id| format!(" with image {id}")).unwrap_or_default();
        match &self.template {
            Some(template) => {
                format!(
                    "template {template} version {}{image}",
                    self.version.as_deref().unwrap_or("$Default")
                )
            }
            None => format!("launch specification{image}"),
        }
    }
}

/// An EC2 Fleet or Spot Fleet request that may still launch instances.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FleetRequest {
    /// Where it is.
    #[serde(flatten)]
    pub place: AccountRegion,
    /// `fleet-...` or `sfr-...`
    pub id: String,
    /// Whose request it is.
    pub service: FleetService,
    /// `active`, `modifying`, `submitted`.
    #[serde(default)]
    pub state: Option<String>,
    /// `maintain` or `request`.
    #[serde(default)]
    pub request_type: Option<String>,
    /// What it launches from.
    pub sources: Vec<FleetSource>,
    /// Who owns it, by its tags.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<Owner>,
    /// Whether a launch that allows IMDSv1 is refused in its account (`HttpTokensEnforced`).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub enforced: bool,
}

impl FleetRequest {
    /// The worst posture of what it would launch.
    #[must_use]
    pub fn posture(&self) -> Posture {
        worst(self.sources.iter().map(FleetSource::posture))
    }
}

/// An instance of a warm pool.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WarmInstance {
    /// `i-...`
    pub id: String,
    /// `Warmed:Stopped` and the like.
    #[serde(default)]
    pub lifecycle_state: Option<String>,
    /// The posture of the instance.
    pub posture: Posture,
}

/// The warm pool of an Auto Scaling group: its instances enter service with the options that they
/// were launched with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WarmPool {
    /// Where it is.
    #[serde(flatten)]
    pub place: AccountRegion,
    /// The group.
    pub id: String,
    /// `Stopped`, `Running` or `Hibernated`.
    #[serde(default)]
    pub pool_state: Option<String>,
    /// Its instances.
    pub instances: Vec<WarmInstance>,
    /// Who owns the group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<Owner>,
}

impl WarmPool {
    /// The worst posture of its instances; nothing when it is empty.
    #[must_use]
    pub fn posture(&self) -> Option<Posture> {
        (!self.instances.is_empty()).then(|| worst(self.instances.iter().map(|it| it.posture)))
    }
}

/// The worst of them; unknown where there is none.
fn worst(postures: impl Iterator<Item = Posture> + Clone) -> Posture {
    let mut order = Posture::ALL.into_iter();
    order.find(|wanted| postures.clone().any(|it| it == *wanted)).unwrap_or(Posture::Unknown)
}
