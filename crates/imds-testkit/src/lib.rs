//! Test tools: a hermetic runner for the project's commands, a server that misbehaves on order, and
//! an assertion after every command that no secret came out.
//!
//! Nothing here is published. Everything fails a test by panicking with what a reader needs to see.
#![allow(clippy::panic, reason = "a test tool reports by failing the test")]

mod completions;
pub mod conformance;
mod environment;
mod executable;
mod guard;
mod invocation;
mod kill;
mod listener;
mod needed;
mod output;
mod running;
pub mod secrets;
mod server;
pub mod terminal;

pub use completions::{Completions, Line};
pub use environment::TestEnvironment;
pub use executable::write_executable;
pub use invocation::Invocation;
pub use kill::Kill;
pub use listener::{RefusingPort, SilentListener};
pub use needed::needed_or_told;
pub use output::CommandOutput;
pub use running::Running;
pub use rustix::process::Signal;
pub use server::{Answer, Behaviour, Counts, FaultServer, Framing, RequestSeen};
