//! Credentials that are given on purpose: environment, profile, web identity, container; the
//! instance's own role only when asked for by name. Off an instance the SDK's default chain would
//! end in attempts to reach IMDS.

use std::time::{Duration, SystemTime};

use aws_config::SdkConfig;
use aws_config::meta::credentials::CredentialsProviderChain;
use aws_config::provider_config::ProviderConfig;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{self, ProvideCredentials, SharedCredentialsProvider, future};
use aws_credential_types::{Credentials, provider::Result as ProviderResult};
use tokio::sync::Mutex;

use super::call::Caller;
use super::limit::Api;
use super::profile::{self, Base, Profiles};
use crate::clock;
use crate::error::Error;
use crate::fault::Fault;
use crate::inventory::resource::{AccountRegion, Reason};

/// How roles that a profile names are assumed.
#[derive(Debug)]
pub struct Assuming<'a> {
    /// The profiles.
    pub profiles: &'a Profiles,
    /// The configuration, without credentials.
    pub config: &'a SdkConfig,
    /// Makes the calls.
    pub caller: &'a Caller,
    /// Where the calls are made.
    pub home: &'a AccountRegion,
}

/// The chain of sources, without the instance role unless `instance_role`.
///
/// # Errors
///
/// Returns an error if the roles of the profile contradict each other.
pub async fn chain(
    config: &ProviderConfig,
    assuming: &Assuming<'_>,
    named: bool,
    instance_role: bool,
) -> Result<SharedCredentialsProvider, Error> {
    let profile = of_profile(config, assuming)?;
    // Asked of this very machine, never by a proxy.
    let local = config.clone().with_http_client(super::http::direct());
    let web_identity = aws_config::web_identity_token::WebIdentityTokenCredentialsProvider::builder()
        .configure(config)
        .build();
    let container = aws_config::ecs::EcsCredentialsProvider::builder().configure(&local).build();
    let environment = aws_config::environment::EnvironmentVariableCredentialsProvider::new();
    // A profile that is named wins over the environment, as with every AWS tool.
    let mut chain = if named {
        CredentialsProviderChain::first_try("profile", profile)
    } else {
        CredentialsProviderChain::first_try("environment", environment)
            .or_else("profile", profile)
            .or_else("web identity token", web_identity)
            .or_else("container", container)
    };
    if instance_role {
        let imds =
            aws_config::imds::credentials::ImdsCredentialsProvider::builder().configure(&local).build();
        chain = chain.or_else("instance role", imds);
    }
    Ok(SharedCredentialsProvider::new(Renewing::new(Origin::Chain(chain))))
}

/// What the profile gives. Its roles are assumed here rather than by the SDK, at the endpoint that
/// all calls go to, and with the code of a device where one is required.
fn of_profile(config: &ProviderConfig, assuming: &Assuming<'_>) -> Result<SharedCredentialsProvider, Error> {
    let read = |name: &str| {
        let profile = aws_config::profile::ProfileFileCredentialsProvider::builder().configure(config);
        SharedCredentialsProvider::new(profile.profile_name(name).build())
    };
    let Some((roles, base)) = assuming.profiles.roles()? else {
        return Ok(read(&assuming.profiles.name));
    };
    let mut provider = match base {
        Base::Profile(name) => read(&name),
        Base::Login(name) => SharedCredentialsProvider::new(profile::login(&name)),
    };
    for role in roles.into_iter().rev() {
        let config = assuming.config.to_builder().credentials_provider(provider).build();
        provider = SharedCredentialsProvider::new(Renewing::role(AssumedRole {
            sts: aws_sdk_sts::Client::new(&config),
            caller: assuming.caller.clone(),
            home: assuming.home.clone(),
            role_arn: role.arn,
            session_name: role.session_name.unwrap_or_else(|| "imds-fleet".to_owned()),
            external_id: role.external_id,
            mfa_serial: role.mfa_serial,
            duration: role.duration,
        }));
    }
    Ok(provider)
}

