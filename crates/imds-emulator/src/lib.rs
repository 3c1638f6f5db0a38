//! The EC2 instance metadata service for a laptop, CI and tests, where there is no EC2.
//!
//! Four layers, each testable alone: the [`Instance`] (one typed model) is rendered into a tree of
//! values at a point in time; the protocol, one pure function, answers a request from it; the
//! server puts that on sockets. [`Emulator`] runs it on a thread; [`Service::run`] on the caller's
//! runtime.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::panic))]

mod base;
mod control;
mod emulator;
mod event;
mod files;
#[cfg(fuzzing)]
pub mod fuzzing;
mod identity;
pub mod instance;
#[cfg(test)]
mod manual;
mod protocol;
mod render;
mod server;
mod state;
mod tree;

pub use base::clock::Clock;
pub use base::error::{Error, Invalid};
pub use base::path::ValuePath;
pub use base::profile::Profile;
pub use base::status::Status;
pub use base::time::{TimeError, Timestamp};
pub use control::ControlToken;
pub use emulator::{Builder, Emulator};
pub use event::auto_scaling::{AutoScaling, Step as AutoScalingStep, Walk};
pub use event::fault::{Fault, FaultKind};
pub use event::text::EventText;
pub use event::{Event, OptionsChange};
pub use files::aemm::{Imported, import_aemm};
pub use files::instance_file::{Described, INSTANCE_SCHEMA, read_instance};
pub use files::scenario::{parse_scenario, read_scenario};
pub use files::snapshot::Snapshot;
pub use identity::Certificates;
pub use imds_model::options::{HopLimit, HttpTokens, Switch};
pub use instance::{Instance, Preset};
pub use server::{Assertion, Service};
pub use state::record::{Counters, ImdsVersion, RecordedRequest};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
