//! What is found, written in the formats that people and programs expect.

pub mod csv;
pub mod findings;
pub mod flat;
pub mod junit;
pub mod not_covered;
pub mod ocsf;
pub mod parquet;
pub mod sarif;
pub mod state;

use std::io::Write;

use crate::error::Error;

/// Where output goes.
pub type Out<'a> = &'a mut (dyn Write + Send);

/// Turns a failed write into our error. A reader that has gone away is for `main` to be quiet
/// about.
pub(crate) fn written(result: std::io::Result<()>) -> Result<(), Error> {
    result.map_err(|source| Error::File { path: "standard output".to_owned(), source })
}
