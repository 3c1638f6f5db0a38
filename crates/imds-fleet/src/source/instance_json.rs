//! An instance in JSON, as `aws ec2 describe-instances` and AWS Config write it: the same fields,
//! the first in PascalCase, the second in camelCase.

use std::collections::BTreeMap;

use imds_model::options::{HopLimit, HttpTokens, State, Switch};
use serde::Deserialize;

use crate::inventory::options::{Options, Posture};
use crate::inventory::resource::{AccountRegion, Instance};
use crate::inventory::risk::Exposure;

/// The fields that matter here.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct InstanceJson {
    #[serde(alias = "instanceId", default)]
    instance_id: Option<String>,
    #[serde(alias = "instanceType", default)]
    instance_type: Option<String>,
    #[serde(alias = "imageId", default)]
    image_id: Option<String>,
    #[serde(alias = "launchTime", default)]
    launch_time: Option<String>,
    #[serde(alias = "instanceLifecycle", default)]
    instance_lifecycle: Option<String>,
    #[serde(alias = "state", default)]
    state: Option<StateJson>,
    #[serde(alias = "placement", default)]
    placement: Option<PlacementJson>,
    #[serde(alias = "metadataOptions", default)]
    metadata_options: Option<OptionsJson>,
    #[serde(alias = "operator", default)]
    operator: Option<OperatorJson>,
    // The CLI writes `null` for no tags where a query selects them.
    #[serde(alias = "tags", default)]
    tags: Option<Vec<TagJson>>,
    #[serde(alias = "iamInstanceProfile", default)]
    iam_instance_profile: Option<ProfileJson>,
    #[serde(alias = "publicIpAddress", default)]
    public_ip_address: Option<String>,
    #[serde(alias = "ipv6Address", default)]
    ipv6_address: Option<String>,
    // Whole output always has it: without it nothing is known of what a selection left out.
    #[serde(alias = "securityGroups", default)]
    security_groups: Option<Vec<GroupJson>>,
}

#[derive(Debug, Deserialize)]
struct ProfileJson {
    #[serde(alias = "Arn", default)]
    arn: Option<String>,
}

#[derive(Debug, Deserialize)]
struct GroupJson {
    #[serde(alias = "GroupId", alias = "groupId", default)]
    group_id: Option<String>,
}

#[derive(Debug, Deserialize)]
struct StateJson {
    #[serde(alias = "Name", default)]
    name: Option<String>,
}

#[derive(Debug, Deserialize)]
struct PlacementJson {
    #[serde(alias = "AvailabilityZone", alias = "availabilityZone", default)]
    zone: Option<String>,
}

/// The options, as `describe-instances` writes them.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct OptionsJson {
    #[serde(alias = "state", default)]
    state: Option<String>,
    #[serde(alias = "httpTokens", alias = "http_tokens", default)]
    http_tokens: Option<String>,
    #[serde(alias = "httpPutResponseHopLimit", alias = "http_put_response_hop_limit", default)]
    http_put_response_hop_limit: Option<i64>,
    #[serde(alias = "httpEndpoint", alias = "http_endpoint", default)]
    http_endpoint: Option<String>,
    #[serde(alias = "httpProtocolIpv6", alias = "http_protocol_ipv6", default)]
    http_protocol_ipv6: Option<String>,
    #[serde(alias = "instanceMetadataTags", alias = "instance_metadata_tags", default)]
    instance_metadata_tags: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct OperatorJson {
    #[serde(alias = "managed", default)]
    managed: bool,
    #[serde(alias = "principal", default)]
    principal: Option<String>,
    #[serde(alias = "hiddenByDefault", default)]
    hidden_by_default: bool,
}

/// A tag.
#[derive(Debug, Deserialize)]
pub struct TagJson {
    #[serde(alias = "Key")]
    key: String,
    #[serde(alias = "Value", default)]
    value: Option<String>,
}

impl InstanceJson {
    /// The Region of its Availability Zone.
    #[must_use]
    pub fn region(&self) -> Option<String> {
        region_of(self.placement.as_ref()?.zone.as_deref()?)
    }

