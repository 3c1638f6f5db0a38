//! What is judged, by which rules, with which exceptions. No I/O.

pub mod catalogue;
pub mod judge;
pub mod policy;
