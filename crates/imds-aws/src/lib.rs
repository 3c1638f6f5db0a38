//! Credentials and Region of an EC2 instance for the AWS SDK for Rust, read by the `imds` client.
//!
//! ```no_run
//! # async fn configure() -> Result<(), imds::Error> {
//! let imds = imds::AsyncClient::from_env()?;
//! let config = aws_config::from_env()
//!     .region(imds_aws::ImdsRegion::new(imds.clone()))
//!     .credentials_provider(imds_aws::ImdsCredentials::new(imds))
//!     .load()
//!     .await;
//! # let _ = config;
//! # Ok(())
//! # }
//! ```
//!
//! Both share the session token with every other process of the user, retry within a deadline, and
//! never fall back to IMDSv1. No second HTTP client is linked: requests to the service go through
//! `imds` alone.

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod credentials;
mod lifetime;
#[cfg(feature = "object-store")]
mod object_store;
#[cfg(feature = "config")]
mod region;

pub use credentials::{Builder, ImdsCredentials};
#[cfg(feature = "config")]
pub use region::ImdsRegion;
