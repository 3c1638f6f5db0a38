//! Reading a subject: which paths are asked for, and what their answers make.

use std::collections::BTreeMap;

use base64::Engine as _;
use imds::{Error, ErrorKind};
use imds_model::MetadataPath;
use serde_json::{Map, Value, json};

use crate::event::{Shape, Subject};
use crate::fingerprint::{fingerprint, of_bytes};
use crate::reading::{Item, Outage, Reading};

/// Most requests for one tree: what is beyond would cost more packets than a poll may, and a
/// listing that lists itself has no end.
const MOST_REQUESTS: usize = 2_000;
/// Deepest directory of one tree, below its root.
const DEEPEST: usize = 16;
/// States of a maintenance event that is over (EC2 User Guide, "Scheduled events for your
/// instances").
const OVER: [&str; 3] = ["completed", "canceled", "cancelled"];

/// Why there is no reading.
enum Unread {
    Error(Error),
    /// A tree that is not walked to its end says nothing about what is in it.
    TooLarge(String),
}

impl From<Error> for Unread {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}

/// Reads a subject by `get`, which asks the service for one path.
///
/// # Errors
/// Returns an error if watching on is pointless: the environment forbids every request, or a
/// setting is wrong.
pub fn poll(
    subject: &Subject,
    mut get: impl FnMut(&MetadataPath) -> Result<Vec<u8>, Error>,
) -> Result<Reading, Error> {
    match read(subject, &mut get) {
        Ok(items) => Ok(Reading::Present(items)),
        Err(Unread::Error(error))
            if matches!(error.kind(), ErrorKind::Disabled | ErrorKind::Config | ErrorKind::Path) =>
        {
            Err(error)
        }
        Err(Unread::Error(error)) => Ok(Reading::Unreadable(Outage::from(&error))),
        Err(Unread::TooLarge(message)) => {
            Ok(Reading::Unreadable(Outage { kind: "too-large", message, retry_after: None }))
        }
    }
}

type Items = BTreeMap<String, Item>;

fn read(
    subject: &Subject,
    get: &mut dyn FnMut(&MetadataPath) -> Result<Vec<u8>, Error>,
) -> Result<Items, Unread> {
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

/// `None` for a 404, which says that nothing is there; whatever else fails says nothing.
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
) -> Result<(), Unread> {
    let mut directories = vec![(root.clone(), 0)];
    let mut requests = 0;
    let mut get = |path: &MetadataPath| {
        requests += 1;
        if requests > MOST_REQUESTS {
            let told = format!("`{root}` has more than {MOST_REQUESTS} paths below it");
            return Err(Unread::TooLarge(told));
        }
        Ok(present(get(path))?)
    };
    while let Some((directory, depth)) = directories.pop() {
        if depth > DEEPEST {
            let told = format!("`{root}` has directories more than {DEEPEST} deep below it");
            return Err(Unread::TooLarge(told));
        }
        let Some(listing) = get(&directory)? else { continue };
        for name in String::from_utf8_lossy(&listing).lines().filter(|name| !name.is_empty()) {
            let Ok(path) = directory.join(name) else { continue };
            if path.is_directory() {
                if directories.len() < MOST_REQUESTS {
                    directories.push((path, depth + 1));
                }
            } else if let Some(bytes) = get(&path)? {
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
    // One that is over is no new notice (aws/aws-node-termination-handler#61).
    let over =
        |notice: &Value| notice.get("State").and_then(Value::as_str).is_some_and(|is| OVER.contains(&is));
    for notice in list.into_iter().filter(|notice| !over(notice)) {
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

    /// Reads a subject of a service that holds these values; the errors come from a client that may
    /// send nothing.
    fn reading(word: &str, values: &[(&str, &str)]) -> Items {
        let values: BTreeMap<String, &str> =
            values.iter().map(|(path, value)| (format!("{STATE}{path}"), *value)).collect();
        let subject = Subject::parse(word).unwrap();
        let get = |path: &MetadataPath| {
            values.get(path.as_str()).map(|text| text.as_bytes().to_vec()).ok_or_else(not_found)
        };
        match poll(&subject, get).unwrap() {
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
    fn maintenance_that_is_over_is_no_notice() {
        let path = "events/maintenance/scheduled";
        for (state, notices) in
            [("active", 1), ("rescheduled", 1), ("completed", 0), ("canceled", 0), ("cancelled", 0)]
        {
            let text = format!(r#"[{{"EventId":"a","State":"{state}"}}]"#);
            assert_eq!(reading("maintenance", &[(path, &text)]).len(), notices, "{state}");
        }
    }

    #[test]
    fn a_tree_without_end_is_unreadable_and_no_part_of_it_is_taken_for_all() {
        let all = (0..MOST_REQUESTS + 1).map(|number| number.to_string()).collect::<Vec<_>>().join("\n");
        for (listing, told, most) in [
            (
                "a/\nb/\nc",
                "`/latest/meta-data/tags/instance/` has directories more than 16 deep below it",
                100,
            ),
            (
                all.as_str(),
                "`/latest/meta-data/tags/instance/` has more than 2000 paths below it",
                MOST_REQUESTS,
            ),
        ] {
            let mut requests = 0;
            let get = |_: &MetadataPath| {
                requests += 1;
                Ok(listing.as_bytes().to_vec())
            };
            let Reading::Unreadable(outage) = poll(&Subject::parse("tags").unwrap(), get).unwrap() else {
                panic!("it was read")
            };
            assert_eq!((outage.kind, outage.message.as_str()), ("too-large", told));
            assert!(requests <= most, "{requests}");
        }
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
