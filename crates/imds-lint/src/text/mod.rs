//! Text and where it stands in the file: spans, mapped text, limits.

pub mod escape;
pub mod limits;
pub mod lines;
pub mod mapped;
