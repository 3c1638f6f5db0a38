//! The client for tasks.

use std::sync::Arc;
use std::time::Duration;

use imds_model::{MetadataPath, PathError, well_known};

use crate::client::async_body::AsyncBody;
use crate::client::blocking::{LiveToken, forget_token, optional, present, unexpected};
use crate::client::response::Response;
use crate::client::walk::{Entry, directory, entries};
use crate::clock::Moment;
use crate::config::endpoint::EndpointChoice;
use crate::driver::tokio::Driver;
use crate::error::Error;
use crate::protocol::body_stream::BodyStream;
use crate::protocol::call::{Call, Goal, Success};
use crate::protocol::shared::Shared;
use crate::protocol::trace;

/// [`Client`](crate::Client) for tasks on tokio: the same call, so the same rules, on a runtime
/// with time and I/O enabled. Cheap to clone; clones share the session token, the connections and
/// the rate limit.
///
/// ```
/// # let emulator = imds_emulator::Emulator::builder().start()?;
/// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
/// let imds = imds::AsyncClient::builder().endpoint(emulator.endpoint()).no_store().build_async()?;
/// let (region, id) = tokio::join!(imds.get("placement/region"), imds.get("instance-id"));
/// assert_eq!(region?.text()?, "us-east-1");
/// assert!(id?.text()?.starts_with("i-"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct AsyncClient {
    shared: Arc<Shared>,
    driver: Arc<Driver>,
    /// When every call has to end, whatever its own deadline.
    until: Option<Moment>,
}

impl AsyncClient {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self { shared, driver: Arc::default(), until: None }
    }

    /// The value at a path, in any of the forms that [`MetadataPath`] understands.
    ///
    /// # Errors
    /// As for [`Client::get`](crate::Client::get).
    pub async fn get<P>(&self, path: P) -> Result<Response, Error>
    where
        P: TryInto<MetadataPath>,
        PathError: From<P::Error>,
    {
        let path = path.try_into().map_err(PathError::from)?;
        match self.run(Goal::Get(path.clone())).await? {
            Success::Answer(answer) => Ok(Response::new(path, answer.body, answer.content_type)),
            Success::Token(_) => Err(unexpected()),
        }
    }

    /// The user data, byte for byte; `None` where the instance was launched without any.
    ///
    /// # Errors
    /// As for [`get`](Self::get), a 404 aside.
    pub async fn user_data(&self) -> Result<Option<Vec<u8>>, Error> {
        optional(self.get(MetadataPath::from_static(well_known::USER_DATA)).await)
    }

    /// Opens the value at a path for streaming, of any length: see [`AsyncBody`].
    ///
    /// # Errors
    /// As for [`get`](Self::get), up to the answer's head.
    pub async fn open<P>(&self, path: P) -> Result<AsyncBody, Error>
    where
        P: TryInto<MetadataPath>,
        PathError: From<P::Error>,
    {
        let path = path.try_into().map_err(PathError::from)?;
        let mut call = Call::new(self.shared.clone(), Goal::Open(path.clone()), self.until);
        let connection = trace::inside(Some(&path), self.driver.drive(&self.shared, &mut call)).await;
        match call.take()? {
            Success::Answer(answer) => {
                let rest = call.take_remaining();
                let stream = BodyStream::new(self.shared.clone(), path, answer.body, rest);
                Ok(AsyncBody::new(stream, self.driver.clone(), connection, answer.content_type))
            }
            Success::Token(_) => Err(unexpected()),
        }
    }

    /// Opens the user data for streaming; `None` if the instance was launched without any.
    ///
    /// # Errors
    /// As for [`open`](Self::open), a 404 aside.
    pub async fn open_user_data(&self) -> Result<Option<AsyncBody>, Error> {
        present(self.open(MetadataPath::from_static(well_known::USER_DATA)).await)
    }

    /// What a directory lists: as [`Client::list`](crate::Client::list).
    ///
    /// # Errors
    /// As for [`get`](Self::get); and [`ErrorKind::Protocol`](crate::ErrorKind::Protocol) where the
    /// listing names what cannot be.
    pub async fn list<P>(&self, path: P) -> Result<Vec<Entry>, Error>
    where
        P: TryInto<MetadataPath>,
        PathError: From<P::Error>,
    {
        let path = directory(path.try_into().map_err(PathError::from)?)?;
        entries(&self.get::<MetadataPath>(path).await?)
    }

    /// A session token that is good for a while: the one in use, or a new one.
    ///
    /// # Errors
    /// As for [`get`](Self::get).
    pub async fn token(&self) -> Result<LiveToken, Error> {
        match self.run(Goal::Token).await? {
            Success::Token(token) => {
                let remaining = token.expires - self.shared.clock.now();
                Ok(LiveToken { token: token.secret.clone(), remaining })
            }
            Success::Answer(_) => Err(unexpected()),
        }
    }

    /// Forgets the session token, here and in the store; whether the store had one.
    ///
    /// # Errors
    /// [`ErrorKind::Io`](crate::ErrorKind::Io) where the store cannot forget it.
    pub fn forget_token(&self) -> Result<bool, Error> {
        forget_token(&self.shared)
    }

    /// The endpoint that is asked, and where that choice came from.
    #[must_use]
    pub fn endpoint(&self) -> &EndpointChoice {
        &self.shared.settings.endpoint
    }

    /// Returns a client whose calls all end within this time from now: as
    /// [`Client::with_timeout`](crate::Client::with_timeout).
    #[must_use]
    pub fn with_timeout(&self, timeout: Duration) -> Self {
        let until = self.shared.clock.now() + timeout;
        Self { until: Some(self.until.map_or(until, |earlier| earlier.min(until))), ..self.clone() }
    }

    pub(crate) fn shared(&self) -> &Shared {
        &self.shared
    }

    /// Returns a client for the requests of one call: they share its deadline.
    pub(crate) fn within_deadline(&self) -> Self {
        self.with_timeout(self.shared.settings.deadline)
    }

    async fn run(&self, goal: Goal) -> Result<Success, Error> {
        let call = Call::new(self.shared.clone(), goal.clone(), self.until);
        trace::inside(goal.path(), self.driver.run(&self.shared, call)).await
    }
}
