//! Where the state comes from besides AWS itself: files, or an AWS Config aggregator.

pub mod aggregator;
mod document;
pub mod file;
mod foreign;
pub mod input;
pub mod instance_json;
mod table;
