//! TOML and JSON, with the line of what is wrong.

use std::io::Read as _;
use std::path::Path;

use crate::base::error::{Error, Invalid};
use crate::base::limits::FILE_BYTES;
use crate::base::span;

/// A file's text, of a bounded length: a device may have no end.
pub(super) fn read(path: &Path) -> Result<String, Error> {
    let failed = |source| Error::Read { path: path.to_owned(), source };
    let mut text = String::new();
    let file = std::fs::File::open(path).map_err(failed)?;
    file.take(FILE_BYTES + 1).read_to_string(&mut text).map_err(failed)?;
    if text.len() as u64 > FILE_BYTES {
        let message = format!("it is longer than {} MiB", FILE_BYTES / (1024 * 1024));
        return Err(Error::Invalid(Invalid::new(message).in_file(path)));
    }
    Ok(text)
}

pub(super) fn from_toml<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, Invalid> {
    toml::from_str(text).map_err(|error| {
        let line = error.span().map(|span| span::line_at(text, span.start));
        Invalid { line, ..Invalid::new(error.message().replace('\n', "; ")) }
    })
}

pub(super) fn from_json<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, Invalid> {
    serde_json::from_str(text).map_err(|error| {
        let message = error.to_string();
        let message = message.rsplit_once(" at line ").map_or(message.as_str(), |(message, _)| message);
        Invalid { line: Some(error.line()), ..Invalid::new(message) }
    })
}
