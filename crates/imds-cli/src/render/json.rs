//! A tree as one JSON object, and as flat lines.

use std::collections::HashSet;

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
/// is its own value. Where a listing has both `a` and `a/`, the directory is the member `a/`.
pub(crate) fn nested(leaves: &[Leaf], directory: &MetadataPath) -> Value {
    if let [only] = leaves
        && only.path == *directory
    {
        return of_leaf(only).value;
    }
    let values: HashSet<Vec<String>> = leaves.iter().map(|leaf| leaf.names_below(directory)).collect();
    let mut root = Map::new();
    for leaf in leaves {
        insert(&mut root, &leaf.names_below(directory), 1, of_leaf(leaf).value, &values);
    }
    Value::Object(root)
}

/// Inserts a value whose path is `names`, of which the last in `map` is number `depth`.
fn insert(
    map: &mut Map<String, Value>,
    names: &[String],
    depth: usize,
    value: Value,
    values: &HashSet<Vec<String>>,
) {
    let Some(name) = names.get(depth - 1) else { return };
    if depth == names.len() {
        map.insert(name.clone(), value);
        return;
    }
    let key = if values.contains(&names[..depth]) { format!("{name}/") } else { name.clone() };
    if let Value::Object(child) = map.entry(key).or_insert_with(|| Value::Object(Map::new())) {
        insert(child, names, depth + 1, value, values);
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
    fn a_value_and_a_directory_of_one_name_are_both_there() {
        for order in [[0, 1], [1, 0]] {
            let leaves = order.map(|n| [leaf("x/a", b"{\"b\": 1}"), leaf("x/a/b", b"2")][n].clone());
            let found = nested(&leaves, &"x/".parse().unwrap());
            assert_eq!(found, json!({ "a": { "b": 1 }, "a/": { "b": "2" } }));
        }
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
