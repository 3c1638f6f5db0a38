//! Replies as Python objects.

use std::collections::BTreeMap;

use imds::{Entry, Interface, PublicKey, Response};
use imds_identity::Verified;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList};

use crate::documents::{HasMembers, Members, Shape};

/// What a request brought.
pub(crate) enum Reply {
    Text(String),
    Bytes(Vec<u8>),
    OptionalText(Option<String>),
    OptionalBytes(Option<Vec<u8>>),
    OptionalTexts(Vec<Option<String>>),
    Texts(BTreeMap<String, String>),
    Entries(Vec<Entry>),
    Interfaces(Vec<Interface>),
    PublicKeys(Vec<PublicKey>),
    Document(Shape),
    Verified(Box<Verified>),
    Leaf(Option<Response>),
    /// Changes, each as JSON, and the seconds until the next poll.
    Changes(Vec<String>, f64),
}

impl Reply {
    /// Returns the reply as an object of Python.
    ///
    /// # Errors
    /// Returns an error if the interpreter has no memory for it.
    pub(crate) fn into_object(self, py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
        Ok(match self {
            Self::Text(text) => text.into_pyobject(py)?.into_any(),
            Self::Bytes(bytes) => PyBytes::new(py, &bytes).into_any(),
            Self::OptionalText(text) => text.into_pyobject(py)?,
            Self::OptionalBytes(bytes) => match bytes {
                Some(bytes) => PyBytes::new(py, &bytes).into_any(),
                None => py.None().into_bound(py),
            },
            Self::OptionalTexts(texts) => texts.into_pyobject(py)?,
            Self::Texts(texts) => texts.into_pyobject(py)?.into_any(),
            Self::Entries(entries) => {
                let entry = |entry: Entry| {
                    (entry.name, entry.path.as_str().to_owned(), entry.is_directory, entry.is_secret)
                };
                entries.into_iter().map(entry).collect::<Vec<_>>().into_pyobject(py)?
            }
            Self::Interfaces(interfaces) => many(py, interfaces.into_iter().map(HasMembers::members))?,
            Self::PublicKeys(keys) => many(py, keys.into_iter().map(HasMembers::members))?,
            Self::Document(Shape::One(None)) => py.None().into_bound(py),
            Self::Document(Shape::One(Some(members))) => one(py, members)?.into_any(),
            Self::Document(Shape::Many(documents)) => many(py, documents)?,
            Self::Verified(verified) => self::verified(py, &verified)?.into_any(),
            Self::Leaf(None) => py.None().into_bound(py),
            Self::Leaf(Some(leaf)) => self::leaf(py, &leaf)?,
            Self::Changes(changes, pause) => (changes, pause).into_pyobject(py)?.into_any(),
        })
    }
}

/// Returns a value with its path.
pub(crate) fn leaf<'py>(py: Python<'py>, leaf: &Response) -> PyResult<Bound<'py, PyAny>> {
    Ok((leaf.path().as_str(), PyBytes::new(py, leaf.bytes())).into_pyobject(py)?.into_any())
}

fn one(py: Python<'_>, members: Members) -> PyResult<Bound<'_, PyDict>> {
    let document = PyDict::new(py);
    for (name, member) in members {
        document.set_item(name, member)?;
    }
    Ok(document)
}

fn many(py: Python<'_>, documents: impl IntoIterator<Item = Members>) -> PyResult<Bound<'_, PyAny>> {
    let list = PyList::empty(py);
    for members in documents {
        list.append(one(py, members)?)?;
    }
    Ok(list.into_any())
}

fn verified<'py>(py: Python<'py>, verified: &Verified) -> PyResult<Bound<'py, PyDict>> {
    let members = PyDict::new(py);
    members.set_item("signed_bytes", PyBytes::new(py, verified.document()))?;
    members.set_item("signature", verified.kind().name())?;
    members.set_item("region", verified.region())?;
    members.set_item("signing_time", verified.signing_time())?;
    members.set_item("certificate_fingerprint", verified.certificate().fingerprint())?;
    // A signature is over a document, so these bytes are one.
    let document = serde_json::from_slice::<imds::IdentityDocument>(verified.document()).unwrap_or_default();
    members.set_item("document", one(py, document.members())?)?;
    Ok(members)
}
