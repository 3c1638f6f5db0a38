//! The emulator from outside: over raw sockets, without any client of ours.

#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

mod agents;
mod categories;
mod conformance;
mod control;
mod control_document;
mod examples;
mod faults;
mod hostile;
mod identity;
mod limits;
mod model_cases;
mod properties;
mod random;
mod raw;
mod timeline;
