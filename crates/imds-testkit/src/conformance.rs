//! The conformance cases of `model/`, which a client and a service are both run against.

#[rustfmt::skip]
mod table;

pub use table::{MALFORMED_REQUESTS, REQUESTS, RESPONSES};

/// What a client must send for a read or a token request.
#[derive(Clone, Copy, Debug)]
pub struct RequestCase {
    /// Name of the case.
    pub id: &'static str,
    /// Operation of the model.
    pub operation: &'static str,
    /// What is shown.
    pub documentation: &'static str,
    /// The path as a person would write it, labels as they are.
    pub path: &'static str,
    /// Method on the wire.
    pub method: &'static str,
    /// Path on the wire.
    pub uri: &'static str,
    /// Headers that must have these values.
    pub headers: &'static [(&'static str, &'static str)],
    /// Headers that must be there.
    pub require_headers: &'static [&'static str],
    /// Headers that must not be there.
    pub forbid_headers: &'static [&'static str],
}

/// What a client must make of an answer.
#[derive(Clone, Copy, Debug)]
pub struct ResponseCase {
    /// Name of the case.
    pub id: &'static str,
    /// Operation or error of the model.
    pub shape: &'static str,
    /// What is shown.
    pub documentation: &'static str,
    /// Status.
    pub code: u16,
    /// Headers of the answer.
    pub headers: &'static [(&'static str, &'static str)],
    /// Body of the answer.
    pub body: &'static str,
    /// How the body is to be read; `None` for errors.
    pub format: Option<&'static str>,
    /// The value that the body means, as JSON: a string, an array of lines, or a document.
    pub value: &'static str,
}

/// A request that a service must refuse.
#[derive(Clone, Copy, Debug)]
pub struct MalformedRequestCase {
    /// Name of the case.
    pub id: &'static str,
    /// Operation of the model.
    pub operation: &'static str,
    /// What is shown.
    pub documentation: &'static str,
    /// Method on the wire.
    pub method: &'static str,
    /// Path on the wire.
    pub uri: &'static str,
    /// Headers of the request.
    pub headers: &'static [(&'static str, &'static str)],
    /// Status of the answer.
    pub code: u16,
}
