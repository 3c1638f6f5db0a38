//! Changes metadata options, with a way back.

pub mod apply;
pub mod journal;
pub mod plan;
pub mod readiness;
pub mod rollback;
pub mod target;
pub mod waves;
