//! What a poll of the EC2 instance metadata service means: a change, a notice, an outage. It
//! decides, and keeps what it decided; asking the service is left to the daemons that use it. They
//! also share how a user's command runs, how metrics are served, and the word to the service
//! manager.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::panic))]

mod change;
pub mod command;
mod detector;
mod event;
mod fingerprint;
mod journal;
pub mod metrics;
mod notify;
mod pace;
mod poll;
mod reading;
mod state_file;
mod time;

pub use change::{Change, HookName, Kind};
pub use detector::Detector;
pub use event::{Event, Shape, Subject};
pub use fingerprint::fingerprint;
pub use journal::{HookEntry, HookJournal, HookState};
pub use notify::ServiceManager;
pub use pace::{MAX_PAUSE, Pace};
pub use poll::poll;
pub use reading::{Item, Outage, Reading};
pub use state_file::{Opened, StateFile};
pub use time::{deadline_seconds, rfc3339};
