//! The providers against real loopback servers.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs, unreachable_pub, reason = "tests")]

mod outage;
mod sdk;
