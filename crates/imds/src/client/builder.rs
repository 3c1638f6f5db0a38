//! Putting a client together: what is given goes before the environment, and that before the
//! defaults.

use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::client::blocking::Client;
use crate::clock::{Clock, SystemClock};
use crate::config::endpoint::EndpointMode;
use crate::config::environment::{Environment, SystemEnvironment};
use crate::config::settings::{Given, ImdsVersion};
use crate::error::Error;
use crate::protocol::events::ClientEvent;
use crate::protocol::shared::{Observer, Shared};
use crate::protocol::trace;
use crate::store::{FileStore, StoreError, StoreKey, TokenStore};

/// Builds a [`Client`] or an `AsyncClient`. Nothing is sent before the first call.
#[derive(Default)]
#[must_use]
pub struct ClientBuilder {
    given: Given,
    store: StoreChoice,
    environment: Option<Box<dyn Environment + Send>>,
    clock: Option<Arc<dyn Clock>>,
    observer: Option<Observer>,
}

#[derive(Default)]
enum StoreChoice {
    /// The user's file store.
    #[default]
    Usual,
    None,
    Given(Arc<dyn TokenStore>),
}

impl ClientBuilder {
    /// Uses this endpoint, `http://HOST[:PORT][/PREFIX]`, whatever the environment says.
    pub fn endpoint(mut self, url: impl Into<String>) -> Self {
        self.given.endpoint = Some(url.into());
        self
    }

    /// Uses the well-known endpoint of this mode, unless the environment or the profile names an
    /// endpoint: that beats a mode, as in the AWS SDKs.
    pub fn endpoint_mode(mut self, mode: EndpointMode) -> Self {
        self.given.mode = Some(mode);
        self
    }

    /// Reads this profile of the AWS config file instead of `AWS_PROFILE`.
    pub fn profile(mut self, name: impl Into<String>) -> Self {
        self.given.profile = Some(name.into());
        self
    }

    /// Speaks this version of the protocol. V2 unless told otherwise; V1 is never a fallback.
    pub fn version(mut self, version: ImdsVersion) -> Self {
        self.given.version = version;
        self
    }

