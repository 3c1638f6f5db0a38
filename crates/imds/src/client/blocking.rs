//! The blocking client.

use std::sync::Arc;
use std::time::Duration;

use imds_model::{MetadataPath, PathError, well_known};

use crate::client::body::Body;
use crate::client::response::Response;
use crate::clock::Moment;
use crate::config::endpoint::EndpointChoice;
use crate::driver::blocking::Driver;
use crate::error::{Error, ErrorKind};
use crate::protocol::body_stream::BodyStream;
use crate::protocol::call::{Call, Goal, Success};
use crate::protocol::shared::Shared;
use crate::protocol::trace;
use crate::secret::SessionToken;

/// A session token with the life that it has left.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LiveToken {
    /// The token.
    pub token: SessionToken,
    /// How long the service will go on accepting it.
    pub remaining: Duration,
}

/// Asks the service, and blocks until it has answered. Cheap to clone; clones and threads share the
/// session token, the connections and the rate limit.
///
/// ```
/// # let emulator = imds_emulator::Emulator::builder().start()?;
/// let imds = imds::Client::builder().endpoint(emulator.endpoint()).no_store().build()?;
/// match imds.user_data()? {
///     Some(bytes) => assert!(!bytes.is_empty()),
///     None => println!("launched without user data"),
/// }
/// let missing = imds.get("spot/instance-action").unwrap_err();
/// assert_eq!(missing.kind(), imds::ErrorKind::NotFound);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Client {
    shared: Arc<Shared>,
    driver: Arc<Driver>,
    /// When every call has to end, whatever its own deadline.
    until: Option<Moment>,
}

impl Client {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self { shared, driver: Arc::default(), until: None }
    }

    /// The value at a path, in any of the forms that [`MetadataPath`] understands.
    ///
    /// # Errors
    /// [`ErrorKind::Path`] where the text is no path; otherwise what the service or the network
    /// said, see [`ErrorKind`].
    pub fn get<P>(&self, path: P) -> Result<Response, Error>
    where
        P: TryInto<MetadataPath>,
        PathError: From<P::Error>,
    {
        let path = path.try_into().map_err(PathError::from)?;
        match self.run(Goal::Get(path.clone()))? {
            Success::Answer(answer) => Ok(Response::new(path, answer.body, answer.content_type)),
            Success::Token(_) => Err(unexpected()),
        }
    }

    /// The user data, byte for byte; `None` where the instance was launched without any.
    ///
    /// # Errors
    /// As for [`get`](Self::get), a 404 aside.
    pub fn user_data(&self) -> Result<Option<Vec<u8>>, Error> {
        optional(self.get(MetadataPath::from_static(well_known::USER_DATA)))
    }

    /// Opens the value at a path for streaming, of any length: see [`Body`].
    ///
    /// # Errors
    /// As for [`get`](Self::get), up to the answer's head.
    pub fn open<P>(&self, path: P) -> Result<Body, Error>
    where
        P: TryInto<MetadataPath>,
        PathError: From<P::Error>,
    {
        let path = path.try_into().map_err(PathError::from)?;
        let _span = trace::entered(Some(&path));
        let mut call = Call::new(self.shared.clone(), Goal::Open(path.clone()), self.until);
        let connection = self.driver.drive(&self.shared, &mut call);
        match call.take()? {
            Success::Answer(answer) => {
                let rest = call.take_remaining();
                let stream = BodyStream::new(self.shared.clone(), path, answer.body, rest);
                Ok(Body::new(stream, self.driver.clone(), connection, answer.content_type))
            }
            Success::Token(_) => Err(unexpected()),
        }
    }

    /// Opens the user data for streaming; `None` if the instance was launched without any.
    ///
    /// # Errors
    /// As for [`open`](Self::open), a 404 aside.
    pub fn open_user_data(&self) -> Result<Option<Body>, Error> {
        present(self.open(MetadataPath::from_static(well_known::USER_DATA)))
    }

    /// A session token that is good for a while: the one in use, or a new one.
    ///
    /// # Errors
    /// As for [`get`](Self::get).
    pub fn token(&self) -> Result<LiveToken, Error> {
        match self.run(Goal::Token)? {
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
    /// [`ErrorKind::Io`] where the store cannot forget it.
    pub fn forget_token(&self) -> Result<bool, Error> {
        forget_token(&self.shared)
    }

    /// The endpoint that is asked, and where that choice came from.
    #[must_use]
    pub fn endpoint(&self) -> &EndpointChoice {
        &self.shared.settings.endpoint
    }

    /// Returns a client whose calls all end within this time from now. It shares the session token,
    /// the connections and the rate limit with this one.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # let emulator = imds_emulator::Emulator::builder().start()?;
    /// # let imds = imds::Client::builder().endpoint(emulator.endpoint()).no_store().build()?;
    /// let limited = imds.with_timeout(Duration::from_secs(5));
    /// let region = limited.get("placement/region")?;
    /// let zone = limited.get("placement/availability-zone")?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
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

    fn run(&self, goal: Goal) -> Result<Success, Error> {
        let _span = trace::entered(goal.path());
        let call = Call::new(self.shared.clone(), goal, self.until);
        self.driver.run(&self.shared, call)
    }
}

/// Turns a 404 into `None`.
pub(crate) fn optional(result: Result<Response, Error>) -> Result<Option<Vec<u8>>, Error> {
    Ok(present(result)?.map(Response::into_bytes))
}

/// Turns a 404 into `None`.
pub(crate) fn present<T>(result: Result<T, Error>) -> Result<Option<T>, Error> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

pub(crate) fn forget_token(shared: &Shared) -> Result<bool, Error> {
    shared.session.clear();
    match &shared.store {
        None => Ok(false),
        Some(store) => store
            .remove(&shared.key)
            .map_err(|error| Error::new(ErrorKind::Io, "cannot forget the session token").caused_by(error)),
    }
}

pub(crate) fn unexpected() -> Error {
    Error::new(ErrorKind::Io, "the call brought something else than it was for")
}
