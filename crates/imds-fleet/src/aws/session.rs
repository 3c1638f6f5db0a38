//! Who calls, and as whom in each account: one AssumeRole per account, shared by all Regions and
//! services.

use std::sync::Arc;
use std::time::Duration;

use aws_config::provider_config::ProviderConfig;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};
use aws_sdk_ec2::config::IdentityCache;
use aws_types::os_shim_internal::Env;

use super::call::Caller;
use super::credentials::{AssumedRole, Assuming, Renewing, Unavailable, chain};
use super::http;
use super::limit::{Api, Limits};
use super::profile::Profiles;
use crate::error::Error;
use crate::fault::Fault;
use crate::inventory::resource::{AccountRegion, Reason};

/// How to reach AWS.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// The profile of the AWS configuration files.
    pub profile: Option<String>,
    /// The Region for STS and Organizations; else the environment's or the profile's, else
    /// `us-east-1`.
    pub home_region: Option<String>,
    /// Where all services answer, instead of AWS.
    pub endpoint_url: Option<String>,
    /// Whether the instance's own role may be used.
    pub instance_role: bool,
    /// The name of the role to assume in the other accounts.
    pub role_name: Option<String>,
    /// What that role's trust policy requires.
    pub external_id: Option<String>,
    /// The share of AWS's published limits to use.
    pub share: f64,
    /// The first pause after a failure.
    pub backoff: Duration,
}

/// The caller, known to AWS.
#[derive(Clone, Debug)]
pub struct Access {
    config: SdkConfig,
    settings: Settings,
    caller: Caller,
    home: AccountRegion,
    /// Who calls.
    pub arn: String,
}

/// The caller within one account.
#[derive(Clone, Debug)]
pub struct Member {
    config: SdkConfig,
    /// Makes the calls.
    pub caller: Caller,
}

impl Access {
    /// Finds the credentials and asks STS whose they are.
    ///
    /// # Errors
    ///
    /// Returns an error if there are none, or STS does not accept them.
    pub async fn open(settings: Settings) -> Result<Self, Error> {
        let env = Env::real();
        let profiles = Profiles::load(&env, settings.profile.as_deref()).await?;
        let http = http::client(&env, profiles.get("ca_bundle"))?;
        let region = Region::new(home_region(&settings, &env, &profiles)?);
        let provider_config = ProviderConfig::default()
            .with_http_client(http.clone())
            .with_region(Some(region.clone()))
            .with_use_fips(
                env.get("AWS_USE_FIPS_ENDPOINT").ok().map(|value| value.eq_ignore_ascii_case("true")),
            );
        let mut loader = aws_config::defaults(BehaviorVersion::latest())
            .http_client(http)
            .region(region.clone())
            .no_credentials()
            .identity_cache(IdentityCache::no_cache())
            .retry_config(RetryConfig::disabled())
            .timeout_config(
                TimeoutConfig::builder()
                    .connect_timeout(Duration::from_secs(10))
                    .operation_attempt_timeout(Duration::from_secs(120))
                    .build(),
            );
        if let Some(url) = &settings.endpoint_url {
            loader = loader.endpoint_url(endpoint(url)?);
        }
        if let Some(profile) = &settings.profile {
            loader = loader.profile_name(profile);
        }
        let config = imds_sdk_settings::without_empty_endpoints(loader.load().await);
        let caller = Caller::new(Arc::new(Limits::new(settings.share)), settings.backoff);
        let nowhere = AccountRegion { account: String::new(), region: region.to_string() };
        let assuming = Assuming { profiles: &profiles, config: &config, caller: &caller, home: &nowhere };
        let named = settings.profile.is_some();
        let credentials = chain(&provider_config, &assuming, named, settings.instance_role).await?;
        // Asked for before the first call, so that the message says what is wrong and nothing is
        // sent.
        let sign_in = || profiles.sign_in();
        credentials.provide_credentials().await.map_err(|error| Error::no_credentials(&error, sign_in()))?;
        let config = config.to_builder().credentials_provider(credentials).build();

        let sts = aws_sdk_sts::Client::new(&config);
        let identity = caller
            .call(&nowhere, Api::GetCallerIdentity, || sts.get_caller_identity().send())
            .await
            .map_err(|fault| Error::not_identified(fault, sign_in()))?;
        let (Some(account), Some(arn)) = (identity.account, identity.arn) else {
            let text = "answer without an account";
            return Err(Error::Call(Fault::new(Api::GetCallerIdentity.name(), Reason::Service, text)));
        };
        let home = AccountRegion { account, region: region.to_string() };
        Ok(Self { config, settings, caller, home, arn })
    }

    /// The caller's own account and home Region.
    #[must_use]
    pub fn home(&self) -> &AccountRegion {
        &self.home
    }

