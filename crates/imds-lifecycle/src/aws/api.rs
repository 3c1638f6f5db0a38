//! The calls of Auto Scaling's API.

use std::error::Error as _;
use std::time::Duration;

use aws_config::environment::EnvironmentVariableCredentialsProvider;
use aws_config::meta::credentials::CredentialsProviderChain;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region};
use aws_sdk_autoscaling::Client;
use aws_sdk_autoscaling::config::SharedHttpClient;
use aws_sdk_autoscaling::error::{ProvideErrorMetadata, SdkError};

use super::credentials::RoleCredentials;
use crate::machine::ApiError;
use crate::machine::hooks::HookInfo;
use crate::machine::record::ActionResult;

/// Auto Scaling in the instance's Region.
#[derive(Clone, Debug)]
pub(crate) struct Api {
    client: Client,
    instance_id: String,
}

impl Api {
    /// Sends nothing yet. Endpoint and retry settings are the AWS SDK's own (`AWS_ENDPOINT_URL` and
    /// so on); credentials are the environment's if it has some, else the instance role's.
    pub(crate) async fn new(
        http: SharedHttpClient,
        role: RoleCredentials,
        region: String,
        instance_id: String,
    ) -> Self {
        let credentials =
            CredentialsProviderChain::first_try("environment", EnvironmentVariableCredentialsProvider::new())
                .or_else("imds", role);
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(Duration::from_secs(3))
            .operation_attempt_timeout(Duration::from_secs(10))
            .build();
        // Region and credentials are given, so that the SDK has no reason to ask the metadata
        // service itself.
        let config = aws_config::defaults(BehaviorVersion::latest())
            .http_client(http)
            .region(Region::new(region))
            .credentials_provider(credentials)
            .retry_config(RetryConfig::standard())
            .timeout_config(timeouts)
            .load()
            .await;
        Self { client: Client::new(&imds_sdk_settings::without_empty_endpoints(config)), instance_id }
    }

    /// The group that the instance is in, and its `LifecycleState`.
    pub(crate) async fn instance(&self) -> Result<Option<(String, String)>, String> {
        let answer = self
            .client
            .describe_auto_scaling_instances()
            .instance_ids(&self.instance_id)
            .send()
            .await
            .map_err(|error| told(&error))?;
        Ok(answer.auto_scaling_instances().first().and_then(|found| {
            Some((found.auto_scaling_group_name.clone()?, found.lifecycle_state.clone().unwrap_or_default()))
        }))
    }

    /// The group's lifecycle hooks.
    pub(crate) async fn hooks(&self, group: &str) -> Result<Vec<HookInfo>, String> {
        let call = self.client.describe_lifecycle_hooks().auto_scaling_group_name(group);
        let answer = call.send().await.map_err(|error| told(&error))?;
        let info = |hook: &aws_sdk_autoscaling::types::LifecycleHook| {
            let seconds = hook.heartbeat_timeout.and_then(|seconds| u64::try_from(seconds).ok());
            Some(HookInfo {
                name: hook.lifecycle_hook_name.clone()?,
                transition: hook.lifecycle_transition.clone()?,
                heartbeat_timeout: seconds.filter(|seconds| *seconds > 0).map(Duration::from_secs),
            })
        };
        Ok(answer.lifecycle_hooks().iter().filter_map(info).collect())
    }

    /// Prolongs the wait of the lifecycle action.
    pub(crate) async fn heartbeat(&self, group: &str, hook: &str) -> Result<(), ApiError> {
        self.client
            .record_lifecycle_action_heartbeat()
            .auto_scaling_group_name(group)
            .lifecycle_hook_name(hook)
            .instance_id(&self.instance_id)
            .send()
            .await
            .map(drop)
            .map_err(|error| classify(&error))
    }

    /// Ends the wait of the lifecycle action.
    pub(crate) async fn complete(
        &self,
        group: &str,
        hook: &str,
        result: ActionResult,
    ) -> Result<(), ApiError> {
        self.client
            .complete_lifecycle_action()
            .auto_scaling_group_name(group)
            .lifecycle_hook_name(hook)
            .instance_id(&self.instance_id)
            .lifecycle_action_result(result.as_str())
            .customize()
            // Sent once at a time: the daemon has its own pauses, and looks at the state in
            // between.
            .config_override(aws_sdk_autoscaling::Config::builder().retry_config(RetryConfig::disabled()))
            .send()
            .await
            .map(drop)
            .map_err(|error| classify(&error))
    }
}

/// `ValidationError` is the code for everything that is wrong with a request; only the message
/// tells that the action is not there ("No active Lifecycle Action found with instance ID ...",
/// aws/aws-sdk-go#1147).
fn classify<E: ProvideErrorMetadata + std::error::Error + 'static>(error: &SdkError<E>) -> ApiError {
    let message = error.message().unwrap_or_default();
    if error.code() == Some("ValidationError") && message.contains("No active Lifecycle Action") {
        return ApiError::NoAction;
    }
    ApiError::Other(told(error))
}

/// What happened, in one line: the service's own words where it has some, else the innermost cause.
fn told<E: ProvideErrorMetadata + std::error::Error + 'static>(error: &SdkError<E>) -> String {
    if let Some(code) = error.code() {
        return format!("{code}: {}", error.message().unwrap_or("no message"));
    }
    let mut words = vec![error.to_string()];
    let mut cause = error.source();
    while let Some(next) = cause {
        words.push(next.to_string());
        cause = next.source();
    }
    words.dedup();
    words.join(": ")
}
