//! JSON values as YAML 1.2: block mappings and sequences, every text in the quotes of JSON, which
//! YAML shares.
//!
//! Quoting everything is what keeps `no`, `1e3`, `012345678901` and `02:29:96` texts with every
//! YAML reader there is.

use serde_json::Value;

/// The value as a YAML document.
pub(crate) fn of(value: &Value) -> String {
    let mut out = String::new();
    block(&mut out, value, 0);
    out
}

/// Writes a value that begins on the current line, and ends the line.
fn block(out: &mut String, value: &Value, indent: usize) {
    match value {
        Value::Object(map) if !map.is_empty() => {
            for (at, (key, value)) in map.iter().enumerate() {
                pad(out, if at == 0 { 0 } else { indent });
                out.push_str(&scalar(&Value::String(key.clone())));
                out.push(':');
                below(out, value, indent);
            }
        }
        Value::Array(items) if !items.is_empty() => {
            for (at, item) in items.iter().enumerate() {
                pad(out, if at == 0 { 0 } else { indent });
                out.push_str("- ");
                block(out, item, indent + 2);
            }
        }
        other => {
            out.push_str(&scalar(other));
            out.push('\n');
        }
    }
}

/// Writes a mapping's value: on the same line, or as a block of its own below.
fn below(out: &mut String, value: &Value, indent: usize) {
    let is_block = match value {
        Value::Object(map) => !map.is_empty(),
        Value::Array(items) => !items.is_empty(),
        _ => false,
    };
    if is_block {
        out.push('\n');
        pad(out, indent + 2);
        block(out, value, indent + 2);
    } else {
        out.push(' ');
        block(out, value, indent);
    }
}

fn pad(out: &mut String, indent: usize) {
    out.extend(std::iter::repeat_n(' ', indent));
}

/// A scalar, or an empty collection, as JSON writes it. DEL and the C1 controls, which JSON lets
/// stand and YAML does not, are escaped; so is NEL and what else YAML 1.1 took for a line end.
fn scalar(value: &Value) -> String {
    let json = value.to_string();
    if json.is_ascii() && !json.contains('\u{7f}') {
        return json;
    }
    let mut yaml = String::with_capacity(json.len());
    for character in json.chars() {
        match u32::from(character) {
            code @ (0x7f..=0x9f | 0x2028 | 0x2029 | 0xfeff | 0xfffe | 0xffff) => {
                yaml.push_str(&format!("\\u{code:04x}"));
            }
            _ => yaml.push(character),
        }
    }
    yaml
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn blocks_and_quoted_scalars() {
        let value = json!({
            "a": { "b": "no", "empty": {}, "none": [] },
            "list": ["x: y", { "k": 1, "l": [true, null] }, [[2]]],
            "text": "two\nlines \u{85}",
        });
        let expected = r#""a":
  "b": "no"
  "empty": {}
  "none": []
"list":
  - "x: y"
  - "k": 1
    "l":
      - true
      - null
  - - - 2
"text": "two\nlines \u0085"
"#;
        assert_eq!(of(&value), expected);
        assert_eq!(of(&json!("plain")), "\"plain\"\n");
    }
}
