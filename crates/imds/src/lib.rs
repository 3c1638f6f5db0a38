//! Client for the EC2 instance metadata service (IMDS), with a session token's whole life.
//!
//! ```
//! # let emulator = imds_emulator::Emulator::builder().start()?;
//! # let home = tempfile::tempdir()?;
//! let imds = imds::Client::builder()
//!     // On an instance, leave these two out: `imds::Client::from_env()?` does the same.
//!     .endpoint(emulator.endpoint())
//!     .store(imds::FileStore::new(home.path().join("imds")))
//!     .build()?;
//! let region = imds.get("placement/region")?;
//! assert_eq!(region.text()?, "us-east-1");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! [`Client`] blocks and needs no runtime; `AsyncClient` (feature `tokio`) is the same for tasks.
//! Both are thin drivers of one exchange that does no I/O and holds every rule: which token to use,
//! when to renew it, what to retry.
//!
//! * **IMDSv2 only.** IMDSv1 is spoken where [`ImdsVersion::V1`] is asked for by name, and never as
//!   a fallback.
//! * **One token for all.** Threads, tasks and the processes of one user share a session token
//!   through a [`TokenStore`], and one of them fetches it for all.
//! * **No surprises on the way.** Proxy variables are ignored, redirects are never followed, bodies
//!   are capped, and a body that ends early is an error and never a value.
//!
//! The library reads the environment, clock and files through handles that can be replaced
//! ([`Environment`], [`Clock`], [`TokenStore`]), never prints, and never ends the process.

//!
//! # Features
//! None is on by default, and none switches on a feature of another crate for its user.
//!
//! * `tokio`: `AsyncClient`, with every method of [`Client`].
//! * `identity`: `Client::verified_identity`, the instance identity document with its signature
//!   verified by AWS's certificate for the Region.
//! * `tracing`: a span `imds.read` or `imds.token` for each call, and in it an event for each
//!   answered request (path, status, time, whether the connection was kept) and for every other
//!   [`ClientEvent`]. Target `imds`; a path is cut where a secret begins.

#![cfg_attr(docsrs, feature(doc_cfg))]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::panic))]

mod client;
mod clock;
mod config;
mod driver;
mod error;
#[cfg(fuzzing)]
pub mod fuzzing;
mod notify;
mod protocol;
mod secret;
mod store;
mod sync;

#[cfg(feature = "tokio")]
pub use client::async_body::AsyncBody;
#[cfg(feature = "tokio")]
pub use client::async_walk::AsyncWalk;
pub use client::blocking::{Client, LiveToken};
pub use client::body::Body;
pub use client::builder::ClientBuilder;
pub use client::documents::{
    Credentials, IamInfo, IdentityCredentialsInfo, IdentityDocument, MaintenanceEvent,
    RebalanceRecommendation, SpotInstanceAction,
};
#[cfg(feature = "identity")]
pub use client::identity::VerifiedIdentity;
pub use client::interface::Interface;
pub use client::response::Response;
#[cfg(feature = "tokio")]
pub use client::tokio::AsyncClient;
pub use client::typed_reads::{PublicKey, RoleCredentials, hidden_by};
pub use client::walk::{Entry, Leaves, Walk};
pub use clock::{BootId, Clock, Moment, SystemClock};
pub use config::endpoint::{Endpoint, EndpointChoice, EndpointMode, Source};
pub use config::environment::{EmptyEnvironment, Environment, SystemEnvironment};
pub use config::settings::{
    ATTEMPTS, BODY_LIMIT, CONNECT_TIMEOUT, DEADLINE, ImdsVersion, READ_TIMEOUT, TOKEN_TTL, profile_region,
};
pub use error::{Error, ErrorKind};
#[cfg(feature = "identity")]
pub use imds_identity::{Certificate, CertificateError, Rejection, SignatureKind};
pub use imds_model::{Category, MetadataPath, PathError};
pub use protocol::events::ClientEvent;
pub use secret::SessionToken;
pub use store::{
    FetchFailure, FetchLock, FileStore, MemoryStore, StoreError, StoreKey, StoredToken, TokenStore,
};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
