//! Credentials for the AWS SDK through our own client, so that one session token serves the whole
//! process and the SDK itself never asks the metadata service.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, Result, future};
use imds::{AsyncClient, Clock as _, SystemClock};

use super::credential_cache::CredentialCache;

/// Where the role's credentials are.
const ROLES: &str = "/latest/meta-data/iam/security-credentials/";

/// How long the metadata service has to answer if cached credentials are still good. The SDK gives
/// all of this five seconds.
const PATIENCE: Duration = Duration::from_secs(2);

/// The instance role's credentials.
#[derive(Clone, Debug)]
pub(crate) struct RoleCredentials {
    imds: AsyncClient,
    cache: Arc<CredentialCache>,
}

impl RoleCredentials {
    pub(crate) const fn new(imds: AsyncClient, cache: Arc<CredentialCache>) -> Self {
        Self { imds, cache }
    }

    async fn provide(&self) -> Result {
        let credentials = match self.cache.recall(SystemClock.wall()) {
            None => self.fetch().await?,
            Some(cached) => match tokio::time::timeout(PATIENCE, self.fetch()).await {
                Ok(Ok(fresh)) => fresh,
                Ok(Err(_)) | Err(_) => cached,
            },
        };
        self.cache.note(&credentials);
        Ok(credentials)
    }

    async fn fetch(&self) -> Result {
        let roles = self.imds.get(ROLES).await.map_err(unavailable)?;
        let role = roles.text().map_err(unavailable)?.lines().next().unwrap_or_default().to_owned();
        if role.is_empty() {
            return Err(CredentialsError::not_loaded("the instance has no role"));
        }
        let answer = self.imds.get(format!("{ROLES}{role}").as_str()).await.map_err(unavailable)?;
        let document: serde_json::Value = answer.json().map_err(unavailable)?;
        let member = |name: &str| document.get(name).and_then(|value| value.as_str());
        // EC2 User Guide, "Retrieve security credentials from instance metadata": anything but
        // `Success` is a failure.
        if let Some(code) = member("Code").filter(|code| *code != "Success") {
            return Err(CredentialsError::provider_error(format!("the role's credentials say `{code}`")));
        }
        let (Some(key), Some(secret), Some(token)) =
            (member("AccessKeyId"), member("SecretAccessKey"), member("Token"))
        else {
            return Err(CredentialsError::invalid_configuration("the role's credentials are incomplete"));
        };
        let expiry = imds_watch::deadline_seconds(&document, UNIX_EPOCH)
            .and_then(|seconds| u64::try_from(seconds).ok())
            .and_then(|seconds| SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(seconds)));
        Ok(Credentials::new(key, secret, Some(token.to_owned()), expiry, "imds"))
    }
}

impl ProvideCredentials for RoleCredentials {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(self.provide())
    }
}

fn unavailable(error: imds::Error) -> CredentialsError {
    CredentialsError::provider_error(error)
}
