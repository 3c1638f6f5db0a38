//! Files: which ones, read within bounds, written in place.

pub mod walk;
