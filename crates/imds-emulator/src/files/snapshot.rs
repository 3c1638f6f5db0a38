//! Snapshots: the tree of a real instance as `imds dump --snapshot` writes it, served as it is.

use std::collections::BTreeMap;
use std::fmt;

use super::parse::from_json;
use crate::base::error::Invalid;
use crate::base::path::ValuePath;
use crate::base::span;

/// Every leaf of an instance by path.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Snapshot {
    leaves: BTreeMap<ValuePath, Vec<u8>>,
}

impl fmt::Debug for Snapshot {
    /// A snapshot may hold credentials and user data: only its size is shown.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Snapshot({} leaves)", self.leaves.len())
    }
}

impl Snapshot {
    /// A snapshot of these leaves, each with its path: `/latest/meta-data/instance-id`.
    ///
    /// # Errors
    /// Returns an error if no value can be at a path; names the path.
    pub fn new(leaves: impl IntoIterator<Item = (String, Vec<u8>)>) -> Result<Self, Invalid> {
        let checked = |(path, value): (String, Vec<u8>)| match ValuePath::parse(&path) {
            Ok(path) => Ok((path, value)),
            Err(message) => Err(Invalid::new(message)),
        };
        leaves.into_iter().map(checked).collect::<Result<_, _>>().map(|leaves| Self { leaves })
    }

    /// A leaf's value; the path is counted from below the version.
    pub(crate) fn get(&self, path: &str) -> Option<&[u8]> {
        self.leaves.get(&ValuePath::parse(path).ok()?).map(Vec::as_slice)
    }

    /// Leaves by path, counted from below the version.
    pub(crate) fn leaves(&self) -> impl Iterator<Item = (&ValuePath, &[u8])> {
        self.leaves.iter().map(|(path, value)| (path, value.as_slice()))
    }
}

/// The format's name and number, which tell a snapshot from an instance file.
const FORMAT: &str = "imds-snapshot/1";

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(rename = "format")]
    _format: String,
    /// Leaves by path: a text, or `{ "base64": "..." }`.
    leaves: BTreeMap<String, crate::instance::UserData>,
}

/// The snapshot that a JSON text holds; `None` where the text is something else.
pub(crate) fn parse(text: &str) -> Result<Option<Snapshot>, Invalid> {
    let format = serde_json::from_str::<serde_json::Value>(text)
        .ok()
        .and_then(|json| json.get("format")?.as_str().map(str::to_owned));
    match format.as_deref() {
        None => Ok(None),
        Some(FORMAT) => {
            let file: File = from_json(text)?;
            let leaves = file.leaves.into_iter().map(|(path, value)| (path, value.0));
            Snapshot::new(leaves).map(Some)
        }
        Some(other) => {
            let message = format!("`format` is `{}`; `{FORMAT}` is accepted", other.escape_debug());
            Err(Invalid { line: span::line(text, true, &["format".into()]), ..Invalid::new(message) })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_and_bytes() {
        let snapshot = parse(
            r#"{"format":"imds-snapshot/1","leaves":{"/latest/meta-data/mac":"02:00","/latest/user-data":{"base64":"AAE="}}}"#,
        )
        .unwrap()
        .unwrap();
        assert_eq!(snapshot.get("meta-data/mac"), Some(&b"02:00"[..]));
        assert_eq!(snapshot.get("user-data"), Some(&[0, 1][..]));
        assert_eq!(format!("{snapshot:?}"), "Snapshot(2 leaves)");
    }

    #[test]
    fn other_json_is_no_snapshot() {
        assert_eq!(parse(r#"{"preset":"spot"}"#).unwrap(), None);
        let error = parse(r#"{"format":"imds-snapshot/9"}"#).unwrap_err();
        assert_eq!(error.to_string(), "line 1: `format` is `imds-snapshot/9`; `imds-snapshot/1` is accepted");
    }
}
