//! The service's JSON documents, typed.

use std::fmt;
use std::time::SystemTime;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::client::response::Response;
use crate::error::{Error, ErrorKind};

/// The instance identity document: facts that the signatures beside it vouch for. A Snowball Edge
/// fills few of them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct IdentityDocument {
    /// Account that launched the instance: twelve digits.
    pub account_id: Option<String>,
    /// Architecture of the image.
    pub architecture: Option<String>,
    /// Availability Zone.
    pub availability_zone: Option<String>,
    /// Billing product codes.
    pub billing_products: Option<Vec<String>>,
    /// DevPay product codes.
    pub devpay_product_codes: Option<Vec<String>>,
    /// AWS Marketplace product codes.
    pub marketplace_product_codes: Option<Vec<String>>,
    /// Image.
    pub image_id: Option<String>,
    /// Instance.
    pub instance_id: Option<String>,
    /// Type of the instance.
    pub instance_type: Option<String>,
    /// Kernel of a paravirtual image.
    pub kernel_id: Option<String>,
    /// When the instance was launched.
    #[serde(deserialize_with = "time::optional")]
    pub pending_time: Option<SystemTime>,
    /// Private IPv4 address of the primary interface.
    pub private_ip: Option<String>,
    /// RAM disk of a paravirtual image.
    pub ramdisk_id: Option<String>,
    /// AWS Region.
    pub region: Option<String>,
    /// Version of the document's form.
    pub version: Option<String>,
}

/// Which instance profile is attached.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct IamInfo {
    /// `Success`, or what went wrong.
    pub code: String,
    /// When the profile was last looked up.
    #[serde(deserialize_with = "time::required")]
    pub last_updated: SystemTime,
    /// ARN of the instance profile.
    pub instance_profile_arn: Option<String>,
    /// Id of the instance profile.
    pub instance_profile_id: Option<String>,
}

/// What the credentials of the instance's own identity role are for.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct IdentityCredentialsInfo {
    /// `Success`, or what went wrong.
    pub code: String,
    /// When they were last renewed.
    #[serde(deserialize_with = "time::required")]
    pub last_updated: SystemTime,
    /// Account of the instance: twelve digits.
    pub account_id: Option<String>,
}

/// Temporary credentials of a role. `Debug` shows none of them.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct Credentials {
    /// When they were last renewed, if the service says so.
    #[serde(default, deserialize_with = "time::optional")]
    pub last_updated: Option<SystemTime>,
    /// Account of the role: twelve digits. Only the path `iam/security-credentials-extended/` has
    /// it.
    pub account_id: Option<String>,
    /// Access key id.
    pub access_key_id: String,
    /// Secret access key.
    pub secret_access_key: String,
    /// The credentials' session token, which has nothing to do with the service's own.
    pub token: String,
    /// When they expire.
    #[serde(deserialize_with = "time::required")]
    pub expiration: SystemTime,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").field("expiration", &self.expiration).finish_non_exhaustive()
    }
}

/// An interruption notice of a Spot Instance.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct SpotInstanceAction {
    /// `hibernate`, `stop` or `terminate`.
    pub action: String,
    /// When it happens.
    #[serde(deserialize_with = "time::required")]
    pub time: SystemTime,
}

/// A rebalance recommendation.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct RebalanceRecommendation {
    /// When the recommendation was made.
    #[serde(deserialize_with = "time::required")]
    pub notice_time: SystemTime,
}

/// A maintenance event.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct MaintenanceEvent {
    /// Kind, such as `system-reboot`.
    pub code: String,
    /// For people.
    pub description: String,
    /// Id.
    pub event_id: Option<String>,
    /// Earliest start.
    #[serde(deserialize_with = "time::required")]
    pub not_before: SystemTime,
    /// Latest end, if one is known.
    #[serde(default, deserialize_with = "time::optional")]
    pub not_after: Option<SystemTime>,
    /// Latest start to which the event can still be moved, if one is known.
    #[serde(default, deserialize_with = "time::optional")]
    pub not_before_deadline: Option<SystemTime>,
    /// `active`, `completed` or `canceled`.
    pub state: String,
}

/// Returns the response as a document.
pub(crate) fn parse<T: DeserializeOwned>(response: &Response) -> Result<T, Error> {
    response.json()
}

/// Times, in each of the two forms that the service writes.
mod time {
    use std::time::SystemTime;

    use imds_model::calendar::DateTime;
    use serde::{Deserialize, Deserializer, de};

    pub(super) fn required<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SystemTime, D::Error> {
        from_text(&String::deserialize(deserializer)?)
    }

