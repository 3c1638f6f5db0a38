//! A tree as a snapshot, which the emulator serves again: `{"format": "imds-snapshot/1", "leaves":
//! {PATH: VALUE}}`.
//!
//! A value is a text, or `{"base64": "..."}` for bytes that are none. A launch key's path keeps the
//! key's name, `public-keys/0=my-key/openssh-key`, which no path of the service holds.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use super::Leaf;

/// The snapshot of these leaves. `listed` gives the names under which launch keys were listed, by
/// index.
pub(crate) fn of(leaves: &[Leaf], listed: &BTreeMap<String, String>) -> String {
    let mut values = Map::new();
    for leaf in leaves {
        let value = match std::str::from_utf8(&leaf.value) {
            Ok(text) => json!(text),
            Err(_) => json!({ "base64": STANDARD.encode(&leaf.value) }),
        };
        values.insert(format!("/latest/{}", named(&leaf.path.below_version(), listed)), value);
    }
    let snapshot: Value = json!({ "format": "imds-snapshot/1", "leaves": values });
    format!("{snapshot:#}\n")
}

fn named(path: &str, listed: &BTreeMap<String, String>) -> String {
    let key = path.strip_prefix("meta-data/public-keys/").and_then(|rest| rest.split_once('/'));
    match key.and_then(|(index, rest)| Some((listed.get(index)?, rest))) {
        Some((name, rest)) => format!("meta-data/public-keys/{name}/{rest}"),
        None => path.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_bytes_and_key_names() {
        let leaf = |path: &str, value: &[u8]| Leaf { path: path.parse().unwrap(), value: value.to_vec() };
        let leaves =
            [leaf("public-keys/0/openssh-key", b"ssh-rsa A"), leaf("/2021-03-23/user-data", b"\0\xff")];
        let listed = [("0".to_owned(), "0=my-key".to_owned())].into();
        let snapshot: Value = serde_json::from_str(&of(&leaves, &listed)).unwrap();
        assert_eq!(
            snapshot,
            json!({
                "format": "imds-snapshot/1",
                "leaves": {
                    "/latest/meta-data/public-keys/0=my-key/openssh-key": "ssh-rsa A",
                    "/latest/user-data": { "base64": "AP8=" },
                },
            })
        );
    }
}