    /// The instance, unless it has come to its end.
    ///
    /// # Errors
    ///
    /// Returns what is missing.
    pub fn into_instance(
        self,
        place: AccountRegion,
        id: Option<String>,
        more_tags: Vec<TagJson>,
    ) -> Result<Option<Instance>, String> {
        let Some(id) = self.instance_id.or(id) else { return Err("an instance without an id".to_owned()) };
        let run_state = self.state.and_then(|state| state.name).unwrap_or_else(|| "unknown".to_owned());
        if run_state == "terminated" {
            return Ok(None);
        }
        let (options, options_state) =
            self.metadata_options.map_or((Options::NONE, None), |from| from.options());
        let tags: BTreeMap<String, String> = self
            .tags
            .unwrap_or_default()
            .into_iter()
            .chain(more_tags)
            .map(|tag| (tag.key, tag.value.unwrap_or_default()))
            .collect();
        let exposure = self.security_groups.map(|groups| Exposure {
            instance_profile: self.iam_instance_profile.and_then(|it| it.arn),
            public_addresses: self.public_ip_address.into_iter().chain(self.ipv6_address).collect(),
            security_groups: groups.into_iter().filter_map(|it| it.group_id).collect(),
            open: None,
        });
        let hidden = self.operator.as_ref().is_some_and(|operator| operator.hidden_by_default);
        let mut instance = Instance {
            place,
            id,
            name: tags.get("Name").cloned(),
            run_state,
            posture: Posture::of(&options, options_state),
            options,
            options_state,
            instance_type: self.instance_type,
            image_id: self.image_id,
            launched_at: self
                .launch_time
                .and_then(|text| text.parse::<jiff::Timestamp>().ok())
                .map(jiff::Timestamp::as_second),
            lifecycle: self.instance_lifecycle,
            auto_scaling_group: tags.get("aws:autoscaling:groupName").cloned(),
            operator: self
                .operator
                .filter(|operator| operator.managed)
                .map(|operator| operator.principal.unwrap_or_else(|| "unnamed".to_owned())),
            hidden,
            tags,
            exposure,
            risk: None,
        };
        instance.assess();
        Ok(Some(instance))
    }
}

impl OptionsJson {
    /// The options and whether they are in force. What is spelled in an unknown way counts as not
    /// said.
    #[must_use]
    pub fn options(&self) -> (Options, Option<State>) {
        let options = Options {
            http_tokens: self.http_tokens.as_deref().and_then(HttpTokens::parse),
            http_endpoint: self.http_endpoint.as_deref().and_then(Switch::parse),
            http_put_response_hop_limit: self
                .http_put_response_hop_limit
                .and_then(|hops| u8::try_from(hops).ok())
                .and_then(HopLimit::new),
            http_protocol_ipv6: self.http_protocol_ipv6.as_deref().and_then(Switch::parse),
            instance_metadata_tags: self.instance_metadata_tags.as_deref().and_then(Switch::parse),
        };
        (options, self.state.as_deref().and_then(State::parse))
    }
}

/// The Region that a zone lies in: `us-east-1a`, `us-west-2-lax-1a` and `us-east-1-wl1-bos-wlz-1`
/// all start with it, and it ends with the first part that is a number.
pub(super) fn region_of(zone: &str) -> Option<String> {
    let mut region = String::new();
    for part in zone.split('-') {
        let digits: String = part.chars().take_while(char::is_ascii_digit).collect();
        if !region.is_empty() {
            region.push('-');
        }
        if !digits.is_empty() {
            region.push_str(&digits);
            return Some(region);
        }
        region.push_str(part);
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regions_of_zones() {
        let cases = [
            ("us-east-1a", "us-east-1"),
            ("us-west-2-lax-1a", "us-west-2"),
            ("us-east-1-wl1-bos-wlz-1", "us-east-1"),
            ("us-gov-west-1b", "us-gov-west-1"),
        ];
        for (zone, region) in cases {
            assert_eq!(region_of(zone).as_deref(), Some(region), "{zone}");
        }
        assert_eq!(region_of("nowhere"), None);
    }
}
