//! What a client was told, kept so that a forked child can build it again.

use std::path::PathBuf;
use std::time::Duration;

use imds::{ClientBuilder, EndpointMode, Error, FileStore, ImdsVersion};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

/// Where session tokens are kept.
#[derive(Clone, FromPyObject)]
pub(crate) enum Store {
    /// In the user's store, or in this client only.
    #[pyo3(transparent)]
    Usual(bool),
    /// Below this directory.
    #[pyo3(transparent)]
    Directory(PathBuf),
}

/// The arguments of `Client`.
#[derive(Clone, FromPyObject)]
#[pyo3(from_item_all)]
pub(crate) struct Settings {
    endpoint: Option<String>,
    mode: Option<String>,
    profile: Option<String>,
    timeout: Option<f64>,
    connect_timeout: Option<f64>,
    read_timeout: Option<f64>,
    attempts: Option<u32>,
    token_ttl: Option<f64>,
    body_limit: Option<usize>,
    store: Option<Store>,
    imds_v1: bool,
}

impl Settings {
    /// Returns a builder with these settings.
    ///
    /// # Errors
    /// Returns a `ValueError` if a time cannot be one or the mode does not exist.
    pub(crate) fn builder(&self) -> PyResult<ClientBuilder> {
        let mut builder = imds::Client::builder();
        if let Some(endpoint) = &self.endpoint {
            builder = builder.endpoint(endpoint);
        }
        if let Some(mode) = &self.mode {
            builder = builder.endpoint_mode(parse_mode(mode)?);
        }
        if let Some(profile) = &self.profile {
            builder = builder.profile(profile);
        }
        if let Some(timeout) = seconds("timeout", self.timeout)? {
            builder = builder.deadline(timeout);
        }
        if let Some(timeout) = seconds("connect_timeout", self.connect_timeout)? {
            builder = builder.connect_timeout(timeout);
        }
        if let Some(timeout) = seconds("read_timeout", self.read_timeout)? {
            builder = builder.read_timeout(timeout);
        }
        if let Some(attempts) = self.attempts {
            builder = builder.attempts(attempts);
        }
        if let Some(ttl) = seconds("token_ttl", self.token_ttl)? {
            builder = builder.token_ttl(ttl);
        }
        if let Some(bytes) = self.body_limit {
            builder = builder.body_limit(bytes);
        }
        builder = match &self.store {
            None | Some(Store::Usual(true)) => builder,
            Some(Store::Usual(false)) => builder.no_store(),
            Some(Store::Directory(directory)) => builder.store(FileStore::new(directory)),
        };
        if self.imds_v1 {
            builder = builder.version(ImdsVersion::V1);
        }
        Ok(builder)
    }

    /// Returns the time that several requests of one call have together.
    pub(crate) fn deadline(&self) -> Duration {
        self.timeout.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok()).unwrap_or(imds::DEADLINE)
    }
}

fn parse_mode(text: &str) -> PyResult<EndpointMode> {
    text.parse().map_err(|_| {
        let modes = EndpointMode::SPELLINGS.join("`, `");
        PyValueError::new_err(format!("mode `{}` is not one of `{modes}`", text.escape_debug()))
    })
}

/// Returns seconds as a duration.
///
/// # Errors
/// Returns a `ValueError` if the number is negative, zero, or not a number.
pub(crate) fn seconds(name: &str, value: Option<f64>) -> PyResult<Option<Duration>> {
    let Some(value) = value else { return Ok(None) };
    match Duration::try_from_secs_f64(value) {
        Ok(duration) if !duration.is_zero() => Ok(Some(duration)),
        _ => Err(PyValueError::new_err(format!("{name} is {value}; a number of seconds above 0"))),
    }
}

/// Builds either client of a builder.
pub(crate) trait Buildable: Clone + Send + Sync {
    /// Returns the client.
    ///
    /// # Errors
    /// Returns an error if a setting is wrong.
    fn build(builder: ClientBuilder) -> Result<Self, Error>;

    /// Puts away a client of a parent process.
    fn discard(self);
}

impl Buildable for imds::Client {
    fn build(builder: ClientBuilder) -> Result<Self, Error> {
        builder.build()
    }

    /// Closes the child's copies of the connections, which leaves the parent's as they are.
    fn discard(self) {
        drop(self);
    }
}

impl Buildable for imds::AsyncClient {
    fn build(builder: ClientBuilder) -> Result<Self, Error> {
        builder.build_async()
    }

    /// Leaves the connections open: to close them would take them out of the epoll instance that
    /// the child shares with its parent.
    fn discard(self) {
        std::mem::forget(self);
    }
}
