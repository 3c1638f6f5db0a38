//! Says why the EC2 instance metadata service does not work here, check by check.
//!
//! Facts are gathered first ([`gather`](fn@gather)), through injected handles; then each check
//! judges them ([`judge`](fn@judge)), without I/O. Where something is wrong, one check says what,
//! and those that hang on it are skipped: the cause is named, and only it.

#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod facts;
pub mod gather;
pub mod handles;
pub mod judge;
pub mod probe;
pub mod report;

mod surroundings;

pub use facts::Facts;
pub use gather::{Options, gather};
pub use handles::{Handles, System};
pub use judge::judge;
pub use report::{Check, Outcome, Report};
