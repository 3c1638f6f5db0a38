//! The metadata options of an instance, as the EC2 API names them
//! (`InstanceMetadataOptionsResponse`).

use std::fmt;

/// Declares an enum whose variants have one spelling each in the EC2 API.
macro_rules! api_enum {
    ($(#[$meta:meta])* $name:ident { $($(#[$vmeta:meta])* $variant:ident = $text:literal),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum $name { $($(#[$vmeta])* $variant),+ }

        impl $name {
            /// Every value, in the order of the API reference.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// The spelling of the EC2 API.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),+ }
            }

            /// The value with this spelling of the EC2 API, if there is one.
            #[must_use]
            pub fn parse(text: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|value| value.as_str() == text)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        #[cfg(feature = "serde")]
        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        #[cfg(feature = "serde")]
        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <std::borrow::Cow<'de, str> as serde::Deserialize>::deserialize(deserializer)?;
                Self::parse(&text).ok_or_else(|| {
                    serde::de::Error::unknown_variant(&text, &[$($text),+])
                })
            }
        }
    };
}

api_enum! {
    /// Whether requests need a session token (`HttpTokens`).
    HttpTokens {
        /// IMDSv1 and IMDSv2 are both answered.
        Optional = "optional",
        /// Only IMDSv2 is answered.
        Required = "required",
    }
}

api_enum! {
    /// A switch of the metadata options: `HttpEndpoint`, `HttpProtocolIpv6`,
    /// `InstanceMetadataTags`.
    Switch {
        /// Off.
        Disabled = "disabled",
        /// On.
        Enabled = "enabled",
    }
}

api_enum! {
    /// Whether a change of the options has reached the instance (`State`).
    State {
        /// The instance is not yet ready to serve with the new selection.
        Pending = "pending",
        /// The options are in force.
        Applied = "applied",
    }
}

/// How far the answer to a token PUT travels (`HttpPutResponseHopLimit`): 1 to 64 network hops.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct HopLimit(u8);

impl HopLimit {
    /// The smallest, which is also the platform's default.
    pub const MIN: Self = Self(1);
    /// The largest.
    pub const MAX: Self = Self(64);

    /// The hop limit of this number of hops, if it lies within 1 to 64.
    #[must_use]
    pub const fn new(hops: u8) -> Option<Self> {
        if hops >= Self::MIN.0 && hops <= Self::MAX.0 { Some(Self(hops)) } else { None }
    }

    /// The number of hops.
    #[must_use]
    pub const fn get(self) -> u8 {
        self.0
    }
}

impl fmt::Display for HopLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(feature = "serde")]
impl serde::Serialize for HopLimit {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u8(self.0)
    }
}

#[cfg(feature = "serde")]
impl<'de> serde::Deserialize<'de> for HopLimit {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let hops = <u64 as serde::Deserialize>::deserialize(deserializer)?;
        u8::try_from(hops).ok().and_then(Self::new).ok_or_else(|| {
            serde::de::Error::invalid_value(serde::de::Unexpected::Unsigned(hops), &"a hop limit of 1 to 64")
        })
    }
}

/// The six metadata options of one instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct MetadataOptions {
    /// Whether requests need a session token.
    pub http_tokens: HttpTokens,
    /// Whether the service answers at all.
    pub http_endpoint: Switch,
    /// How far the answer to a token PUT travels.
    pub http_put_response_hop_limit: HopLimit,
    /// Whether the IPv6 endpoint answers.
    pub http_protocol_ipv6: Switch,
    /// Whether instance tags are shown.
    pub instance_metadata_tags: Switch,
    /// Whether these options are already in force.
    pub state: State,
}

impl Default for MetadataOptions {
    /// The platform's defaults, where neither launch, account nor image say otherwise.
    fn default() -> Self {
        Self {
            http_tokens: HttpTokens::Optional,
            http_endpoint: Switch::Enabled,
            http_put_response_hop_limit: HopLimit::MIN,
            http_protocol_ipv6: Switch::Disabled,
            instance_metadata_tags: Switch::Disabled,
            state: State::Applied,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spelled_as_the_api_spells_them() {
        assert_eq!(HttpTokens::parse("optional"), Some(HttpTokens::Optional));
        assert_eq!(HttpTokens::parse("required"), Some(HttpTokens::Required));
        assert_eq!(Switch::parse("disabled"), Some(Switch::Disabled));
        assert_eq!(Switch::parse("enabled"), Some(Switch::Enabled));
        assert_eq!(State::parse("pending"), Some(State::Pending));
        assert_eq!(State::parse("applied"), Some(State::Applied));
        assert_eq!(HttpTokens::parse("Required"), None);
    }

    #[test]
    fn hop_limit_is_1_to_64() {
        assert_eq!(HopLimit::new(0), None);
        assert_eq!(HopLimit::new(1), Some(HopLimit::MIN));
        assert_eq!(HopLimit::new(64), Some(HopLimit::MAX));
        assert_eq!(HopLimit::new(65), None);
    }
}