    /// Gives one connect this long, instead of [`CONNECT_TIMEOUT`](crate::CONNECT_TIMEOUT).
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.given.connect_timeout = Some(timeout);
        self
    }

    /// Gives one wait for bytes this long, instead of [`READ_TIMEOUT`](crate::READ_TIMEOUT).
    pub fn read_timeout(mut self, timeout: Duration) -> Self {
        self.given.read_timeout = Some(timeout);
        self
    }

    /// Sends a request this often at most, the first time included, instead of
    /// [`ATTEMPTS`](crate::ATTEMPTS).
    pub fn attempts(mut self, attempts: u32) -> Self {
        self.given.attempts = Some(attempts);
        self
    }

    /// Gives one call this long in all, instead of [`DEADLINE`](crate::DEADLINE).
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.given.deadline = Some(deadline);
        self
    }

    /// Accepts bodies up to this many bytes, instead of [`BODY_LIMIT`](crate::BODY_LIMIT). A larger
    /// one is an error, never cut.
    pub fn body_limit(mut self, bytes: usize) -> Self {
        self.given.body_limit = Some(bytes);
        self
    }

    /// Retries a refused connection, and a refused token that was just issued, until the deadline,
    /// as every client does at the service's own addresses in the first five minutes after the
    /// machine has started. For an endpoint of a proxy or a test that starts together with its
    /// clients.
    pub fn boot_retries(mut self, retries: bool) -> Self {
        self.given.boot_retries = retries;
        self
    }

    /// Asks for session tokens with this TTL, 1 s to 6 h in whole seconds, instead of
    /// [`TOKEN_TTL`](crate::TOKEN_TTL).
    pub fn token_ttl(mut self, ttl: Duration) -> Self {
        self.given.token_ttl = Some(ttl);
        self
    }

    /// Verifies the instance identity document with this certificate instead of AWS's for the
    /// Region: that of an emulator, or of a Region that is newer than this crate.
    #[cfg(feature = "identity")]
    pub fn identity_certificate(mut self, certificate: imds_identity::Certificate) -> Self {
        self.given.identity_certificate = Some(certificate);
        self
    }

    /// Keeps session tokens in this store instead of the user's [`FileStore`].
    pub fn store(mut self, store: impl TokenStore + 'static) -> Self {
        self.store = StoreChoice::Given(Arc::new(store));
        self
    }

    /// Keeps session tokens in this client only.
    pub fn no_store(mut self) -> Self {
        self.store = StoreChoice::None;
        self
    }

    /// Reads settings from this environment instead of the process's.
    pub fn environment(mut self, environment: impl Environment + Send + 'static) -> Self {
        self.environment = Some(Box::new(environment));
        self
    }

    /// Goes by this clock instead of the machine's.
    pub fn clock(mut self, clock: impl Clock + 'static) -> Self {
        self.clock = Some(Arc::new(clock));
        self
    }

    /// Tells this listener what calls do on their way.
    pub fn observer(mut self, observer: impl Fn(&ClientEvent<'_>) + Send + Sync + 'static) -> Self {
        self.observer = Some(Arc::new(observer));
        self
    }

    /// Builds the blocking client. Sends nothing.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) where a setting is wrong; the message names
    /// it and its source.
    pub fn build(self) -> Result<Client, Error> {
        Ok(Client::new(self.shared()?))
    }

    /// Builds the client for tasks. Sends nothing.
    ///
    /// # Errors
    /// As for [`build`](Self::build).
    #[cfg(feature = "tokio")]
    pub fn build_async(self) -> Result<crate::AsyncClient, Error> {
        Ok(crate::AsyncClient::new(self.shared()?))
    }

    fn shared(self) -> Result<Arc<Shared>, Error> {
        let environment = self.environment.unwrap_or_else(|| Box::new(SystemEnvironment));
        let settings = self.given.resolve(&*environment)?;
        let tell = |event: &ClientEvent<'_>| {
            trace::record(event);
            if let Some(observer) = &self.observer {
                observer(event);
            }
        };
        for message in &settings.warnings {
            tell(&ClientEvent::SettingIgnored { message });
        }
        let store = match self.store {
            StoreChoice::None => None,
            StoreChoice::Given(store) => Some(store),
            StoreChoice::Usual => {
                let store = FileStore::from_environment(&*environment);
                if store.is_none() {
                    let error =
                        StoreError::new("no directory for it belongs to this user; set `IMDS_CACHE_DIR`");
                    tell(&ClientEvent::StoreUnavailable { error: &error });
                }
                store.map(|store| Arc::new(store) as _)
            }
        };
        let clock = self.clock.unwrap_or_else(|| Arc::new(SystemClock));
        let boot_id = store.as_ref().and_then(|_| clock.boot_id());
        Ok(Arc::new(Shared {
            key: StoreKey::new(settings.endpoint.to_string(), boot_id.clone()),
            settings,
            clock,
            store,
            session: Arc::default(),
            rate_limit: Arc::default(),
            observer: self.observer,
            boot_id,
            observing: Mutex::default(),
        }))
    }
}

impl Client {
    /// Returns the client that the environment and the AWS profile files describe.
    ///
    /// # Errors
    /// Returns an error of [`ErrorKind::Config`](crate::ErrorKind::Config) if a setting is wrong.
    /// Nothing is sent.
    pub fn from_env() -> Result<Self, Error> {
        Self::builder().build()
    }

    /// Returns a builder that begins with the environment's settings.
    pub fn builder() -> ClientBuilder {
        ClientBuilder::default()
    }
}

#[cfg(feature = "tokio")]
impl crate::AsyncClient {
    /// Returns the client that the environment and the AWS profile files describe.
    ///
    /// # Errors
    /// Returns an error of [`ErrorKind::Config`](crate::ErrorKind::Config) if a setting is wrong.
    /// Nothing is sent.
    pub fn from_env() -> Result<Self, Error> {
        Self::builder().build_async()
    }

    /// Returns a builder that begins with the environment's settings; end with
    /// [`build_async`](ClientBuilder::build_async).
    pub fn builder() -> ClientBuilder {
        ClientBuilder::default()
    }
}

impl fmt::Debug for ClientBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientBuilder").field("given", &self.given).finish_non_exhaustive()
    }
}
