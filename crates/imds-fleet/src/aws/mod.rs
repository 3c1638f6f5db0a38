//! Everything that talks to AWS.

pub mod account;
pub mod call;
pub mod clients;
pub mod credentials;
pub mod fleets;
pub mod groups;
mod http;
pub mod images;
pub mod instances;
pub mod launch_sources;
pub mod limit;
pub mod metrics;
pub mod modify;
mod profile;
pub mod security_groups;
pub mod session;
pub mod warm_pools;
