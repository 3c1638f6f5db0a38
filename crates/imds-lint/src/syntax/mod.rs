//! Parsers: one grammar for each language, all read into the same flat tree.

pub mod grammar;
pub mod tree;
