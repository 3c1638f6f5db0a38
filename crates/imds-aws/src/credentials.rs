//! The role's credentials, kept through an outage of the service.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{self, ProvideCredentials, future};
use aws_smithy_async::time::{SharedTimeSource, SystemTimeSource, TimeSource};
use imds::{AsyncClient, Error, ErrorKind};

use crate::lifetime::Held;

const PROVIDER: &str = "imds";
/// How long a caller goes on with valid credentials while another one fetches the next.
const MEANWHILE: Duration = Duration::from_secs(60);

/// Provides the credentials of the instance's role to the AWS SDK.
///
/// Credentials are fetched once for all clones and tasks, and again within the five minutes before
/// they expire. If that fails (a timeout, a 5xx, an answer that has expired already), the last
/// credentials are kept, past their expiration too, and the service is asked again after a pause
/// with jitter: 30 to 60 s while they are valid, 5 to 10 minutes afterwards. The first failure logs
/// one warning. A 404 or 403 says that the role was taken away or the service turned off: then they
/// are used until they expire, and no longer.
///
/// The expiration that the SDK sees is the time of the next fetch.
#[derive(Clone)]
pub struct ImdsCredentials {
    shared: Arc<Shared>,
}

struct Shared {
    client: AsyncClient,
    role: Option<String>,
    time: SharedTimeSource,
    state: Mutex<State>,
    /// Held by the one task that fetches.
    fetching: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct State {
    held: Option<Held<Credentials>>,
    /// Whether the last fetch failed, which is logged once.
    failing: bool,
}

/// Builds an [`ImdsCredentials`].
#[derive(Debug)]
#[must_use]
pub struct Builder {
    client: AsyncClient,
    role: Option<String>,
    time: SharedTimeSource,
}

impl Builder {
    /// Uses the credentials of this role. By default the role is the one that the service lists,
    /// asked for at each fetch.
    pub fn role(mut self, role: impl Into<String>) -> Self {
        self.role = Some(role.into());
        self
    }

    /// Takes the time from this source, by default the system's clock.
    pub fn time_source(mut self, time: impl TimeSource + 'static) -> Self {
        self.time = SharedTimeSource::new(time);
        self
    }

    /// Builds the provider. Sends nothing.
    #[must_use]
    pub fn build(self) -> ImdsCredentials {
        let Self { client, role, time } = self;
        let (state, fetching) = (Mutex::default(), tokio::sync::Mutex::default());
        ImdsCredentials { shared: Arc::new(Shared { client, role, time, state, fetching }) }
    }
}

impl ImdsCredentials {
    /// Returns a provider that reads with this client.
    #[must_use]
    pub fn new(client: AsyncClient) -> Self {
        Self::builder(client).build()
    }

    /// Starts a provider that reads with this client.
    pub fn builder(client: AsyncClient) -> Builder {
        Builder { client, role: None, time: SharedTimeSource::new(SystemTimeSource::new()) }
    }

    /// Returns the credentials in use, fetched if there are none or the next ones are due. Their
    /// expiration is the time of the next fetch.
    ///
    /// # Errors
    /// Returns an error if there were never any credentials and the service has none or cannot be
    /// read, or if they have expired and the service says that there are none any more.
    pub async fn credentials(&self) -> provider::Result {
        let shared = &*self.shared;
        if let Some(current) = shared.current() {
            return Ok(current);
        }
        let _fetching = match shared.fetching.try_lock() {
            Ok(guard) => guard,
            Err(_) => {
                if let Some(meanwhile) = shared.meanwhile() {
                    return Ok(meanwhile);
                }
                let guard = shared.fetching.lock().await;
                if let Some(fetched) = shared.current() {
                    return Ok(fetched);
                }
                guard
            }
        };
        shared.accept(shared.fetch().await)
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the credentials in use unless the next ones are due.
    fn current(&self) -> Option<Credentials> {
        let now = self.time.now();
        self.state().held.as_ref().filter(|held| !held.is_due(now)).map(|held| until(held, held.due))
    }

    /// Returns credentials that are valid for the time in which another task fetches the next.
    fn meanwhile(&self) -> Option<Credentials> {
        let now = self.time.now();
        let state = self.state();
        state.held.as_ref().filter(|held| !held.has_expired(now)).map(|held| until(held, now + MEANWHILE))
    }

    async fn fetch(&self) -> Result<imds::Credentials, Failure> {
        let role = match &self.role {
            Some(role) => role.clone(),
            None => self.client.role_name().await?.ok_or(Failure::NoRole)?,
        };
        Ok(self.client.role_credentials(&role).await?)
    }

    fn accept(&self, fetched: Result<imds::Credentials, Failure>) -> provider::Result {
        let (now, random) = (self.time.now(), fastrand::f64());
        let mut state = self.state();
        match fetched {
            Ok(document) => {
                let expires = document.expiration;
                let held = Held::fetched(credentials(document), expires, now, random);
                if held.has_expired(now) {
                    state.warn("the service returned credentials that have expired");
                } else {
                    state.failing = false;
                }
                let current = until(&held, held.due);
                state.held = Some(held);
                Ok(current)
            }
            Err(failure) => {
                state.held = state.held.take().and_then(|held| held.kept(failure.kind(), now, random));
                let Some(held) = &state.held else { return Err(failure.into()) };
                let current = until(held, held.due);
                state.warn(&format!("cannot fetch new credentials: {failure}"));
                Ok(current)
            }
        }
    }
}

impl State {
    fn warn(&mut self, reason: &str) {
        if !std::mem::replace(&mut self.failing, true) {
            tracing::warn!("the last credentials of the role stay in use: {reason}");
        }
    }
}

impl ProvideCredentials for ImdsCredentials {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(self.credentials())
    }

    /// Returns the last credentials, for an SDK that does not wait until the fetch has ended.
    fn fallback_on_interrupt(&self) -> Option<Credentials> {
        let now = self.shared.time.now();
        self.shared.state().held.as_ref().map(|held| until(held, held.due.max(now + MEANWHILE)))
    }
}

impl fmt::Debug for ImdsCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ImdsCredentials").field("role", &self.shared.role).finish_non_exhaustive()
    }
}

fn credentials(document: imds::Credentials) -> Credentials {
    let mut credentials = Credentials::builder()
        .access_key_id(document.access_key_id)
        .secret_access_key(document.secret_access_key)
        .session_token(document.token)
        .provider_name(PROVIDER);
    credentials.set_account_id(document.account_id.map(Into::into));
    credentials.build()
}

/// Returns the credentials with the time at which they have to be asked for again.
fn until(held: &Held<Credentials>, time: SystemTime) -> Credentials {
    let mut credentials = held.value.clone();
    *credentials.expiry_mut() = Some(time);
    credentials
}

/// Why there are no new credentials.
#[derive(Debug)]
enum Failure {
    NoRole,
    Read(Error),
}

impl Failure {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::NoRole => ErrorKind::NotFound,
            Self::Read(error) => error.kind(),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoRole => f.write_str("the instance has no role"),
            Self::Read(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for Failure {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::NoRole => None,
            Self::Read(error) => error.source(),
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Read(error)
    }
}

impl From<Failure> for CredentialsError {
    fn from(failure: Failure) -> Self {
        match failure.kind() {
            // A chain goes on to its next provider.
            ErrorKind::NotFound | ErrorKind::Disabled => Self::not_loaded(failure),
            ErrorKind::Config | ErrorKind::Path => Self::invalid_configuration(failure),
            _ => Self::provider_error(failure),
        }
    }
}