    /// The caller in this account: itself at home, the role of [`Settings::role_name`] elsewhere.
    ///
    /// # Errors
    ///
    /// Returns an error if the role cannot be assumed.
    pub async fn member(&self, account: &str) -> Result<Member, Fault> {
        if account == self.home.account {
            return Ok(Member { config: self.config.clone(), caller: self.caller.clone() });
        }
        let Some(role) = &self.settings.role_name else {
            let text = "no role to assume in another account";
            return Err(Fault::new(Api::AssumeRole.name(), Reason::Denied, text));
        };
        self.assume(&format!("arn:{}:iam::{account}:role/{role}", self.partition())).await
    }

    /// The caller in this role.
    ///
    /// # Errors
    ///
    /// Returns an error if the role cannot be assumed.
    pub async fn assume(&self, role_arn: &str) -> Result<Member, Fault> {
        let role = Renewing::role(AssumedRole {
            sts: aws_sdk_sts::Client::new(&self.config),
            caller: self.caller.clone(),
            home: self.home.clone(),
            role_arn: role_arn.to_owned(),
            session_name: "imds-fleet".to_owned(),
            external_id: self.settings.external_id.clone(),
            mfa_serial: None,
            duration: None,
        });
        // Now rather than at the first call: every Region of the account waits for it and shares
        // its failure.
        role.current().await.map_err(|error| match error {
            Unavailable::Role(fault) => fault,
            Unavailable::Chain(error) => {
                Fault::new(Api::AssumeRole.name(), Reason::Denied, error.to_string())
            }
        })?;
        let config =
            self.config.to_builder().credentials_provider(SharedCredentialsProvider::new(role)).build();
        Ok(Member { config, caller: self.caller.clone() })
    }

    /// The caller itself.
    #[must_use]
    pub fn own(&self) -> Member {
        Member { config: self.config.clone(), caller: self.caller.clone() }
    }

    /// `aws`, `aws-cn`, `aws-us-gov`: a role's ARN is in the partition of the caller's.
    fn partition(&self) -> &str {
        self.arn.split(':').nth(1).filter(|partition| !partition.is_empty()).unwrap_or("aws")
    }
}

/// The Region that was asked for, of the environment or of the profile; never IMDS, which the SDK's
/// own chain would ask. A variable that is set to nothing is not set.
fn home_region(settings: &Settings, env: &Env, profiles: &Profiles) -> Result<String, Error> {
    let variable = |name: &str| env.get(name).ok().map(|value| value.trim().to_owned());
    let set = |value: &String| !value.is_empty();
    let region = settings
        .home_region
        .clone()
        .or_else(|| variable("AWS_REGION").filter(set))
        .or_else(|| variable("AWS_DEFAULT_REGION").filter(set))
        .or_else(|| profiles.get("region").map(str::to_owned))
        .unwrap_or_else(|| "us-east-1".to_owned());
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if region.bytes().all(fits) && region.len() <= 64 {
        return Ok(region);
    }
    let shown = imds_model::printable::brief(&region).into_owned();
    Err(Error::Input(format!("`{shown}` is not a Region: set `AWS_REGION` to one such as `eu-west-1`")))
}

fn endpoint(url: &str) -> Result<&str, Error> {
    let rest = url.strip_prefix("http://").or_else(|| url.strip_prefix("https://"));
    if rest
        .is_some_and(|rest| !rest.is_empty() && !rest.contains(|c: char| c.is_whitespace() || c.is_control()))
    {
        return Ok(url);
    }
    let shown = imds_model::printable::brief(url);
    Err(Error::Input(format!(
        "`--endpoint-url {shown}` is not a URL: say for example `http://127.0.0.1:5000`"
    )))
}

impl Member {
    fn within(&self, region: &str) -> SdkConfig {
        self.config.to_builder().region(Region::new(region.to_owned())).build()
    }

    /// EC2 in a Region.
    #[must_use]
    pub fn ec2(&self, region: &str) -> aws_sdk_ec2::Client {
        aws_sdk_ec2::Client::new(&self.within(region))
    }

    /// Auto Scaling in a Region.
    #[must_use]
    pub fn auto_scaling(&self, region: &str) -> aws_sdk_autoscaling::Client {
        aws_sdk_autoscaling::Client::new(&self.within(region))
    }

    /// CloudWatch in a Region.
    #[must_use]
    pub fn cloudwatch(&self, region: &str) -> aws_sdk_cloudwatch::Client {
        aws_sdk_cloudwatch::Client::new(&self.within(region))
    }

    /// Organizations, in the home Region.
    #[must_use]
    pub fn organizations(&self) -> aws_sdk_organizations::Client {
        aws_sdk_organizations::Client::new(&self.config)
    }

    /// Config in a Region.
    #[must_use]
    pub fn config(&self, region: &str) -> aws_sdk_config::Client {
        aws_sdk_config::Client::new(&self.within(region))
    }
}
