//! The command `imds-trace`, run as users run it: live, against the emulator, attached to cgroups
//! that the test made.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod completions;
mod connections;
mod harness;
mod killed;
mod kinds;
mod load;
mod namespaces;
mod odd;
mod outputs;
mod places;
mod refused;
