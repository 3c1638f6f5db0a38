//! Metadata options of which some may be unset: what a launch template, an account default or an
//! old export says.

use imds_model::options::{HopLimit, HttpTokens, State, Switch};
use serde::{Deserialize, Serialize};

/// The five options that a person can set, each of which may be left open.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Options {
    /// Whether requests need a session token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub http_tokens: Option<HttpTokens>,
    /// Whether the service answers at all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub http_endpoint: Option<Switch>,
    /// How far the answer to a token PUT travels.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub http_put_response_hop_limit: Option<HopLimit>,
    /// Whether the IPv6 endpoint answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub http_protocol_ipv6: Option<Switch>,
    /// Whether instance tags are shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instance_metadata_tags: Option<Switch>,
}

impl Options {
    /// No option set.
    pub const NONE: Self = Self {
        http_tokens: None,
        http_endpoint: None,
        http_put_response_hop_limit: None,
        http_protocol_ipv6: None,
        instance_metadata_tags: None,
    };

    /// Whether no option is set.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::NONE
    }

    /// Whether all five are known.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.http_tokens.is_some()
            && self.http_endpoint.is_some()
            && self.http_put_response_hop_limit.is_some()
            && self.http_protocol_ipv6.is_some()
            && self.instance_metadata_tags.is_some()
    }

    /// These options, with those that `above` sets in their place.
    #[must_use]
    pub fn overlaid(self, above: &Self) -> Self {
        Self {
            http_tokens: above.http_tokens.or(self.http_tokens),
            http_endpoint: above.http_endpoint.or(self.http_endpoint),
            http_put_response_hop_limit: above
                .http_put_response_hop_limit
                .or(self.http_put_response_hop_limit),
            http_protocol_ipv6: above.http_protocol_ipv6.or(self.http_protocol_ipv6),
            instance_metadata_tags: above.instance_metadata_tags.or(self.instance_metadata_tags),
        }
    }

    /// Those of these options that `keys` sets too.
    #[must_use]
    pub fn restricted_to(&self, keys: &Self) -> Self {
        Self {
            http_tokens: self.http_tokens.filter(|_| keys.http_tokens.is_some()),
            http_endpoint: self.http_endpoint.filter(|_| keys.http_endpoint.is_some()),
            http_put_response_hop_limit: self
                .http_put_response_hop_limit
                .filter(|_| keys.http_put_response_hop_limit.is_some()),
            http_protocol_ipv6: self.http_protocol_ipv6.filter(|_| keys.http_protocol_ipv6.is_some()),
            instance_metadata_tags: self
                .instance_metadata_tags
                .filter(|_| keys.instance_metadata_tags.is_some()),
        }
    }

    /// What has to be sent so that `current` becomes these options: only the set ones that differ.
    #[must_use]
    pub fn differing_from(&self, current: &Self) -> Self {
        fn differing<T: PartialEq + Copy>(wanted: Option<T>, current: Option<T>) -> Option<T> {
            wanted.filter(|value| current != Some(*value))
        }
        Self {
            http_tokens: differing(self.http_tokens, current.http_tokens),
            http_endpoint: differing(self.http_endpoint, current.http_endpoint),
            http_put_response_hop_limit: differing(
                self.http_put_response_hop_limit,
                current.http_put_response_hop_limit,
            ),
            http_protocol_ipv6: differing(self.http_protocol_ipv6, current.http_protocol_ipv6),
            instance_metadata_tags: differing(self.instance_metadata_tags, current.instance_metadata_tags),
        }
    }

    /// The set options by the name that the EC2 API gives them.
    #[must_use]
    pub fn named(&self) -> Vec<(&'static str, String)> {
        let mut named = Vec::new();
        if let Some(value) = self.http_tokens {
            named.push(("HttpTokens", value.to_string()));
        }
        if let Some(value) = self.http_endpoint {
            named.push(("HttpEndpoint", value.to_string()));
        }
        if let Some(value) = self.http_put_response_hop_limit {
            named.push(("HttpPutResponseHopLimit", value.to_string()));
        }
        if let Some(value) = self.http_protocol_ipv6 {
            named.push(("HttpProtocolIpv6", value.to_string()));
        }
        if let Some(value) = self.instance_metadata_tags {
            named.push(("InstanceMetadataTags", value.to_string()));
        }
        named
    }
}

