//! Reads the emulated service with the AWS SDK for Rust and prints one `ASPECT VALUE` line for each
//! thing read.

use std::error::Error;
use std::process::Command;
use std::time::Duration;

use aws_config::BehaviorVersion;
use aws_config::imds::Client;
use aws_config::imds::region::ImdsRegionProvider;
use aws_config::provider_config::ProviderConfig;
use aws_credential_types::provider::ProvideCredentials;
use aws_smithy_runtime_api::client::http::SharedHttpClient;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    println!("version AWS SDK for Rust, aws-config {}", version());
    let http = aws_smithy_http_client::Builder::new().build_http();
    let provider = ProviderConfig::default().with_http_client(http.clone());
    // Tokens of two seconds; the SDK renews 120 s ahead, so every request has a fresh one.
    let client = Client::builder().configure(&provider).token_ttl(Duration::from_secs(2)).build();
    println!("region {}", region(&client).await?);
    println!("credentials chain {}", access_key(&http).await?);
    let document = client.get("/latest/dynamic/instance-identity/document").await?;
    let document: serde_json::Value = serde_json::from_str(document.as_ref())?;
    let field = |name: &str| document[name].as_str().unwrap_or_default().to_owned();
    println!("identity {} {}", field("instanceId"), field("accountId"));
    let user_data = client.get("/latest/user-data").await?;
    println!("user-data {}", serde_json::to_string(user_data.as_ref())?);
    let status = Command::new("sh").args(["-c", &std::env::var("INTEROP_EXPIRE")?]).status()?;
    if !status.success() {
        return Err("INTEROP_EXPIRE failed".into());
    }
    println!("after-expiry {} {}", region(&client).await?, access_key(&http).await?);
    Ok(())
}

async fn region(client: &Client) -> Result<String, Box<dyn Error>> {
    let provider = ImdsRegionProvider::builder().imds_client(client.clone()).build();
    Ok(provider.region().await.ok_or("no region")?.to_string())
}

/// By the default chain, which nothing is configured for and which therefore ends at the instance's
/// role.
async fn access_key(http: &SharedHttpClient) -> Result<String, Box<dyn Error>> {
    let loader = aws_config::defaults(BehaviorVersion::latest()).http_client(http.clone());
    let config = loader.load().await;
    let provider = config.credentials_provider().ok_or("no provider")?;
    Ok(provider.provide_credentials().await?.access_key_id().to_owned())
}

/// The version that the lock file pins.
fn version() -> &'static str {
    let lock = include_str!("../Cargo.lock");
    let package = lock.split("[[package]]").find(|package| package.contains("name = \"aws-config\"\n"));
    package.and_then(|package| package.split('"').nth(3)).unwrap_or("unknown")
}
