//! The EC2 instance metadata service where there is none: for a laptop, CI, tests.
//!
//! Four layers, each testable alone: the [`instance`] (one typed model) is rendered into a tree of values at a point
//! in time; the protocol, one pure function, answers a request from it; the server puts that on sockets.
//! [`Emulator`] runs it on a thread; [`Service::run`] on the caller's runtime.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::panic))]

mod aemm;
mod assertion;
mod clock;
mod command;
pub mod control;
mod emulator;
mod error;
mod event;
mod event_text;
mod fault;
pub mod identity;
pub mod instance;
mod place;
mod profile;
pub mod protocol;
mod record;
pub mod render;
mod scenario;
mod server;
mod snapshot;
mod state;
mod time;
pub mod token;
pub mod tree;
pub mod version;
pub mod wire;

pub use aemm::{Imported, import_aemm};
pub use assertion::Assertion;
pub use clock::Clock;
pub use emulator::{Builder, Emulator};
pub use error::{Error, Invalid};
pub use event::{Event, OptionsChange};
pub use event_text::EventText;
pub use fault::{Fault, Trouble};
pub use imds_model::options::{HopLimit, HttpTokens, Switch};
pub use instance::Instance;
pub use profile::Profile;
pub use protocol::Status;
pub use record::{Counters, ImdsVersion, RecordedRequest};
pub use scenario::{parse_scenario, read_scenario};
pub use server::Service;
pub use snapshot::Snapshot;
pub use time::{TimeError, Timestamp};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
