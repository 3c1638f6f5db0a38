//! The providers as the SDK calls them, against the emulator.

use aws_credential_types::provider::ProvideCredentials as _;
use imds::{AsyncClient, EmptyEnvironment};
use imds_aws::{ImdsCredentials, ImdsRegion};
use imds_emulator::Emulator;

fn client(endpoint: impl Into<String>) -> AsyncClient {
    AsyncClient::builder().environment(EmptyEnvironment).endpoint(endpoint).no_store().build_async().unwrap()
}

#[tokio::test]
async fn the_sdk_gets_the_role_and_the_region() {
    let emulator = Emulator::builder().start().unwrap();
    let imds = client(emulator.endpoint());
    let region = ImdsRegion::new(imds.clone());
    assert_eq!(aws_config::meta::region::ProvideRegion::region(&region).await.unwrap().as_ref(), "us-east-1");
    let config = aws_config::SdkConfig::builder()
        .credentials_provider(aws_credential_types::provider::SharedCredentialsProvider::new(
            ImdsCredentials::new(imds.clone()),
        ))
        .build();
    let provided = config.credentials_provider().unwrap().provide_credentials().await.unwrap();
    let role = imds.role_name().await.unwrap().unwrap();
    let document = imds.role_credentials(&role).await.unwrap();
    assert_eq!(provided.access_key_id(), document.access_key_id);
    assert_eq!(provided.secret_access_key(), document.secret_access_key);
    assert_eq!(provided.session_token(), Some(document.token.as_str()));
    // Asked for again within the five minutes in which the next ones exist.
    let early = document.expiration.duration_since(provided.expiry().unwrap()).unwrap().as_secs();
    assert!((120..=240).contains(&early), "{early}");
}

#[tokio::test]
async fn an_instance_without_a_role_lets_a_chain_go_on() {
    let emulator = Emulator::builder().unset("iam").start().unwrap();
    let error = ImdsCredentials::new(client(emulator.endpoint())).provide_credentials().await.unwrap_err();
    assert!(
        matches!(error, aws_credential_types::provider::error::CredentialsError::CredentialsNotLoaded(_)),
        "{error:?}"
    );
    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert_eq!(cause, "the instance has no role");
}

#[tokio::test]
async fn two_hundred_tasks_share_one_token_and_one_fetch() {
    let emulator = Emulator::builder().start().unwrap();
    let provider = ImdsCredentials::new(client(emulator.endpoint()));
    let tasks: Vec<_> = (0..200)
        .map(|_| {
            let provider = provider.clone();
            tokio::spawn(async move { provider.credentials().await.unwrap().access_key_id().to_owned() })
        })
        .collect();
    let mut keys = std::collections::BTreeSet::new();
    for task in tasks {
        keys.insert(task.await.unwrap());
    }
    assert_eq!(keys.len(), 1);
    let counts = emulator.requests();
    let asked = |method: &str| counts.iter().filter(|request| &*request.method == method).count();
    assert_eq!(asked("PUT"), 1);
}

#[tokio::test]
async fn nothing_secret_is_in_debug() {
    let emulator = Emulator::builder().start().unwrap();
    let provider = ImdsCredentials::new(client(emulator.endpoint()));
    provider.credentials().await.unwrap();
    assert_eq!(format!("{provider:?}"), "ImdsCredentials { role: None, .. }");
}
