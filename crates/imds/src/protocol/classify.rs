//! What an answer, or its absence, means: a value or an error that a caller can decide by.

use imds_model::MetadataPath;

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
        Ok(answer) if answer.status == 200 && is_page(path, &answer.body) => page(&subject),
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

/// How many bytes of a value show whether it is a web page.
const PAGE_BEGIN: usize = 256;

/// Returns whether a value that begins so is a web page. A captive portal need not say so by a
/// `Content-Type`. User data and the values of tags are whatever their owner wrote, so they may be
/// one.
pub(crate) fn is_page(path: &str, begin: &[u8]) -> bool {
    let begin = text_begin(begin);
    let starts = |tag: &str| {
        let (name, rest) = begin.split_at(tag.len().min(begin.len()));
        let ends = rest.first().is_none_or(|byte| byte.is_ascii_whitespace() || *byte == b'>');
        ends && name.eq_ignore_ascii_case(tag.as_bytes())
    };
    (starts("<!doctype html") || starts("<html") || starts("<head")) && !is_free_text(path)
}

/// Returns whether more bytes after these may make a web page of it.
pub(crate) fn may_become_page(path: &str, begin: &[u8]) -> bool {
    begin.len() < PAGE_BEGIN && matches!(text_begin(begin).first(), None | Some(b'<')) && !is_free_text(path)
}

/// The beginning without a byte order mark and space.
fn text_begin(begin: &[u8]) -> &[u8] {
    let begin = &begin[..begin.len().min(PAGE_BEGIN)];
    begin.strip_prefix(b"\xef\xbb\xbf").unwrap_or(begin).trim_ascii_start()
}

fn is_free_text(path: &str) -> bool {
    let Ok(path) = path.parse::<MetadataPath>() else { return false };
    let below = path.below_version();
    let below = below.trim_matches('/');
    below == "user-data" || below.starts_with("meta-data/tags/instance/")
}

/// The answer is a page and no value.
pub(crate) fn page(subject: &str) -> Error {
    protocol(format!(
        "the answer for {subject} is not understood: it is a web page, as a proxy or a captive portal sends"
    ))
    .status_context(200)
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
    fn a_page_is_known_by_its_begin_where_the_owner_writes_no_value() {
        let id = "/latest/meta-data/instance-id";
        for page in [
            "<html>",
            "<HTML lang=en>",
            "\u{feff}\r\n<!DOCTYPE html>\n<html>",
            "<!doctype HTML PUBLIC \"-//W3C//DTD HTML 4.01//EN\">",
            "<head><title>Log in</title>",
            "<html",
        ] {
            for path in [id, "/latest/meta-data/", "/latest/meta-data/new-category", "/latest/user-data/x"] {
                assert!(is_page(path, page.as_bytes()), "{path}: {page}");
            }
            for path in
                ["/latest/user-data", "/2021-03-23/user-data/", "/latest/meta-data/tags/instance/Name"]
            {
                assert!(!is_page(path, page.as_bytes()), "{path}: {page}");
            }
        }
        for value in ["", "i-1", "<htmlx>", "<?xml version=\"1.0\"?>", "<powershell>", "a <html>", "<header>"]
        {
            assert!(!is_page(id, value.as_bytes()), "{value}");
        }
    }

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
