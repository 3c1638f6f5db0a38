//! Events of a call, for an observer (`imds -v`, metrics).

use std::fmt;
use std::time::Duration;

use crate::store::StoreError;

/// One event of a call. It holds no token and no value; its `Display` is one line for
/// a person.
#[derive(Debug)]
#[non_exhaustive]
pub enum ClientEvent<'a> {
    /// A connection to the endpoint was made.
    Connected {
        /// The endpoint.
        endpoint: &'a str,
    },
    /// The session token came from the store.
    TokenFromStore,
    /// A new session token was fetched.
    TokenFetched {
        /// The TTL that it was granted.
        ttl: Duration,
    },
    /// The answer to a token PUT had no TTL header, so the token is used by this process only.
    TokenWithoutTtl,
    /// Another process is fetching a token; this one waits for it.
    WaitingForOther,
    /// The service refused the token with 401; a new one is fetched.
    TokenRefused,
    /// The store did not serve; the call goes on without it.
    StoreUnavailable {
        /// Why.
        error: &'a StoreError,
    },
    /// A setting was ignored: a default profile file that cannot be read, or a line of one.
    SettingIgnored {
        /// What was ignored, and why.
        message: &'a str,
    },
    /// The service answered a request.
    #[non_exhaustive]
    Answered {
        /// The method, `PUT` or `GET`.
        method: &'a str,
        /// The path.
        path: &'a str,
        /// The HTTP status.
        status: u16,
        /// The time from the attempt's begin, connecting included, to the end of the answer; of a
        /// streaming value to the end of its head.
        elapsed: Duration,
        /// Whether the request went over a kept connection.
        reused: bool,
    },
    /// A request is sent again.
    Retry {
        /// The method, `PUT` or `GET`.
        method: &'a str,
        /// The path.
        path: &'a str,
        /// Which attempt follows; the second is 2.
        attempt: u32,
        /// What the last one met.
        reason: &'a str,
        /// How long is waited before.
        pause: Duration,
    },
}

impl fmt::Display for ClientEvent<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connected { endpoint } => write!(f, "connected to `{endpoint}`"),
            Self::TokenFromStore => f.write_str("session token taken from the store"),
            Self::TokenFetched { ttl } => write!(f, "session token fetched, TTL {} s", ttl.as_secs()),
            Self::TokenWithoutTtl => {
                f.write_str("the token answer has no TTL header: the token is used by this process only")
            }
            Self::WaitingForOther => {
                f.write_str("waiting for the session token that another process is fetching")
            }
            Self::TokenRefused => f.write_str("session token refused (401): fetching a new one"),
            Self::StoreUnavailable { error } => {
                write!(f, "going on without the token store: {error}")?;
                match std::error::Error::source(error) {
                    Some(source) => write!(f, ": {source}"),
                    None => Ok(()),
                }
            }
            Self::SettingIgnored { message } => f.write_str(message),
            Self::Answered { method, path, status, elapsed, reused } => {
                let connection = if *reused { "kept" } else { "new" };
                let ms = elapsed.as_millis();
                write!(f, "{method} `{path}`: {status} in {ms} ms over a {connection} connection")
            }
            Self::Retry { method, path, attempt, reason, pause } => {
                write!(f, "{method} `{path}`: {reason}; attempt {attempt} in {} ms", pause.as_millis())
            }
        }
    }
}
