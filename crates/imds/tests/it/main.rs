//! The client against real loopback servers, each row through both drivers.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs, unreachable_pub, reason = "tests")]

mod bodies;
mod budget;
mod conformance;
mod contents;
mod drivers;
mod examples;
mod faults;
mod flights;
mod identity;
mod stores;
mod surface;
mod tracing;
mod walk;

/// An emulator that ends the tests if a request holds a secret in its path.
pub fn emulator() -> imds_emulator::Builder {
    imds_emulator::Emulator::builder()
        .on_request(|request| imds_testkit::secrets::check_target(&request.path))
}
