//! Errors as the exceptions of the package: one class for each kind.

use std::error::Error as _;

use imds::ErrorKind;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::request::Failure;

fn class(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::Disabled => "Disabled",
        ErrorKind::Config => "ConfigError",
        ErrorKind::Path => "PathError",
        ErrorKind::Unreachable => "Unreachable",
        ErrorKind::Forbidden => "Forbidden",
        ErrorKind::Unauthorized => "Unauthorized",
        ErrorKind::NotFound => "NotFound",
        ErrorKind::Throttled => "Throttled",
        ErrorKind::Server => "ServerError",
        ErrorKind::Protocol => "ProtocolError",
        _ => "LocalError",
    }
}

/// Returns the exception of a failure.
pub(crate) fn exception(py: Python<'_>, failure: &Failure) -> PyErr {
    let made = match failure {
        Failure::Imds(error) => imds(py, error),
        Failure::Rejected(rejection) => {
            let members = PyDict::new(py);
            members
                .set_item("result", rejection.name())
                .and_then(|()| make(py, "VerificationError", &rejection.to_string(), &members))
        }
    };
    made.unwrap_or_else(|error| error)
}

fn imds(py: Python<'_>, error: &imds::Error) -> PyResult<PyErr> {
    let mut message = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        message.push_str(": ");
        message.push_str(&cause.to_string());
        next = cause.source();
    }
    let members = PyDict::new(py);
    members.set_item("path", error.path().map(|path| path.as_str()))?;
    members.set_item("endpoint", error.endpoint())?;
    members.set_item("status", error.status())?;
    members.set_item("attempts", error.attempts())?;
    members.set_item("is_retryable", error.is_retryable())?;
    members.set_item("is_token_fetch", error.is_token_fetch())?;
    members.set_item("is_stalled", error.is_stalled())?;
    members.set_item("retry_after", error.retry_after().map(|delay| delay.as_secs_f64()))?;
    members.set_item("service_code", error.service_code())?;
    make(py, class(error.kind()), &message, &members)
}

fn make(py: Python<'_>, class: &str, message: &str, members: &Bound<'_, PyDict>) -> PyResult<PyErr> {
    let module = py.import(intern!(py, "imds_client._errors"))?;
    let escaped = imds_model::printable::escape(message).to_string();
    Ok(PyErr::from_value(module.getattr(class)?.call((escaped,), Some(members))?))
}
