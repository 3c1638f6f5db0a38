//! The parts of an instance that must not reach a log: role credentials and user data.

use std::fmt;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The instance profile's role and how long its credentials last.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Role {
    /// Role name: the last segment of `iam/security-credentials/NAME`.
    #[serde(default = "role_name")]
    pub name: String,
    /// Name of the instance profile; the role's by default.
    #[serde(default)]
    pub instance_profile_name: Option<String>,
    /// Id of the instance profile.
    #[serde(default = "profile_id")]
    pub instance_profile_id: String,
    /// How long credentials last, in seconds. New ones are there at least five minutes before the
    /// old ones expire (EC2 User Guide, "Retrieve security credentials from instance
    /// metadata"), or half their life where that is less.
    #[serde(default = "lifetime_seconds")]
    pub lifetime_seconds: u32,
    /// Whether the extended form of the credentials, which has the account, is shown as well.
    #[serde(default = "extended")]
    pub extended: bool,
    /// Credentials to show as they are instead of fake ones, to readers of both versions.
    #[serde(default)]
    pub credentials: Option<Credentials>,
}

/// Credentials given by the user.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Credentials {
    /// Access key id.
    pub access_key_id: String,
    /// Secret access key.
    pub secret_access_key: String,
    /// Session token.
    pub token: String,
}

impl Role {
    /// A role of this name with fake credentials that last six hours.
    #[must_use]
    pub fn named(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            instance_profile_name: None,
            instance_profile_id: profile_id(),
            lifetime_seconds: lifetime_seconds(),
            extended: extended(),
            credentials: None,
        }
    }
}

impl Role {
    /// How long credentials last.
    pub(crate) fn lifetime(&self) -> Duration {
        Duration::from_secs(self.lifetime_seconds.into())
    }
}

const fn extended() -> bool {
    true
}

fn role_name() -> String {
    "my-role".to_owned()
}

fn profile_id() -> String {
    "AIPAABCDEFGHIJKLMN123".to_owned()
}

const fn lifetime_seconds() -> u32 {
    6 * 60 * 60
}

impl fmt::Debug for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Role").field("name", &self.name).finish_non_exhaustive()
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").finish_non_exhaustive()
    }
}

/// User data: opaque bytes, written in a file as text or as `{ base64 = "..." }`.
#[derive(Clone, PartialEq, Eq)]
pub struct UserData(pub Vec<u8>);

impl fmt::Debug for UserData {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "UserData({} bytes)", self.0.len())
    }
}

#[derive(Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
struct Encoded {
    /// The bytes in base64.
    base64: String,
}

#[cfg(test)]
impl schemars::JsonSchema for UserData {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "UserData".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let encoded = generator.subschema_for::<Encoded>();
        schemars::json_schema!({ "anyOf": [{ "type": "string" }, encoded] })
    }
}

impl Serialize for UserData {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match std::str::from_utf8(&self.0) {
            Ok(text) => serializer.serialize_str(text),
            Err(_) => Encoded { base64: STANDARD.encode(&self.0) }.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for UserData {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl<'de> serde::de::Visitor<'de> for Either {
            type Value = UserData;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text or `{ base64 = \"...\" }`")
            }
            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<UserData, E> {
                Ok(UserData(text.as_bytes().to_vec()))
            }
            fn visit_map<A: serde::de::MapAccess<'de>>(self, map: A) -> Result<UserData, A::Error> {
                let encoded = Encoded::deserialize(serde::de::value::MapAccessDeserializer::new(map))?;
                STANDARD
                    .decode(encoded.base64)
                    .map(UserData)
                    .map_err(|error| A::Error::custom(format!("`base64` does not hold base64: {error}")))
            }
        }
        deserializer.deserialize_any(Either)
    }
}