/// What can be said about IMDSv1 on one instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Posture {
    /// IMDSv1 is answered.
    V1Allowed,
    /// IMDSv2 is required, but the instance is not yet ready to serve so.
    V2Pending,
    /// Only IMDSv2 is answered.
    V2Required,
    /// The service is turned off.
    EndpointDisabled,
    /// The source did not say whether tokens are required.
    Unknown,
}

impl Posture {
    /// Every posture, worst first.
    pub const ALL: [Self; 5] =
        [Self::V1Allowed, Self::Unknown, Self::V2Pending, Self::V2Required, Self::EndpointDisabled];

    /// The posture of an instance with these options and this state.
    ///
    /// A disabled endpoint answers nobody, whatever `HttpTokens` says; while a change is `pending`
    /// the instance is "not ready to process metadata traffic with the new selection" (API
    /// reference, `InstanceMetadataOptionsResponse`), so neither a pending disable nor a pending
    /// requirement counts as done.
    #[must_use]
    pub fn of(options: &Options, state: Option<State>) -> Self {
        let pending = state == Some(State::Pending);
        match (options.http_endpoint, options.http_tokens) {
            (Some(Switch::Disabled), _) if !pending => Self::EndpointDisabled,
            (_, Some(HttpTokens::Optional)) => Self::V1Allowed,
            (_, Some(HttpTokens::Required)) if pending => Self::V2Pending,
            (_, Some(HttpTokens::Required)) => Self::V2Required,
            (_, None) => Self::Unknown,
        }
    }

    /// What it means, in a few words.
    #[must_use]
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::V1Allowed => "IMDSv1 is answered",
            Self::V2Pending => "IMDSv2 is required, and not yet in force",
            Self::V2Required => "only IMDSv2 is answered",
            Self::EndpointDisabled => "the service is off",
            Self::Unknown => "not known",
        }
    }

    /// The word that stands for it in every output.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::V1Allowed => "v1-allowed",
            Self::V2Pending => "v2-pending",
            Self::V2Required => "v2-required",
            Self::EndpointDisabled => "endpoint-disabled",
            Self::Unknown => "unknown",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn posture_reads_endpoint_state_and_tokens_together() {
        let with = |tokens, endpoint, state| {
            let options =
                Options { http_tokens: tokens, http_endpoint: Some(endpoint), ..Options::default() };
            Posture::of(&options, Some(state)).as_str()
        };
        let (optional, required) = (Some(HttpTokens::Optional), Some(HttpTokens::Required));
        assert_eq!(with(optional, Switch::Enabled, State::Applied), "v1-allowed");
        assert_eq!(with(required, Switch::Enabled, State::Applied), "v2-required");
        assert_eq!(with(required, Switch::Enabled, State::Pending), "v2-pending");
        assert_eq!(with(optional, Switch::Disabled, State::Applied), "endpoint-disabled");
        assert_eq!(with(optional, Switch::Disabled, State::Pending), "v1-allowed");
        assert_eq!(with(None, Switch::Enabled, State::Applied), "unknown");
    }

    #[test]
    fn only_what_differs_is_sent() {
        let current = Options {
            http_tokens: Some(HttpTokens::Optional),
            http_endpoint: Some(Switch::Disabled),
            http_put_response_hop_limit: HopLimit::new(2),
            ..Options::default()
        };
        let wanted = Options {
            http_tokens: Some(HttpTokens::Required),
            http_put_response_hop_limit: HopLimit::new(2),
            ..Options::default()
        };
        assert_eq!(
            wanted.differing_from(&current),
            Options { http_tokens: Some(HttpTokens::Required), ..Options::default() }
        );
        assert_eq!(current.overlaid(&wanted).http_endpoint, Some(Switch::Disabled));
        assert_eq!(current.overlaid(&wanted).http_tokens, Some(HttpTokens::Required));
    }

    #[test]
    fn written_in_the_api_s_spelling() {
        let options = Options {
            http_tokens: Some(HttpTokens::Required),
            http_put_response_hop_limit: HopLimit::new(64),
            ..Options::default()
        };
        let text = serde_json::to_string(&options).unwrap();
        assert_eq!(text, r#"{"http_tokens":"required","http_put_response_hop_limit":64}"#);
        assert_eq!(serde_json::from_str::<Options>(&text).unwrap(), options);
        let error = serde_json::from_str::<Options>(r#"{"http_put_response_hop_limit":65}"#).unwrap_err();
        assert!(error.to_string().contains("a hop limit of 1 to 64"), "{error}");
    }
}
