//! Changes metadata options, with a way back.

pub mod apply;
mod check;
mod gate;
pub mod journal;
pub mod launches;
pub mod plan;
pub mod readiness;
pub mod rollback;
pub mod target;
mod version;
pub mod waves;
