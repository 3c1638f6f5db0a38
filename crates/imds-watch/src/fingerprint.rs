//! One text for one JSON value, whatever the order of its keys, and a short name for it.

use serde_json::Value;
use sha2::{Digest as _, Sha256};

/// A name for a value: SHA-256 of its normalized text, as hexadecimal digits. The service may write
/// the keys of a notice in any order; it stays the same notice.
#[must_use]
pub fn fingerprint(value: &Value) -> String {
    let mut text = String::new();
    write(value, &mut text);
    of_bytes(text.as_bytes())
}

/// SHA-256 as hexadecimal digits.
pub(crate) fn of_bytes(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn write(value: &Value, text: &mut String) {
    match value {
        Value::Object(object) => {
            let mut entries: Vec<_> = object.iter().collect();
            entries.sort_by_key(|(name, _)| name.as_str());
            text.push('{');
            for (name, value) in entries {
                text.push_str(&Value::from(name.as_str()).to_string());
                text.push(':');
                write(value, text);
                text.push(',');
            }
            text.push('}');
        }
        Value::Array(items) => {
            text.push('[');
            for item in items {
                write(item, text);
                text.push(',');
            }
            text.push(']');
        }
        plain => text.push_str(&plain.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn of(text: &str) -> String {
        fingerprint(&serde_json::from_str(text).unwrap())
    }

    #[test]
    fn the_order_of_keys_does_not_matter_and_that_of_items_does() {
        assert_eq!(
            of(r#"{"action":"stop","time":"x","in":{"a":1,"b":2}}"#),
            of(r#"{ "time": "x", "in": {"b":2, "a":1}, "action": "stop" }"#)
        );
        assert_ne!(of("[1,2]"), of("[2,1]"));
        assert_ne!(of("[1,2]"), of("[12]"));
        assert_ne!(of(r#"{"a":"b"}"#), of(r#"{"a":{"b":null}}"#));
        assert_ne!(fingerprint(&json!("1")), fingerprint(&json!(1)));
    }

    #[test]
    fn a_fingerprint_is_sha_256() {
        let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(of_bytes(b""), empty);
    }
}
