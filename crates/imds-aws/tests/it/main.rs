//! The providers against real loopback servers.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs, unreachable_pub, reason = "tests")]

#[cfg(feature = "config")]
mod examples;
#[cfg(feature = "object-store")]
mod object_store;
mod outage;
mod sdk;