    pub(super) fn optional<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<SystemTime>, D::Error> {
        Option::<String>::deserialize(deserializer)?.as_deref().map(from_text).transpose()
    }

    fn from_text<E: de::Error>(text: &str) -> Result<SystemTime, E> {
        // RFC 3339 everywhere but in maintenance events: `21 Jan 2019 09:00:43 GMT`.
        let parsed = DateTime::parse_rfc3339(text).or_else(|_| DateTime::parse_maintenance_date(text));
        parsed.map(DateTime::system_time).map_err(E::custom)
    }
}

/// Returns the response as credentials. A document without them has a `Code` that says why, such as
/// `AssumeRoleUnauthorizedAccess`, and a `Message`. One that is cut or half written is worth
/// another request (aws/aws-sdk-ruby#880).
pub(crate) fn credentials(response: &Response) -> Result<Credentials, Error> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Outcome {
        code: Option<String>,
        message: Option<String>,
    }
    let broken = |error: Error| error.retryable_context(true);
    let Outcome { code, message } = parse(response).map_err(broken)?;
    if let Some(code) = code.filter(|code| code != "Success") {
        // A code is a word and a message a sentence; anything else might be more than that.
        let code: String = code.chars().filter(char::is_ascii_alphanumeric).take(60).collect();
        let told = format!("the service has no credentials at `{}`: `{code}`", response.path());
        let error =
            Error::new(ErrorKind::Protocol, told).path_context(response.path()).service_code_context(code);
        let message: String =
            message.iter().flat_map(|text| text.chars().take(300)).flat_map(char::escape_debug).collect();
        return Err(if message.is_empty() { error } else { error.caused_by(message) });
    }
    let found: Credentials = parse(response).map_err(broken)?;
    if [&found.access_key_id, &found.secret_access_key, &found.token].iter().any(|key| key.is_empty()) {
        let told = format!("the credentials at `{}` lack a key", response.path());
        return Err(broken(Error::new(ErrorKind::Protocol, told).path_context(response.path())));
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(path: &str, body: &str) -> Response {
        Response::new(path.parse().unwrap(), body.as_bytes().to_vec(), None)
    }

    #[test]
    fn credentials_are_never_shown() {
        let body = r#"{"Code":"Success","LastUpdated":"2026-01-15T09:00:00Z","Type":"AWS-HMAC",
            "AccessKeyId":"ASIAIOSFODNN7EXAMPLE","SecretAccessKey":"wJalrXUtnFEMI","Token":"IQoJb3JpZ2lu",
            "Expiration":"2026-01-15T15:00:00Z"}"#;
        let found = credentials(&answer("iam/security-credentials/web", body)).unwrap();
        assert_eq!(found.access_key_id, "ASIAIOSFODNN7EXAMPLE");
        let shown = format!("{found:?}");
        assert!(shown.starts_with("Credentials { expiration: SystemTime {"), "{shown}");
        assert!(!shown.contains("ASIA") && !shown.contains("wJalr") && !shown.contains("IQoJ"), "{shown}");
    }

    #[test]
    fn credentials_that_are_not_there_say_why() {
        let body =
            r#"{"Code":"AssumeRoleUnauthorizedAccess","Message":"no","LastUpdated":"2026-01-15T09:00:00Z"}"#;
        let error = credentials(&answer("iam/security-credentials/web", body)).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the service has no credentials at `/latest/meta-data/iam/security-credentials/web`: \
             `AssumeRoleUnauthorizedAccess`"
        );
    }

    #[test]
    fn a_broken_document_is_not_quoted() {
        let error = parse::<SpotInstanceAction>(&answer("spot/instance-action", "{\"action\": \"x1secret"))
            .unwrap_err();
        let cause = std::error::Error::source(&error).unwrap().to_string();
        assert_eq!((error.kind(), cause.as_str()), (ErrorKind::Protocol, "line 1, column 20"));
    }

    #[test]
    fn members_may_be_missing_null_or_new() {
        let body = r#"{"instanceId":"i-1","pendingTime":"1970-01-01T00:00:07Z","kernelId":null,"billingProducts":["bp-1"],"novelty":1}"#;
        let document: IdentityDocument = parse(&answer("dynamic/instance-identity/document", body)).unwrap();
        let expected = IdentityDocument {
            instance_id: Some("i-1".into()),
            pending_time: Some(SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(7)),
            billing_products: Some(vec!["bp-1".into()]),
            ..IdentityDocument::default()
        };
        assert_eq!(document, expected);
    }
}