/// Where credentials come from.
#[derive(Debug)]
enum Origin {
    Chain(CredentialsProviderChain),
    Role(Box<AssumedRole>),
}

/// A role to assume.
#[derive(Debug)]
pub struct AssumedRole {
    /// The client of the STS endpoint in the home Region.
    pub sts: aws_sdk_sts::Client,
    /// Makes the call.
    pub caller: Caller,
    /// The caller's own account, whose STS quota it costs.
    pub home: AccountRegion,
    /// The role.
    pub role_arn: String,
    /// The name of the session, which CloudTrail shows.
    pub session_name: String,
    /// What the role's trust policy requires.
    pub external_id: Option<String>,
    /// The device whose code is asked for.
    pub mfa_serial: Option<String>,
    /// How long the session is to be valid; an hour unless set.
    pub duration: Option<Duration>,
}

impl AssumedRole {
    async fn assume(&self) -> Result<Credentials, Fault> {
        let code = self
            .mfa_serial
            .as_deref()
            .map(profile::code)
            .transpose()
            .map_err(|why| Fault::new(Api::AssumeRole.name(), Reason::Denied, why))?;
        let seconds = self.duration.and_then(|duration| i32::try_from(duration.as_secs()).ok());
        let request = self
            .sts
            .assume_role()
            .set_serial_number(self.mfa_serial.clone())
            .set_token_code(code)
            .set_duration_seconds(seconds)
            .role_arn(&self.role_arn)
            .role_session_name(&self.session_name)
            .set_external_id(self.external_id.clone());
        let answer = self.caller.call(&self.home, Api::AssumeRole, || request.clone().send()).await?;
        let given = answer.credentials.ok_or_else(|| {
            Fault::new(Api::AssumeRole.name(), Reason::Service, "answer without credentials")
        })?;
        let expires = SystemTime::try_from(given.expiration).ok();
        Ok(Credentials::new(
            given.access_key_id,
            given.secret_access_key,
            Some(given.session_token),
            expires,
            "AssumeRole",
        ))
    }
}

/// Credentials that are fetched once for all who ask, and renewed when 80 % of their life is over.
#[derive(Debug)]
pub struct Renewing {
    origin: Origin,
    held: Mutex<Option<(Credentials, Option<SystemTime>)>>,
}

impl Renewing {
    fn new(origin: Origin) -> Self {
        Self { origin, held: Mutex::const_new(None) }
    }

    /// The credentials of a role in another account.
    #[must_use]
    pub fn role(role: AssumedRole) -> Self {
        Self::new(Origin::Role(Box::new(role)))
    }

    /// The credentials in force, renewed first if it is time.
    ///
    /// # Errors
    ///
    /// Returns why there are none.
    pub async fn current(&self) -> Result<Credentials, Unavailable> {
        let mut held = self.held.lock().await;
        let now = clock::wall();
        if let Some((credentials, renew_at)) = held.as_ref()
            && renew_at.is_none_or(|at| now < at)
        {
            return Ok(credentials.clone());
        }
        let fresh = match &self.origin {
            Origin::Chain(chain) => chain.provide_credentials().await.map_err(Unavailable::Chain)?,
            Origin::Role(role) => role.assume().await.map_err(Unavailable::Role)?,
        };
        let renew_at = fresh.expiry().map(|expiry| {
            let life = expiry.duration_since(now).unwrap_or(Duration::ZERO);
            now + life.mul_f64(0.8)
        });
        *held = Some((fresh.clone(), renew_at));
        Ok(fresh)
    }
}

/// Why there are no credentials.
#[derive(Debug)]
pub enum Unavailable {
    /// No source had any, or one failed.
    Chain(CredentialsError),
    /// The role could not be assumed.
    Role(Fault),
}

impl ProvideCredentials for Renewing {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(async move {
            let result: ProviderResult = self.current().await.map_err(|error| match error {
                Unavailable::Chain(error) => error,
                Unavailable::Role(fault) => provider::error::CredentialsError::provider_error(fault),
            });
            result
        })
    }
}
