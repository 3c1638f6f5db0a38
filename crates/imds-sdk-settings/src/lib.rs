//! Settings of the environment that the AWS SDK panics on.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::panic))]

mod certificates;
mod endpoints;

pub use certificates::trusting;
pub use endpoints::without_empty_endpoints;
