//! Changes metadata options, with a rollback.

pub mod apply;
mod check;
pub mod defaults;
mod gate;
pub mod journal;
pub mod launches;
pub mod plan;
mod read;
pub mod readiness;
pub mod rollback;
pub mod target;
mod version;
mod watched;
pub mod waves;
