//! The command `imds`, run as users run it: whole processes against servers on loopback.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod aws_cli;
mod completions;
mod credentials;
mod doctor;
mod doctor_network;
mod dump;
mod dump_cost;
mod emulate;
mod emulate_reach;
mod emulator;
mod endpoint;
mod external;
mod faults;
mod formats;
mod get;
mod identity;
mod isolation;
mod killed;
mod listing;
mod mistakes;
mod names;
mod oracle;
mod privilege;
mod progress;
mod random;
mod readme;
mod recipes;
mod session;
mod shortcuts;
mod silence;
mod store;
mod terminal;
mod token;
mod user_data;
mod variables;
mod waiting;
mod watch;
mod watch_hooks;
mod written;

use imds_testkit::{TestEnvironment, needed_or_told};

/// The value that a fresh fault server serves.
const INSTANCE_ID: &str = "i-0123456789abcdef0";

/// A world of its own with the binary that this package built.
fn world() -> TestEnvironment {
    TestEnvironment::new(env!("CARGO_BIN_EXE_imds"))
}

/// An emulator that ends the tests if a request holds a secret in its path.
pub(crate) fn emulator() -> imds_emulator::Builder {
    imds_emulator::Emulator::builder()
        .on_request(|request| imds_testkit::secrets::check_target(&request.path))
}
