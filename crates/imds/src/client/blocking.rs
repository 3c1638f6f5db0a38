//! The blocking client.

use std::sync::Arc;
use std::time::Duration;

use imds_model::{MetadataPath, PathError, well_known};

use crate::client::body::Body;
use crate::client::builder::ClientBuilder;
use crate::client::response::Response;
use crate::client::walk::{Entry, Walk, as_directory, entries};
use crate::config::endpoint::EndpointChoice;
use crate::driver::blocking::Driver;
use crate::error::{Error, ErrorKind};
use crate::protocol::body_stream::BodyStream;
use crate::protocol::call::{Call, Goal, Success};
use crate::protocol::shared::Shared;
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

/// Asks the service, and blocks until it has answered. Cheap to clone; clones and threads share the session token,
/// the connections and the request rate_limit.
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
}

impl Client {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self { shared, driver: Arc::default() }
    }

    /// The client that the environment and the AWS config file describe.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] where a setting is wrong. Nothing is sent.
    pub fn from_env() -> Result<Self, Error> {
        Self::builder().build()
    }

    /// Starts with the environment's client and changes it.
    pub fn builder() -> ClientBuilder {
        ClientBuilder::default()
    }

    /// The value at a path, in any of the forms that [`MetadataPath`] understands.
    ///
    /// # Errors
    /// [`ErrorKind::Path`] where the text is no path; otherwise what the service or the network said, see
    /// [`ErrorKind`].
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

    /// The value at a path, to be read as it comes and of any length: see [`Body`].
    ///
    /// # Errors
    /// As for [`get`](Self::get), up to the answer's head.
    pub fn open<P>(&self, path: P) -> Result<Body, Error>
    where
        P: TryInto<MetadataPath>,
        PathError: From<P::Error>,
    {
        let path = path.try_into().map_err(PathError::from)?;
        let mut call = Call::new(self.shared.clone(), Goal::Open(path.clone()), self.shared.clock.now());
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

    /// The user data, to be read as they come; `None` where the instance was launched without any.
    ///
    /// # Errors
    /// As for [`open`](Self::open), a 404 aside.
    pub fn open_user_data(&self) -> Result<Option<Body>, Error> {
        present(self.open(MetadataPath::from_static(well_known::USER_DATA)))
    }

    /// Returns what a directory lists.
    ///
    /// ```
    /// # let emulator = imds_emulator::Emulator::builder().start()?;
    /// # let imds = imds::Client::builder().endpoint(emulator.endpoint()).no_store().build()?;
    /// let keys = imds.list("public-keys")?;
    /// assert_eq!(keys[0].name, "0=my-key");
    /// assert_eq!(keys[0].path.as_str(), "/latest/meta-data/public-keys/0/");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// Returns an error as [`get`](Self::get) does, and [`ErrorKind::Protocol`] if a line of the
    /// listing cannot be the name of an entry.
    pub fn list<P>(&self, path: P) -> Result<Vec<Entry>, Error>
    where
        P: TryInto<MetadataPath>,
        PathError: From<P::Error>,
    {
        let path = as_directory(path.try_into().map_err(PathError::from)?);
        entries(&self.get::<MetadataPath>(path)?)
    }

    /// Reads every value below a path, each exactly once, on a few threads within the rate limit.
    ///
    /// ```
    /// # let emulator = imds_emulator::Emulator::builder().start()?;
    /// # let imds = imds::Client::builder().endpoint(emulator.endpoint()).no_store().build()?;
    /// let mut zones = 0;
    /// for leaf in imds.walk("placement")?.filter(|entry| entry.is_directory || entry.name.starts_with("availability")) {
    ///     let leaf = leaf?;
    ///     zones += 1;
    ///     println!("{} = {}", leaf.path(), leaf.text()?);
    /// }
    /// assert_eq!(zones, 2);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// Returns [`ErrorKind::Path`] if the text is no path. Errors of the reads themselves come out
    /// of the iteration.
    pub fn walk<P>(&self, path: P) -> Result<Walk, Error>
    where
        P: TryInto<MetadataPath>,
        PathError: From<P::Error>,
    {
        Ok(Walk::new(self.clone(), path.try_into().map_err(PathError::from)?))
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

    fn run(&self, goal: Goal) -> Result<Success, Error> {
        let call = Call::new(self.shared.clone(), goal, self.shared.clock.now());
        self.driver.run(&self.shared, call)
    }
}

/// `None` in place of a 404.
pub(crate) fn optional(result: Result<Response, Error>) -> Result<Option<Vec<u8>>, Error> {
    Ok(present(result)?.map(Response::into_bytes))
}

/// `None` in place of a 404.
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
