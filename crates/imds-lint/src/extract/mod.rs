//! What a file is, and the scripts inside it.

pub mod dockerfile;
pub mod document;
pub mod embed;
pub mod hcl;
pub mod json;
pub mod kind;
pub mod mime;
pub mod needles;
pub mod packed;
pub mod scalar;
pub mod yaml;
