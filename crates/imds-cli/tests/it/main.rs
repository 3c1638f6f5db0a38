//! The command `imds`, run as users run it: whole processes against servers on loopback.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod endpoint;
mod faults;
mod isolation;
mod privilege;
mod session;
mod silence;
mod store;

use imds_testkit::TestEnvironment;

/// The value that a fresh fault server serves.
const INSTANCE_ID: &str = "i-0123456789abcdef0";

/// A world of its own with the binary that this package built.
fn world() -> TestEnvironment {
    TestEnvironment::new(env!("CARGO_BIN_EXE_imds"))
}
