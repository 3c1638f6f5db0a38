//! Stores for session tokens, and the lock that makes the fetch of a new one single-flight.

mod file;
mod memory;
mod record;
mod sys;

use std::fmt;
use std::time::Duration;

pub use file::FileStore;
pub use memory::MemoryStore;
#[cfg(fuzzing)]
pub(crate) use record::{read_failure, read_token};

use crate::clock::{BootId, Moment};
use crate::error::ErrorKind;
use crate::secret::SessionToken;

/// What a token is stored under: the endpoint that issued it, and the start of the machine that it
/// belongs to. Machines that share a home directory do not share tokens.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct StoreKey {
    endpoint: String,
    boot_id: Option<BootId>,
}

impl StoreKey {
    pub(crate) fn new(endpoint: String, boot_id: Option<BootId>) -> Self {
        Self { endpoint, boot_id }
    }

    /// Returns the endpoint URL, or with the mode `auto` both.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.endpoint
    }

    /// Returns the start of the machine, if it is known.
    #[must_use]
    pub fn boot_id(&self) -> Option<&BootId> {
        self.boot_id.as_ref()
    }
}

/// A session token with what is known of its life. `Debug` leaves the token out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredToken {
    /// The token.
    pub token: SessionToken,
    /// The start of the machine that [`expires`](Self::expires) is counted from.
    pub boot_id: BootId,
    /// When the service forgets it.
    pub expires: Moment,
    /// The TTL that it was granted.
    pub ttl: Duration,
}

/// How a token fetch failed, as those learn who waited for it. It holds no secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FetchFailure {
    /// When it failed.
    pub at: Moment,
    /// The start of the machine that [`at`](Self::at) is counted from.
    pub boot_id: BootId,
    /// The kind of failure.
    pub kind: ErrorKind,
    /// The HTTP status of the last answer, where there was one.
    pub status: Option<u16>,
    /// Whether the connection was made but never answered.
    pub stalled: bool,
    /// How long the call that failed had been given. A client with more time tries for itself.
    pub given: Duration,
}

/// Why a store could not serve. The call that met it goes on without the store.
#[derive(Debug)]
pub struct StoreError {
    message: String,
    source: Option<std::io::Error>,
}

impl StoreError {
    /// A failure that is described by the message.
    #[must_use]
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), source: None }
    }

    /// A failure of the operating system.
    #[must_use]
    pub fn io(message: impl Into<String>, source: std::io::Error) -> Self {
        Self { message: message.into(), source: Some(source) }
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for StoreError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_ref().map(|source| source as _)
    }
}

/// The exclusive right to fetch a token for all clients that share a store (single-flight).
/// Dropping it releases the lock.
pub trait FetchLock: Send + fmt::Debug {
    /// Records the failure of the fetch for the clients that wait for it.
    ///
    /// # Errors
    /// Returns an error if the failure cannot be recorded; the waiting clients then fetch a token
    /// themselves.
    fn record_failure(&mut self, failure: &FetchFailure) -> Result<(), StoreError> {
        let _ = failure;
        Ok(())
    }
}

/// Lock of a store that lets every client fetch its own token.
#[derive(Debug)]
struct NoLock;

impl FetchLock for NoLock {}

/// A place for session tokens. No method may block for longer than a file operation takes.
///
/// A custom store has to implement [`load`](Self::load), [`save`](Self::save) and
/// [`remove`](Self::remove). The other methods make one fetch serve every client that shares the
/// store (single-flight); without them each client fetches its own token.
pub trait TokenStore: Send + Sync + fmt::Debug {
    /// The token under this key, whether or not it is still valid.
    ///
    /// # Errors
    /// Where the store cannot be read, or must not be trusted.
    fn load(&self, key: &StoreKey) -> Result<Option<StoredToken>, StoreError>;

    /// Keeps the token under this key and replaces any other.
    ///
    /// # Errors
    /// Where it cannot be kept.
    fn save(&self, key: &StoreKey, token: &StoredToken) -> Result<(), StoreError>;

    /// Forgets the token under this key; whether there was one.
    ///
    /// # Errors
    /// Where it cannot be forgotten.
    fn remove(&self, key: &StoreKey) -> Result<bool, StoreError>;

    /// Takes the lock for fetching a token under this key; `None` while another client holds it.
    ///
    /// # Errors
    /// Returns an error if the lock cannot be tried.
    fn try_lock(&self, key: &StoreKey) -> Result<Option<Box<dyn FetchLock>>, StoreError> {
        let _ = key;
        Ok(Some(Box::new(NoLock)))
    }

    /// How the last fetch under this key failed, where it did.
    ///
    /// # Errors
    /// Where that cannot be found out.
    fn last_failure(&self, key: &StoreKey) -> Result<Option<FetchFailure>, StoreError> {
        let _ = key;
        Ok(None)
    }
}
