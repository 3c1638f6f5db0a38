//! The provider as `object_store` calls it, against the emulator.

use std::sync::Arc;

use imds::{AsyncClient, EmptyEnvironment};
use imds_aws::ImdsCredentials;
use imds_emulator::Emulator;
use object_store::CredentialProvider as _;
use object_store::aws::{AmazonS3Builder, AwsCredentialProvider};

#[tokio::test]
async fn object_store_signs_with_the_role() {
    let emulator = Emulator::builder().start().unwrap();
    let imds = AsyncClient::builder()
        .environment(EmptyEnvironment)
        .endpoint(emulator.endpoint())
        .no_store()
        .build_async()
        .unwrap();
    let credentials: AwsCredentialProvider = Arc::new(ImdsCredentials::new(imds.clone()));
    let store = AmazonS3Builder::new()
        .with_bucket_name("example")
        .with_region("us-east-1")
        .with_credentials(credentials)
        .build()
        .unwrap();
    let used = store.credentials().get_credential().await.unwrap();
    let role = imds.role_name().await.unwrap().unwrap();
    let document = imds.role_credentials(&role).await.unwrap();
    assert_eq!(used.key_id, document.access_key_id);
    assert_eq!(used.secret_key, document.secret_access_key);
    assert_eq!(used.token, Some(document.token));
}

#[tokio::test]
async fn an_error_names_the_store_and_the_cause() {
    let emulator = Emulator::builder().unset("iam").start().unwrap();
    let imds = AsyncClient::builder()
        .environment(EmptyEnvironment)
        .endpoint(emulator.endpoint())
        .no_store()
        .build_async()
        .unwrap();
    let error = ImdsCredentials::new(imds).get_credential().await.unwrap_err();
    assert!(matches!(error, object_store::Error::Generic { store: "imds", .. }), "{error:?}");
}
