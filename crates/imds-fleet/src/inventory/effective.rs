//! What the next launch would get: AWS's order of precedence, option by option.

use imds_model::options::{HopLimit, HttpTokens, Switch};
use serde::{Deserialize, Serialize};

use super::options::{Options, Posture};

/// Which of the four places decided an option.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// The launch itself: a launch template, a launch configuration or a parameter.
    Launch,
    /// The default of the account in this Region.
    Account,
    /// The image (`ImdsSupport`).
    Image,
    /// Nobody said anything: EC2's own default.
    Platform,
}

impl Origin {
    /// The word that stands for it in every output.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Launch => "launch",
            Self::Account => "account",
            Self::Image => "image",
            Self::Platform => "platform",
        }
    }
}

/// A value and where it came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decided<T> {
    /// The value.
    pub value: T,
    /// Where it came from.
    pub from: Origin,
}

/// The five options as the next launch would get them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Effective {
    /// Whether requests need a session token.
    pub http_tokens: Decided<HttpTokens>,
    /// Whether the service answers at all.
    pub http_endpoint: Decided<Switch>,
    /// How far the answer to a token PUT travels.
    pub http_put_response_hop_limit: Decided<HopLimit>,
    /// Whether the IPv6 endpoint answers.
    pub http_protocol_ipv6: Decided<Switch>,
    /// Whether instance tags are shown.
    pub instance_metadata_tags: Decided<Switch>,
}

impl Effective {
    /// Evaluates each option by itself: launch, then account, then image, then platform ("Order of
    /// precedence for instance metadata options", EC2 User Guide). The image decides tokens
    /// (`required`) and hop limit (2) only; there is no account default for the IPv6 endpoint.
    #[must_use]
    pub fn of(launch: &Options, account: &Options, image_requires_v2: bool) -> Self {
        let tokens_of_image = image_requires_v2.then_some(HttpTokens::Required);
        let hop_of_image = if image_requires_v2 { HopLimit::new(2) } else { None };
        Self {
            http_tokens: first(
                launch.http_tokens,
                account.http_tokens,
                tokens_of_image,
                HttpTokens::Optional,
            ),
            http_endpoint: first(launch.http_endpoint, account.http_endpoint, None, Switch::Enabled),
            http_put_response_hop_limit: first(
                launch.http_put_response_hop_limit,
                account.http_put_response_hop_limit,
                hop_of_image,
                HopLimit::MIN,
            ),
            http_protocol_ipv6: first(launch.http_protocol_ipv6, None, None, Switch::Disabled),
            instance_metadata_tags: first(
                launch.instance_metadata_tags,
                account.instance_metadata_tags,
                None,
                Switch::Disabled,
            ),
        }
    }

    /// The values, without where they came from.
    #[must_use]
    pub fn options(&self) -> Options {
        Options {
            http_tokens: Some(self.http_tokens.value),
            http_endpoint: Some(self.http_endpoint.value),
            http_put_response_hop_limit: Some(self.http_put_response_hop_limit.value),
            http_protocol_ipv6: Some(self.http_protocol_ipv6.value),
            instance_metadata_tags: Some(self.instance_metadata_tags.value),
        }
    }

    /// The posture of an instance launched so.
    #[must_use]
    pub fn posture(&self) -> Posture {
        if self.allows_v1() {
            Posture::V1Allowed
        } else if self.http_endpoint.value == Switch::Disabled {
            Posture::EndpointDisabled
        } else {
            Posture::V2Required
        }
    }

    /// Whether an instance launched so would answer IMDSv1.
    #[must_use]
    pub fn allows_v1(&self) -> bool {
        self.http_endpoint.value == Switch::Enabled && self.http_tokens.value == HttpTokens::Optional
    }
}

fn first<T>(launch: Option<T>, account: Option<T>, image: Option<T>, platform: T) -> Decided<T> {
    let image = image.map(|value| Decided { value, from: Origin::Image });
    let account = account.map(|value| Decided { value, from: Origin::Account });
    launch
        .map(|value| Decided { value, from: Origin::Launch })
        .or(account)
        .or(image)
        .unwrap_or(Decided { value: platform, from: Origin::Platform })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(value: HttpTokens) -> Options {
        Options { http_tokens: Some(value), ..Options::default() }
    }

    /// Every combination of what the three places may say about the tokens.
    #[test]
    fn tokens_by_precedence() {
        use HttpTokens::{Optional, Required};
        use Origin::{Account, Image, Launch, Platform};
        let cases = [
            (None, None, false, Optional, Platform),
            (None, None, true, Required, Image),
            (None, Some(Optional), false, Optional, Account),
            (None, Some(Optional), true, Optional, Account),
            (None, Some(Required), false, Required, Account),
            (None, Some(Required), true, Required, Account),
            (Some(Optional), None, false, Optional, Launch),
            (Some(Optional), None, true, Optional, Launch),
            (Some(Optional), Some(Required), true, Optional, Launch),
            (Some(Required), Some(Optional), false, Required, Launch),
            (Some(Required), None, false, Required, Launch),
        ];
        for (launch, account, image, value, from) in cases {
            let launch = launch.map_or(Options::NONE, tokens);
            let account = account.map_or(Options::NONE, tokens);
            let effective = Effective::of(&launch, &account, image);
            assert_eq!(effective.http_tokens, Decided { value, from }, "{launch:?} {account:?} {image}");
        }
    }

    #[test]
    fn each_option_is_evaluated_by_itself() {
        let launch = tokens(HttpTokens::Required);
        let account = Options { http_put_response_hop_limit: HopLimit::new(3), ..Options::default() };
        let effective = Effective::of(&launch, &account, true);
        assert_eq!(effective.http_tokens.from, Origin::Launch);
        assert_eq!(effective.http_put_response_hop_limit.value.get(), 3);
        assert_eq!(effective.http_put_response_hop_limit.from, Origin::Account);
        assert_eq!(effective.http_endpoint.from, Origin::Platform);
        let effective = Effective::of(&launch, &Options::NONE, true);
        assert_eq!(effective.http_put_response_hop_limit.value.get(), 2);
        assert_eq!(effective.http_put_response_hop_limit.from, Origin::Image);
    }

    #[test]
    fn the_account_has_no_say_on_ipv6() {
        let account = Options { http_protocol_ipv6: Some(Switch::Enabled), ..Options::default() };
        let effective = Effective::of(&Options::NONE, &account, false);
        assert_eq!(effective.http_protocol_ipv6.value, Switch::Disabled);
    }

    #[test]
    fn a_disabled_endpoint_answers_no_v1() {
        let launch = Options { http_endpoint: Some(Switch::Disabled), ..Options::default() };
        assert!(!Effective::of(&launch, &Options::NONE, false).allows_v1());
        assert!(Effective::of(&Options::NONE, &Options::NONE, false).allows_v1());
    }
}
