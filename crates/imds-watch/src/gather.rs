//! Reading a subject: which paths are asked for, and what their answers make.

use std::collections::BTreeMap;

use base64::Engine as _;
use imds::{Error, ErrorKind};
use imds_model::MetadataPath;
use serde_json::{Map, Value, json};

use crate::canonical::{fingerprint, of_bytes};
use crate::event::{Shape, Subject};
use crate::reading::{Item, Outage, Reading};

/// Most leaves of one tree: what is beyond would cost more packets than a poll may.
const MOST_LEAVES: usize = 1_000;

/// Reads a subject by `get`, which asks the service for one path.
///
/// # Errors
/// What watching on cannot mend: the environment forbids every request, or a setting is wrong.
pub fn gather(
    subject: &Subject,
    mut get: impl FnMut(&MetadataPath) -> Result<Vec<u8>, Error>,
) -> Result<Reading, Error> {
    match read(subject, &mut get) {
        Ok(items) => Ok(Reading::Present(items)),
        Err(error) if matches!(error.kind(), ErrorKind::Disabled | ErrorKind::Config | ErrorKind::Path) => {
            Err(error)
        }
        Err(error) => Ok(Reading::Unreadable(Outage::from(&error))),
    }
}

type Items = BTreeMap<String, Item>;

fn read(
    subject: &Subject,
    get: &mut dyn FnMut(&MetadataPath) -> Result<Vec<u8>, Error>,
) -> Result<Items, Error> {
    let path = &subject.path;
    let mut items = Items::new();
    match subject.shape {
        Shape::Tree => tree(path, get, &mut items)?,
        Shape::Credentials => {
            let Some(roles) = present(get(path))? else { return Ok(items) };
            for role in String::from_utf8_lossy(&roles).lines().filter(|role| !role.is_empty()) {
                // A name that cannot stand in a path is none that could be asked for.
                let Ok(path) = path.join(role) else { continue };
                if let Some(bytes) = present(get(&path))? {
                    let shown = credentials(role, &bytes);
                    insert(&mut items, &path, "", shown, of_bytes(&bytes));
                }
            }
        }
        Shape::Hidden => {
            if let Some(bytes) = present(get(path))? {
                insert(&mut items, path, "", hidden(&bytes), of_bytes(&bytes));
            }
        }
        Shape::Notices => {
            if let Some(bytes) = present(get(path))? {
                notices(&mut items, path, value(&bytes));
            }
        }
        Shape::Value | Shape::Notice => {
            if let Some(bytes) = present(get(path))? {
                let shown = value(&bytes);
                let name = fingerprint(&shown);
                insert(&mut items, path, "", shown, name);
            }
        }
    }
    Ok(items)
}

fn insert(items: &mut Items, path: &MetadataPath, id: &str, shown: Value, fingerprint: String) {
    let path = path.as_str().to_owned();
    items.insert(format!("{path}#{id}"), Item { path, shown, fingerprint });
}

