//! What the service holds at a path.

use std::fmt;

use imds_model::MetadataPath;
use serde::de::DeserializeOwned;

use crate::error::{Error, ErrorKind};

/// The value at a path, byte for byte. `Debug` shows its length only: it may be a secret.
#[derive(Clone, PartialEq, Eq)]
pub struct Response {
    path: MetadataPath,
    body: Vec<u8>,
    content_type: Option<String>,
}

impl Response {
    pub(crate) fn new(path: MetadataPath, body: Vec<u8>, content_type: Option<String>) -> Self {
        Self { path, body, content_type }
    }

    /// The path that was asked for.
    #[must_use]
    pub fn path(&self) -> &MetadataPath {
        &self.path
    }

    /// The `Content-Type` of the answer: `text/plain` for every category, JSON ones too, and
    /// `application/octet-stream` for user data.
    #[must_use]
    pub fn content_type(&self) -> Option<&str> {
        self.content_type.as_deref()
    }

    /// The value's bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.body
    }

    /// The value's bytes, owned.
    #[must_use]
    pub fn into_bytes(self) -> Vec<u8> {
        self.body
    }

    /// The value as text.
    ///
    /// # Errors
    /// [`ErrorKind::Protocol`] where it is not UTF-8.
    pub fn text(&self) -> Result<&str, Error> {
        std::str::from_utf8(&self.body).map_err(|error| {
            let message = format!("the value of `{}` is not UTF-8 text", self.path);
            Error::new(ErrorKind::Protocol, message).path_context(&self.path).caused_by(error)
        })
    }

    /// The lines of the value: the entries of a directory, or the items of a list. A last line end
    /// is no line.
    ///
    /// # Errors
    /// As for [`text`](Self::text).
    pub fn lines(&self) -> Result<std::str::Lines<'_>, Error> {
        Ok(self.text()?.lines())
    }

    /// Parses the value as JSON into any type that serde can deserialize, such as
    /// `serde_json::Value`.
    ///
    /// # Errors
    /// Returns [`ErrorKind::Protocol`] if the value is not JSON or not of this type. The error says
    /// where, and quotes nothing of the value.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Error> {
        serde_json::from_slice(&self.body).map_err(|error| {
            let what = if error.is_data() { "the expected document" } else { "JSON" };
            let message = format!("the value of `{}` is not {what}", self.path);
            // The parser's own message can quote the value.
            let place = format!("line {}, column {}", error.line(), error.column());
            Error::new(ErrorKind::Protocol, message).path_context(&self.path).caused_by(place)
        })
    }
}

impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Response")
            .field("path", &self.path)
            .field("length", &self.body.len())
            .finish_non_exhaustive()
    }
}
