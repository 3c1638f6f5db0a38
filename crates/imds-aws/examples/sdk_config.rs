//! Loads the configuration of the AWS SDK with Region and credentials of the instance.
//!
//! On an instance: `cargo run --package imds-aws --example sdk_config`. Elsewhere, against an
//! emulator: `imds emulate -- cargo run --package imds-aws --example sdk_config`.

use std::io::Write;

use aws_config::{BehaviorVersion, SdkConfig};
use aws_credential_types::provider::ProvideCredentials as _;
use imds::AsyncClient;
use imds_aws::{ImdsCredentials, ImdsRegion};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    run(&AsyncClient::from_env()?, &mut std::io::stdout()).await
}

pub(crate) async fn run(imds: &AsyncClient, out: &mut impl Write) -> Result<(), Box<dyn std::error::Error>> {
    let config = load(imds).await;
    let region = config.region().map_or("unknown", AsRef::as_ref);
    writeln!(out, "region {region}")?;
    let provider = config.credentials_provider().ok_or("the SDK has no credentials provider")?;
    let credentials = provider.provide_credentials().await?;
    // The keys are secrets; their account is none.
    let account = credentials.account_id().map_or("unknown", |account| account.as_str());
    writeln!(out, "credentials of account {account}")?;
    Ok(())
}

/// Returns a configuration for any client of the SDK: `aws_sdk_s3::Client::new(&config)`.
pub(crate) async fn load(imds: &AsyncClient) -> SdkConfig {
    aws_config::defaults(BehaviorVersion::latest())
        .region(ImdsRegion::new(imds.clone()))
        // Both share the session token and the connections.
        .credentials_provider(ImdsCredentials::new(imds.clone()))
        .load()
        .await
}
