//! A value of the service as JSON, and JSON as text.

use imds::Response;
use serde_json::Value;

use crate::exit::Exit;
use crate::report::Failure;

/// The value as JSON: a document as itself, everything else as a string.
pub(crate) fn json_of(response: &Response) -> Result<Value, Failure> {
    let text = response.text().map_err(|_| {
        Failure::told(Exit::Unexpected, format!("the value of `{}` is not UTF-8 text", response.path()))
            .hint("text output (`--output text`) gives its bytes as they are")
    })?;
    // A tag's value is the user's text, whatever it looks like.
    let is_tag = response.path().as_str().contains("/tags/instance/");
    let document =
        (!is_tag && text.starts_with(['{', '['])).then(|| serde_json::from_str(text).ok()).flatten();
    Ok(document.unwrap_or_else(|| Value::String(text.to_owned())))
}

/// What a query found, as text: a string bare, a list of scalars one a line, anything else as JSON. `None` for `null`.
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
