//! The cases. Written by `cargo xtask generate` from `model/ast.json`; edit `model/conformance.smithy`.

use super::{MalformedRequestCase, RequestCase, ResponseCase};

/// What a client must send.
pub static REQUESTS: &[RequestCase] = &[
];

/// What a client must make of answers.
pub static RESPONSES: &[ResponseCase] = &[
];

/// What a service must refuse.
pub static MALFORMED_REQUESTS: &[MalformedRequestCase] = &[
];
