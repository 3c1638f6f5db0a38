//! What the EC2 instance metadata service *is*, with no I/O: the names of its headers, environment variables and
//! paths, the validated [`MetadataPath`], the [`catalogue`] of what is behind the paths, and the [`MetadataOptions`] of an instance.
//!
//! The client and the emulator both stand on this crate and on nothing else of each other.

#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod catalogue;
pub mod env;
pub mod header;
pub mod options;
pub mod path;
pub mod printable;
pub mod token;
pub mod well_known;

pub use catalogue::{CATALOGUE, Category};
pub use options::MetadataOptions;
pub use path::{MetadataPath, PathError};
