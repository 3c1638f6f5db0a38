//! TOML and JSON, with the line of what is wrong.

use crate::base::error::Invalid;
use crate::base::span;

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
