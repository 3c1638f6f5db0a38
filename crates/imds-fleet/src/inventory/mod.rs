//! What a fleet consists of, as far as metadata options go. No I/O.

mod account_region;
pub mod effective;
pub mod end_state;
pub mod lint;
pub mod options;
pub mod owner;
pub mod requests;
pub mod resource;
pub mod risk;

/// The version of the JSON outputs; it grows when a field changes its meaning or goes.
pub const SCHEMA_VERSION: u32 = 1;
