//! What an answer, or its absence, means: a value or an error that a caller can decide by.

use crate::config::settings::ImdsVersion;
use crate::error::{Error, ErrorKind};
use crate::protocol::http::Answer;
use crate::protocol::outcome::{Failure, Outcome};
use crate::protocol::retry;
use crate::protocol::shared::Shared;

/// The answer to a token PUT, or why there is none.
pub(crate) fn token_put(shared: &Shared, outcome: Outcome) -> Result<Answer, Error> {
    let subject = "session token";
    let (context, result) = split(outcome);
    let error = match result {
        Ok(answer) if answer.status == 200 => return Ok(answer),
        Ok(answer) => match answer.status {
            400 => protocol(format!("the request for a {subject} was refused as malformed (400)")),
            401 => {
                Error::new(ErrorKind::Unauthorized, format!("the request for a {subject} was refused (401)"))
            }
            403 => Error::new(
                ErrorKind::Forbidden,
                format!(
                    "the request for a {subject} was refused (403): the service is turned off or forbids it"
                ),
            ),
            404 | 405 => protocol(format!(
                "the service has no {subject}s to give ({}): it does not speak IMDSv2",
                answer.status
            )),
            _ => other_status(subject, &answer),
        }
        .status_context(answer.status)
        .retryable_context(retry::of_status(answer.status).is_retryable())
        .service_message_context(&answer),
        Err(failure) => no_answer(shared, subject, context.endpoint, failure),
    };
    Err(context.apply(shared, error).token_fetch_context())
}

/// The answer to a GET, or why there is none. A 401 is an answer here: whether it is final is not
/// known yet.
pub(crate) fn get(shared: &Shared, path: &str, outcome: Outcome) -> Result<Answer, Error> {
    let subject = format!("`{path}`");
    let (context, result) = split(outcome);
    let error = match result {
        Ok(answer) if matches!(answer.status, 200 | 401) => return Ok(answer),
        Ok(answer) => match answer.status {
            403 => Error::new(
                ErrorKind::Forbidden,
                format!("{subject} was refused (403): the service is turned off or forbids it"),
            ),
            404 => Error::new(ErrorKind::NotFound, format!("{subject} does not exist (404)")),
            _ => other_status(&subject, &answer),
        }
        .status_context(answer.status)
        .retryable_context(retry::of_status(answer.status).is_retryable())
        .service_message_context(&answer),
        Err(failure) => no_answer(shared, &subject, context.endpoint, failure),
    };
    Err(context.apply(shared, error))
}

/// A 401 that is final.
pub(crate) fn unauthorized(shared: &Shared, path: &str) -> Error {
    let refused = |why: &str| {
        Error::new(ErrorKind::Unauthorized, format!("`{path}` was refused (401){why}")).status_context(401)
    };
    match shared.settings.version {
        ImdsVersion::V2 => refused(" with a token that was just fetched")
            .retryable_context(retry::of_status(401).is_retryable()),
        ImdsVersion::V1 => refused(": the service requires session tokens").lacked_token_context(),
    }
}

/// The answer to a token PUT is none that the service gives.
pub(crate) fn no_token() -> Error {
    protocol("the answer to the request for a session token holds no token: this is not the metadata service")
        .status_context(200)
        .token_fetch_context()
}

/// What every error of an outcome tells beside its message.
struct Context {
    attempts: u32,
    endpoint: usize,
    retry_after: Option<std::time::Duration>,
}

impl Context {
    fn apply(&self, shared: &Shared, error: Error) -> Error {
        let error = error.attempts_context(self.attempts).retry_after_context(self.retry_after);
        match shared.settings.endpoint.endpoints().get(self.endpoint) {
            Some(endpoint) => error.endpoint_context(endpoint),
            None => error,
        }
    }
}

fn split(outcome: Outcome) -> (Context, Result<Answer, Failure>) {
    let Outcome { result, attempts, endpoint, retry_after, .. } = outcome;
    (Context { attempts, endpoint, retry_after }, result)
}

fn protocol(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::Protocol, message)
}

fn other_status(subject: &str, answer: &Answer) -> Error {
    let status = answer.status;
    match status {
        429 => Error::new(ErrorKind::Throttled, format!("the request for {subject} was throttled (429)")),
        300..400 => {
            protocol(format!("the answer for {subject} is a redirect ({status}), which is never followed"))
        }
        500..600 => {
            Error::new(ErrorKind::Server, format!("the service failed to answer for {subject} ({status})"))
        }
        _ => protocol(format!(
            "the answer for {subject} has a status that the service does not give ({status})"
        )),
    }
}

pub(crate) fn no_answer(shared: &Shared, subject: &str, endpoint: usize, failure: Failure) -> Error {
    let choice = &shared.settings.endpoint;
    let shown = match (choice.endpoints(), choice.endpoints().get(endpoint)) {
        ([_], Some(endpoint)) => format!("`{endpoint}`"),
        _ => format!("`{choice}`"),
    };
    let unreachable = |message: String| Error::new(ErrorKind::Unreachable, message);
    let retryable = retry::of_failure(&failure).is_retryable();
    let error = match failure {
        Failure::CannotConnect(error) => unreachable(format!("cannot connect to {shown}")).caused_by(error),
        Failure::Lost(error) => {
            unreachable(format!("lost the connection to {shown} while asking for {subject}")).caused_by(error)
        }
        Failure::ConnectTimeout => unreachable(format!("no connection to {shown} in time")),
        Failure::Stalled => {
            unreachable(format!("{shown} accepted the connection but did not answer in time for {subject}"))
                .stalled_context()
        }
        Failure::NoPermit => {
            unreachable(format!("the deadline passed before {shown} could be asked for {subject}"))
        }
        Failure::Truncated => protocol(format!("the answer for {subject} ended before its stated length")),
        Failure::Malformed(reason) => {
            protocol(format!("the answer for {subject} is not understood: {reason}"))
        }
        Failure::TooLarge => protocol(format!(
            "the answer for {subject} is larger than the limit of {} bytes",
            shared.settings.body_limit
        )),
    };
    error.retryable_context(retryable)
}

impl Error {
    /// Adds what the service itself says of its failure.
    fn service_message_context(self, answer: &Answer) -> Self {
        match message_of(&answer.body) {
            Some(message) => self.caused_by(message),
            None => self,
        }
    }
}

/// Returns the message of an error body: a JSON document with `message`, as other hosts of the
/// service send it.
fn message_of(body: &[u8]) -> Option<String> {
    #[derive(serde::Deserialize)]
    struct Document {
        #[serde(alias = "Message", alias = "error", alias = "Error")]
        message: String,
    }
    if !body.trim_ascii_start().starts_with(b"{") {
        return None;
    }
    let Document { message } = serde_json::from_slice(body).ok()?;
    let shown: String = message.chars().take(200).flat_map(char::escape_debug).collect();
    (!shown.is_empty()).then(|| format!("the service says `{shown}`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_body_with_a_message_is_quoted_in_one_line() {
        for (body, message) in [
            (r#"{"message": "try later"}"#, Some("the service says `try later`")),
            (r#" {"Message": "a\nb\u001b[0m", "x": 1}"#, Some(r"the service says `a\nb\u{1b}[0m`")),
            (r#"{"message": 5}"#, None),
            (r#"{"message": "cut"#, None),
            (r#"{"message": ""}"#, None),
            ("<html><body>message</body></html>", None),
            ("", None),
        ] {
            assert_eq!(message_of(body.as_bytes()).as_deref(), message, "{body}");
        }
    }
}