/// `None` in place of a 404, which says that nothing is there; whatever else fails says nothing.
fn present(result: Result<Vec<u8>, Error>) -> Result<Option<Vec<u8>>, Error> {
    match result {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn tree(
    root: &MetadataPath,
    get: &mut dyn FnMut(&MetadataPath) -> Result<Vec<u8>, Error>,
    items: &mut Items,
) -> Result<(), Error> {
    let mut directories = vec![root.clone()];
    while let Some(directory) = directories.pop() {
        let Some(listing) = present(get(&directory))? else { continue };
        for name in String::from_utf8_lossy(&listing).lines().filter(|name| !name.is_empty()) {
            let Ok(path) = directory.join(name) else { continue };
            if path.is_directory() {
                directories.push(path);
            } else if items.len() >= MOST_LEAVES {
                return Ok(());
            } else if let Some(bytes) = present(get(&path))? {
                let shown = if path.is_secret() { hidden(&bytes) } else { value(&bytes) };
                insert(items, &path, "", shown, of_bytes(&bytes));
            }
        }
    }
    Ok(())
}

/// One item for each notice of an array; a value that is no array is one notice.
fn notices(items: &mut Items, path: &MetadataPath, all: Value) {
    let list = match all {
        Value::Array(list) => list,
        other => vec![other],
    };
    for notice in list {
        let name = fingerprint(&notice);
        let id = notice.get("EventId").and_then(Value::as_str).map_or_else(|| name.clone(), str::to_owned);
        insert(items, path, &id, notice, name);
    }
}

/// JSON objects and arrays as themselves, text as text, and what is neither in base64.
fn value(bytes: &[u8]) -> Value {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return json!({ "base64": base64::engine::general_purpose::STANDARD.encode(bytes) });
    };
    match serde_json::from_str(text) {
        Ok(value @ (Value::Object(_) | Value::Array(_))) => value,
        _ => Value::from(text),
    }
}

fn hidden(bytes: &[u8]) -> Value {
    json!({ "length": bytes.len(), "sha256": of_bytes(bytes) })
}

/// The role, and the members that are no secret.
fn credentials(role: &str, bytes: &[u8]) -> Value {
    let mut shown = Map::new();
    shown.insert("Role".to_owned(), role.into());
    if let Ok(Value::Object(document)) = serde_json::from_slice(bytes) {
        for name in ["Code", "LastUpdated", "Expiration"] {
            if let Some(value) = document.get(name) {
                shown.insert(name.to_owned(), value.clone());
            }
        }
    }
    Value::Object(shown)
}

#[cfg(test)]
mod tests {
    use super::*;

    const STATE: &str = "/latest/meta-data/";

    /// Reads a subject of a service that holds these values; the errors come from a client that may send nothing.
    fn reading(word: &str, values: &[(&str, &str)]) -> Items {
        let values: BTreeMap<String, &str> =
            values.iter().map(|(path, value)| (format!("{STATE}{path}"), *value)).collect();
        let subject = Subject::parse(word).unwrap();
        let get = |path: &MetadataPath| {
            values.get(path.as_str()).map(|text| text.as_bytes().to_vec()).ok_or_else(not_found)
        };
        match gather(&subject, get).unwrap() {
            Reading::Present(items) => items,
            Reading::Unreadable(outage) => panic!("{outage:?}"),
        }
    }

    fn not_found() -> Error {
        let server = imds_testkit::FaultServer::start();
        server.every_get(imds_testkit::Answer::status(404));
        let client = imds::Client::builder()
            .environment(imds::EmptyEnvironment)
            .endpoint(server.endpoint())
            .no_store()
            .build()
            .unwrap();
        client.get("x").unwrap_err()
    }

    fn shown(items: &Items) -> Vec<(String, String)> {
        let short = |item: &Item| (item.path.replace(STATE, ""), item.shown.to_string());
        items.values().map(short).collect()
    }

    #[test]
    fn a_value_and_nothing() {
        let items = reading("lifecycle", &[("autoscaling/target-lifecycle-state", "InService")]);
        assert_eq!(shown(&items), [("autoscaling/target-lifecycle-state".into(), "\"InService\"".into())]);
        assert_eq!(reading("lifecycle", &[]), Items::new());
    }

    #[test]
    fn a_number_stays_text_and_a_notice_is_json() {
        let items = reading("ami-launch-index", &[("ami-launch-index", "007")]);
        assert_eq!(shown(&items)[0].1, "\"007\"");
        let items = reading("spot-interruption", &[("spot/instance-action", r#"{"action": "stop"}"#)]);
        assert_eq!(shown(&items)[0].1, r#"{"action":"stop"}"#);
    }

    #[test]
    fn maintenance_is_a_notice_per_event() {
        let path = "events/maintenance/scheduled";
        assert_eq!(reading("maintenance", &[(path, "[]")]), Items::new());
        let two = reading("maintenance", &[(path, r#"[{"EventId":"a","State":"active"},{"EventId":"b"}]"#)]);
        let other_order =
            reading("maintenance", &[(path, r#"[{"EventId":"b"},{"State":"active","EventId":"a"}]"#)]);
        assert_eq!(two.len(), 2);
        let names =
            |items: &Items| items.iter().map(|(k, i)| (k.clone(), i.fingerprint.clone())).collect::<Vec<_>>();
        assert_eq!(names(&two), names(&other_order));
    }

    #[test]
    fn a_tree_is_its_leaves() {
        let items = reading(
            "tags",
            &[("tags/instance/", "Name\nteam"), ("tags/instance/Name", "web"), ("tags/instance/team", "a=b")],
        );
        assert_eq!(
            shown(&items),
            [
                ("tags/instance/Name".into(), "\"web\"".into()),
                ("tags/instance/team".into(), "\"a=b\"".into())
            ]
        );
        let network = reading(
            "network",
            &[
                ("network/interfaces/macs/", "02:00/"),
                ("network/interfaces/macs/02:00/", "mac\nipv4-associations/"),
                ("network/interfaces/macs/02:00/mac", "02:00"),
                ("network/interfaces/macs/02:00/ipv4-associations/", "1.2.3.4"),
                ("network/interfaces/macs/02:00/ipv4-associations/1.2.3.4", "10.0.0.1"),
            ],
        );
        assert_eq!(network.len(), 2);
    }

    #[test]
    fn nothing_secret_is_shown() {
        let document = r#"{"Code":"Success","AccessKeyId":"AKID","SecretAccessKey":"SAK","Token":"TOK","Expiration":"2030-01-01T00:00:00Z"}"#;
        let items = reading(
            "credentials",
            &[("iam/security-credentials/", "app"), ("iam/security-credentials/app", document)],
        );
        assert_eq!(
            shown(&items)[0].1,
            r#"{"Role":"app","Code":"Success","Expiration":"2030-01-01T00:00:00Z"}"#
        );
        let tree = reading(
            "iam/",
            &[
                ("iam/", "security-credentials/"),
                ("iam/security-credentials/", "app"),
                ("iam/security-credentials/app", document),
            ],
        );
        assert!(!format!("{tree:?}").contains("SAK"), "{tree:?}");
    }
}
