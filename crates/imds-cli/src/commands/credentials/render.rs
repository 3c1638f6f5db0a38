//! Credentials in the forms that other programs read.

use serde_json::json;

use super::document::Credentials;
use crate::render::shell;

/// The JSON of `credential_process` (AWS CLI User Guide, "Source credentials with an external
/// process").
pub(super) fn process(credentials: &Credentials) -> String {
    let mut value = json!({
        "Version": 1,
        "AccessKeyId": credentials.access_key_id,
        "SecretAccessKey": credentials.secret_access_key,
        "SessionToken": credentials.token,
        "Expiration": credentials.expiration(),
    });
    with_account(&mut value, credentials);
    format!("{value:#}\n")
}

fn with_account(value: &mut serde_json::Value, credentials: &Credentials) {
    if let Some(account) = &credentials.account_id {
        value["AccountId"] = account.as_str().into();
    }
}

/// Lines for a shell, with the names of `aws configure export-credentials --format env`.
pub(super) fn env(credentials: &Credentials) -> String {
    [
        ("AWS_ACCESS_KEY_ID", credentials.access_key_id.as_str()),
        ("AWS_SECRET_ACCESS_KEY", &credentials.secret_access_key),
        ("AWS_SESSION_TOKEN", &credentials.token),
        ("AWS_CREDENTIAL_EXPIRATION", credentials.expiration()),
    ]
    .iter()
    .map(|(name, value)| format!("export {name}={}\n", shell::word(value)))
    .collect()
}

/// Everything that the service says of them.
pub(super) fn json(credentials: &Credentials, role: &str) -> String {
    let mut value = json!({
        "Role": role,
        "AccessKeyId": credentials.access_key_id,
        "SecretAccessKey": credentials.secret_access_key,
        "Token": credentials.token,
        "LastUpdated": credentials.last_updated,
        "Expiration": credentials.expiration(),
    });
    with_account(&mut value, credentials);
    format!("{value:#}\n")
}
