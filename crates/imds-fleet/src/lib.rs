//! Finds, judges and safely changes the instance metadata options of a fleet of EC2 instances.

#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod aws;
pub mod change;
pub mod checkpoint;
pub mod cli;
pub mod clock;
pub mod commands;
pub mod error;
pub mod inventory;
pub mod output;
pub mod report;
pub mod rules;
pub mod scan;
pub mod source;
pub mod tally;
pub mod usage;
