//! Where the state comes from: AWS itself, files, or an AWS Config aggregator.

pub mod aggregator;
mod document;
pub mod file;
pub mod instance_json;
