//! What the fuzz targets in `fuzz/` call of this crate's inside. Compiled with `--cfg fuzzing`
//! only.

#![allow(missing_docs, reason = "no part of the public interface")]

use crate::base::error::Invalid;
use crate::files::instance_file::{self, Described};

/// Reads the text of an instance file or a snapshot.
pub fn instance(text: &str, json: bool) -> Result<Described, Invalid> {
    instance_file::parse(text, json)
}
