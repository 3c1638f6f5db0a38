//! What a poll of the EC2 instance metadata service means: a change, a notice, an outage. It decides, and keeps what
//! it decided; asking the service and running hooks is left to whoever uses it.
//!
//! Nothing here asks the service, reads a clock or sleeps: readings and the time are given to it.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::panic))]

mod canonical;
mod change;
mod detector;
mod durable;
mod event;
mod gather;
mod ledger;
mod notify;
mod pace;
mod reading;
mod state_file;
mod time;

pub use canonical::fingerprint;
pub use change::{Change, HookName, Kind};
pub use detector::Detector;
pub use durable::{DurableError, load, save};
pub use event::{Event, Shape, Subject};
pub use gather::gather;
pub use ledger::{HookEntry, HookState, Ledger};
pub use notify::ServiceManager;
pub use pace::{MAX_PAUSE, Pace};
pub use reading::{Item, Outage, Reading};
pub use state_file::StateFile;
pub use time::{deadline_seconds, rfc3339};
