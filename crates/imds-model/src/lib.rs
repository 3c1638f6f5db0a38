//! What the EC2 instance metadata service *is*, with no I/O: the names of its headers, environment
//! variables and paths, the validated [`MetadataPath`], the [`catalogue`] of categories, the
//! [`MetadataOptions`] of an instance. Beside it the few rules that every program shares:
//! [`duration`], [`calendar`], [`backoff`].
//!
//! The client and the emulator both build on this crate and share nothing else.

#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod backoff;
pub mod calendar;
pub mod catalogue;
pub mod duration;
pub mod env;
pub mod header;
pub mod lifecycle;
pub mod options;
pub mod path;
pub mod printable;
pub mod request_target;
mod secrecy;
pub mod token;
pub mod well_known;

pub use catalogue::{CATALOGUE, Category};
pub use lifecycle::TargetLifecycleState;
pub use options::MetadataOptions;
pub use path::{MetadataPath, PathError};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
