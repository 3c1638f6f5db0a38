//! A tree as one JSON object, and as flat lines.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use imds::MetadataPath;
use serde_json::{Map, Value, json};

use super::Leaf;
use crate::value::{self, Typed};

/// The value of a leaf as JSON, and whether it is a JSON document that is broken. Bytes that are no
/// text become `{"base64": "..."}`.
pub(crate) fn of_leaf(leaf: &Leaf) -> Typed {
    value::typed(&leaf.path, &leaf.value).unwrap_or_else(|| Typed {
        value: json!({ "base64": STANDARD.encode(&leaf.value) }),
        malformed: false,
    })
}

/// The leaves below a directory as an object of objects. A single leaf that the path itself names
/// is its own value.
pub(crate) fn nested(leaves: &[Leaf], directory: &MetadataPath) -> Value {
    if let [only] = leaves
        && only.path == *directory
    {
        return of_leaf(only).value;
    }
    let mut root = Map::new();
    for leaf in leaves {
        insert(&mut root, &leaf.names_below(directory), of_leaf(leaf).value);
    }
    Value::Object(root)
}

fn insert(map: &mut Map<String, Value>, names: &[String], value: Value) {
    match names {
        [] => {}
        [last] => {
            map.insert(last.clone(), value);
        }
        [first, rest @ ..] => {
            let child = map.entry(first.clone()).or_insert_with(|| Value::Object(Map::new()));
            if !child.is_object() {
                *child = Value::Object(Map::new());
            }
            if let Value::Object(child) = child {
                insert(child, rest, value);
            }
        }
    }
}

/// One line per leaf: its path below the version, ` = `, and its value as JSON.
pub(crate) fn flat(leaves: &[Leaf]) -> String {
    leaves.iter().map(|leaf| format!("{} = {}\n", leaf.path.below_version(), of_leaf(leaf).value)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leaf(path: &str, value: &[u8]) -> Leaf {
        Leaf { path: path.parse().unwrap(), value: value.to_vec() }
    }

    #[test]
    fn types_come_from_the_catalogue() {
        let leaves = [
            leaf("ami-launch-index", b"0"),
            leaf("security-groups", b"default\nweb"),
            leaf("iam/info", b"{\"Code\": \"Success\"}"),
            leaf("network/interfaces/macs/02:00/owner-id", b"012345678901"),
            leaf("tags/instance/port", b"8080"),
            leaf("user-data", b"\xff\0"),
        ];
        assert_eq!(
            nested(&leaves, &"/latest/".parse().unwrap()),
            json!({
                "meta-data": {
                    "ami-launch-index": 0,
                    "security-groups": ["default", "web"],
                    "iam": { "info": { "Code": "Success" } },
                    "network": { "interfaces": { "macs": { "02:00": { "owner-id": "012345678901" } } } },
                    "tags": { "instance": { "port": "8080" } },
                },
                "user-data": { "base64": "/wA=" },
            })
        );
        assert_eq!(
            flat(&leaves[..2]),
            "meta-data/ami-launch-index = 0\nmeta-data/security-groups = [\"default\",\"web\"]\n"
        );
        assert_eq!(nested(&leaves[..1], &"ami-launch-index".parse().unwrap()), json!(0));
    }

    #[test]
    fn a_broken_document_stays_text() {
        let broken = of_leaf(&leaf("spot/instance-action", b"{\"action\": "));
        assert_eq!(broken, Typed { value: json!("{\"action\": "), malformed: true });
    }
}
