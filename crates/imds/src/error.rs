//! The one error of the library: a kind to decide by, and its context by accessor.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use imds_model::{MetadataPath, PathError};

/// What a caller decides by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// `AWS_EC2_METADATA_DISABLED=true` forbids every request; none was sent.
    Disabled,
    /// A setting is wrong; the message names it and where it came from. No request was sent.
    Config,
    /// The text is no path of the service. No request was sent.
    Path,
    /// No answer: refused, no route, reset, or timed out.
    Unreachable,
    /// 403: the service is turned off for the instance, or the request was refused.
    Forbidden,
    /// 401, again after the token was renewed; or, with IMDSv1, because the instance requires
    /// tokens.
    Unauthorized,
    /// 404: the path does not exist, or does not exist now.
    NotFound,
    /// 429 on every attempt.
    Throttled,
    /// 5xx on every attempt.
    Server,
    /// The answer is not one that the metadata service gives: wrong status, redirect, broken or
    /// oversized body.
    Protocol,
    /// The signature of the instance identity document is not good: the document must not be
    /// believed.
    Untrusted,
    /// A local failure, of the operating system and not of the service.
    Io,
}

/// Why a call failed. Cheap to clone: those who waited for one token fetch share its failure.
///
/// `Display` says what happened to what, without its cause; the cause is in
/// [`source`](std::error::Error::source). Neither ever holds a token, a credential or user data.
#[derive(Clone)]
pub struct Error(Arc<Inner>);

#[derive(Clone)]
struct Inner {
    kind: ErrorKind,
    message: String,
    path: Option<MetadataPath>,
    endpoint: Option<String>,
    status: Option<u16>,
    attempts: u32,
    during_token_fetch: bool,
    stalled: bool,
    lacked_token: bool,
    retryable: bool,
    service_code: Option<String>,
    retry_after: Option<Duration>,
    source: Option<Arc<dyn std::error::Error + Send + Sync>>,
}

impl Error {
    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self(Arc::new(Inner {
            kind,
            message: message.into(),
            path: None,
            endpoint: None,
            status: None,
            attempts: 0,
            during_token_fetch: false,
            stalled: false,
            lacked_token: false,
            retryable: false,
            service_code: None,
            retry_after: None,
            source: None,
        }))
    }

    fn with(mut self, change: impl FnOnce(&mut Inner)) -> Self {
        change(Arc::make_mut(&mut self.0));
        self
    }

    pub(crate) fn path_context(self, path: &MetadataPath) -> Self {
        self.with(|inner| inner.path = Some(path.clone()))
    }

    pub(crate) fn endpoint_context(self, endpoint: &impl fmt::Display) -> Self {
        self.with(|inner| inner.endpoint = Some(endpoint.to_string()))
    }

    pub(crate) fn status_context(self, status: u16) -> Self {
        self.with(|inner| inner.status = Some(status))
    }

    pub(crate) fn attempts_context(self, attempts: u32) -> Self {
        self.with(|inner| inner.attempts = attempts)
    }

    pub(crate) fn token_fetch_context(self) -> Self {
        self.with(|inner| inner.during_token_fetch = true)
    }

    pub(crate) fn lacked_token_context(self) -> Self {
        self.with(|inner| inner.lacked_token = true)
    }

    pub(crate) fn retryable_context(self, retryable: bool) -> Self {
        self.with(|inner| inner.retryable = retryable)
    }

    pub(crate) fn service_code_context(self, code: String) -> Self {
        self.with(|inner| inner.service_code = Some(code))
    }

    pub(crate) fn stalled_context(self) -> Self {
        self.with(|inner| inner.stalled = true)
    }

    pub(crate) fn retry_after_context(self, delay: Option<Duration>) -> Self {
        self.with(|inner| inner.retry_after = delay)
    }

    pub(crate) fn caused_by(self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.with(|inner| inner.source = Some(source.into().into()))
    }

    /// What a caller decides by.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// Returns whether the same call may succeed later: the service could not be reached, was busy
    /// or failing, cut its answer short, or refused a token that it had just issued. Calls retry by
    /// the same table.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        self.0.retryable
    }

    /// The path that was asked for, where the failure belongs to one.
    #[must_use]
    pub fn path(&self) -> Option<&MetadataPath> {
        self.0.path.as_ref()
    }

    /// The endpoint that was asked, where one was.
    #[must_use]
    pub fn endpoint(&self) -> Option<&str> {
        self.0.endpoint.as_deref()
    }

    /// The HTTP status of the last answer, where there was one.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        self.0.status
    }

    /// How many times the failing request was sent; 0 where it never was.
    #[must_use]
    pub fn attempts(&self) -> u32 {
        self.0.attempts
    }

    /// Whether it was the request for a session token that failed, and not the request for the
    /// path.
    #[must_use]
    pub fn is_token_fetch(&self) -> bool {
        self.0.during_token_fetch
    }

    /// Returns the `Code` of a credentials document that holds none, such as
    /// `AssumeRoleUnauthorizedAccess`: the trust policy of the role does not let EC2 assume it.
    #[must_use]
    pub fn service_code(&self) -> Option<&str> {
        self.0.service_code.as_deref()
    }

    /// Returns whether a connection was made but the request was not answered in time.
    #[must_use]
    pub fn is_stalled(&self) -> bool {
        self.0.stalled
    }

    /// Returns whether a connection was made but the request for a session token was never
    /// answered: what a container sees if the hop limit is too low.
    #[must_use]
    pub fn is_stalled_token_fetch(&self) -> bool {
        self.0.during_token_fetch && self.0.stalled
    }

    /// Whether the request was refused because it was IMDSv1 and the service requires session
    /// tokens.
    #[must_use]
    pub fn lacked_token(&self) -> bool {
        self.0.lacked_token
    }

    /// How long the service asked to wait, where it said so in `Retry-After`.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = &self.0;
        f.debug_struct("Error")
            .field("kind", &inner.kind)
            .field("message", &inner.message)
            .field("path", &inner.path)
            .field("endpoint", &inner.endpoint)
            .field("status", &inner.status)
            .field("attempts", &inner.attempts)
            .field("source", &inner.source)
            .finish_non_exhaustive()
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source.as_deref().map(|source| source as _)
    }
}

impl From<PathError> for Error {
    fn from(error: PathError) -> Self {
        Self::new(ErrorKind::Path, error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::error::Error as _;

    #[test]
    fn display_and_source_say_each_thing_once() {
        let error = Error::new(ErrorKind::Unreachable, "cannot connect to `http://127.0.0.1:1`")
            .caused_by(std::io::Error::other("connection refused"))
            .retryable_context(true)
            .attempts_context(1);
        assert_eq!(error.to_string(), "cannot connect to `http://127.0.0.1:1`");
        assert_eq!(error.source().unwrap().to_string(), "connection refused");
        assert!(error.is_retryable());
        assert_eq!((error.kind(), error.attempts(), error.status()), (ErrorKind::Unreachable, 1, None));
    }
}
