//! What a file is, and the scripts inside it.

pub mod kind;
pub mod needles;
pub mod packed;
