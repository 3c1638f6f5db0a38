//! A value of the service as JSON, by its type in the catalogue, and JSON as text.

use imds::MetadataPath;
use imds_model::catalogue::{self, Format};
use serde_json::Value;

use crate::exit::Exit;
use crate::report::{self, Failure};

/// A value as JSON.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Typed {
    /// The value.
    pub(crate) value: Value,
    /// It should be a JSON document and is none, so it stands as text.
    pub(crate) malformed: bool,
}

/// The value at a path as JSON; `None` where it is no text.
pub(crate) fn typed(path: &MetadataPath, value: &[u8]) -> Option<Typed> {
    let text = std::str::from_utf8(value).ok()?;
    let as_text = || Value::String(text.to_owned());
    let format = catalogue::find(path).map(|found| found.category.format());
    let value = match format {
        Some(Format::Text) => as_text(),
        Some(Format::Integer) => integer(text).unwrap_or_else(as_text),
        Some(Format::Lines | Format::Directory) => {
            text.lines().map(|line| Value::String(line.to_owned())).collect()
        }
        Some(Format::Json) => match serde_json::from_str(text) {
            Ok(document) => document,
            Err(_) => return Some(Typed { value: as_text(), malformed: true }),
        },
        // User data, and what the catalogue does not know.
        _ if text.starts_with(['{', '[']) => serde_json::from_str(text).unwrap_or_else(|_| as_text()),
        _ => as_text(),
    };
    Some(Typed { value, malformed: false })
}

/// A number, if writing it again gives the same text: `007` is a text.
fn integer(text: &str) -> Option<Value> {
    let number: u64 = text.parse().ok()?;
    (number.to_string() == text).then(|| Value::from(number))
}

/// The value as JSON. A document that is broken stays text and is named on stderr.
pub(crate) fn json_of(path: &MetadataPath, value: &[u8]) -> Result<Value, Failure> {
    let Some(typed) = typed(path, value) else {
        let message = format!("the value of `{path}` is not UTF-8 text");
        return Err(Failure::told(Exit::Unexpected, message)
            .hint("text output (`--output text`) gives its bytes as they are"));
    };
    if typed.malformed {
        note_malformed(path);
    }
    Ok(typed.value)
}

/// Tells that a document is broken.
pub(crate) fn note_malformed(path: &MetadataPath) {
    report::note(&format_args!("the value of `{path}` should be JSON and is not; it stays text"));
}

/// What a query found, as text: a string bare, a list of scalars one a line, anything else as JSON.
/// `None` for `null`.
pub(crate) fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        Value::Array(items) if items.iter().all(is_scalar) => {
            Some(items.iter().map(scalar).collect::<Vec<_>>().join("\n"))
        }
        other => Some(other.to_string()),
    }
}

fn is_scalar(value: &Value) -> bool {
    !value.is_object() && !value.is_array()
}

fn scalar(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_type_of_the_catalogue() {
        for (path, value, expected) in [
            ("ami-id", "ami-1", json!("ami-1")),
            ("ami-launch-index", "3", json!(3)),
            ("ami-launch-index", "007", json!("007")),
            ("ami-launch-index", "many", json!("many")),
            ("security-groups", "a\nb\n", json!(["a", "b"])),
            ("public-keys/", "0=k", json!(["0=k"])),
            ("events/maintenance/scheduled", "[]", json!([])),
            ("tags/instance/config", "{\"a\":1}", json!("{\"a\":1}")),
            ("user-data", "{\"a\":1}", json!({ "a": 1 })),
            ("user-data", "{% if %}", json!("{% if %}")),
            ("novelty", "1", json!("1")),
        ] {
            let typed = typed(&path.parse().unwrap(), value.as_bytes()).unwrap();
            assert_eq!(typed, Typed { value: expected, malformed: false }, "{path}");
        }
        assert_eq!(typed(&"user-data".parse().unwrap(), b"\xff"), None);
    }
}
