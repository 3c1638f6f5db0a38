//! The test tools, tested: on scripts of `sh` instead of the binary, and over plain sockets.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod runner;
mod server;
