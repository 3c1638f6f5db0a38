//! Says why the EC2 instance metadata service does not work here, check by check.
//!
//! Facts are gathered first ([`collect`](fn@collect)), through injected host; then each check
//! judges them ([`judge`](fn@judge)), without I/O. Where something is wrong, one check says what,
//! and those that hang on it are skipped: the cause is named, and only it.

#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod collect;
pub mod facts;
pub mod host;
pub mod judge;
pub mod probe;
pub mod report;

mod host_facts;

pub use collect::{Options, collect};
pub use facts::Facts;
pub use host::{Host, System};
pub use judge::judge;
pub use report::{Check, Outcome, Report};
