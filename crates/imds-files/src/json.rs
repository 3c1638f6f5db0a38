//! Private files that hold one JSON value.

use std::ffi::OsStr;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::directory::PrivateDirectory;
use crate::error::{Cause, FileError, FileErrorKind};

/// Longest JSON file that is read, in bytes.
const LIMIT: usize = 4 << 20;

impl PrivateDirectory {
    /// Reads a file that [`PrivateDirectory::replace_json`] wrote; `None` if it does not exist.
    ///
    /// # Errors
    /// Returns an error of kind [`FileErrorKind::Damaged`] if it holds something else, and as
    /// [`PrivateDirectory::read`] does.
    pub fn read_json<T: DeserializeOwned>(&self, name: impl AsRef<OsStr>) -> Result<Option<T>, FileError> {
        let name = name.as_ref();
        let Some(content) = self.read(name, LIMIT)? else { return Ok(None) };
        serde_json::from_slice(&content).map(Some).map_err(|error| {
            // Without serde's own words, which quote the content: it may be a secret.
            let why = format!("it is damaged at line {}, column {}", error.line(), error.column());
            Cause::refused(FileErrorKind::Damaged, why).at("read", &self.path().join(name))
        })
    }

    /// Replaces a file by a value as one line of JSON, as [`PrivateDirectory::replace`] does.
    ///
    /// # Errors
    /// As [`PrivateDirectory::replace`].
    pub fn replace_json<T: Serialize>(&self, name: impl AsRef<OsStr>, value: &T) -> Result<(), FileError> {
        let name = name.as_ref();
        let mut content = serde_json::to_vec(value)
            .map_err(|error| Cause::from(std::io::Error::from(error)).at("write", &self.path().join(name)))?;
        content.push(b'\n');
        self.replace(name, &content)
    }
}
