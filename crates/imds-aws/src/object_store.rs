//! The role's credentials for the `object_store` crate.

use std::sync::Arc;

use async_trait::async_trait;
use aws_credential_types::provider::error::CredentialsError;
use object_store::CredentialProvider;
use object_store::aws::AwsCredential;

use crate::credentials::ImdsCredentials;

#[async_trait]
impl CredentialProvider for ImdsCredentials {
    type Credential = AwsCredential;

    async fn get_credential(&self) -> object_store::Result<Arc<AwsCredential>> {
        let credentials = self.credentials().await.map_err(generic)?;
        Ok(Arc::new(AwsCredential {
            key_id: credentials.access_key_id().to_owned(),
            secret_key: credentials.secret_access_key().to_owned(),
            token: credentials.session_token().map(str::to_owned),
        }))
    }
}

fn generic(error: CredentialsError) -> object_store::Error {
    object_store::Error::Generic { store: "imds", source: Box::new(error) }
}
