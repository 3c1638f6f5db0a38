//! What a failed AWS call means to the caller, whatever the service.

use aws_sdk_ec2::error::{ProvideErrorMetadata, SdkError};
use aws_smithy_runtime_api::http::Response;
use aws_types::request_id::RequestId;

use crate::inventory::resource::{Gap, Reason};

/// A call that brought no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The API call.
    pub call: &'static str,
    /// What it means.
    pub reason: Reason,
    /// The service's own code, such as `UnauthorizedOperation`.
    pub code: Option<String>,
    /// What the service said.
    pub message: String,
    /// The request id, for AWS support.
    pub request_id: Option<String>,
}

impl Fault {
    /// What an SDK error means.
    pub fn of<E>(call: &'static str, error: &SdkError<E, Response>) -> Self
    where
        E: ProvideErrorMetadata + std::error::Error + 'static,
    {
        let status = error.raw_response().map(|response| response.status().as_u16());
        let service = error.as_service_error();
        let code = service.and_then(ProvideErrorMetadata::code).map(str::to_owned);
        let said = service.and_then(ProvideErrorMetadata::message).map(str::to_owned);
        let request_id = error.raw_response().and_then(|response| response.request_id()).map(str::to_owned);
        let (reason, message) = match (error, code.as_deref()) {
            (_, Some(code)) => (reason_of(code, status), said.unwrap_or_else(|| code.to_owned())),
            (SdkError::TimeoutError(_), None) => (Reason::Unreachable, "no answer in time".to_owned()),
            (SdkError::DispatchFailure(_), None) => (Reason::Unreachable, innermost(error)),
            (SdkError::ConstructionFailure(_), None) => (Reason::Other, innermost(error)),
            // An answer that is no AWS answer: a proxy's page, or a service that does not know the
            // call.
            (_, None) => {
                (Reason::Service, format!("status {} without an AWS error code", status.unwrap_or_default()))
            }
        };
        Self { call, reason, code, message, request_id }
    }

    /// A fault that is not an SDK error.
    #[must_use]
    pub fn new(call: &'static str, reason: Reason, message: impl Into<String>) -> Self {
        Self { call, reason, code: None, message: message.into(), request_id: None }
    }

    /// Whether the service has this code for it.
    #[must_use]
    pub fn is_code(&self, code: &str) -> bool {
        self.code.as_deref() == Some(code)
    }

    /// Whether the service may say so of what does not exist any more: not found, or in a state in
    /// which it ends.
    #[must_use]
    pub fn says_gone(&self) -> bool {
        self.code.as_deref().is_some_and(|code| code.contains("NotFound") || code == "IncorrectInstanceState")
    }

    /// The hole that this fault leaves in a scan.
    #[must_use]
    pub fn gap(&self) -> Gap {
        let message = match &self.code {
            Some(code) if *code != self.message => format!("{code}: {}", self.message),
            _ => self.message.clone(),
        };
        Gap { call: self.call.to_owned(), reason: self.reason, message }
    }
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let gap = self.gap();
        write!(f, "`{}` {}: {}", gap.call, self.reason.as_str(), gap.message)
    }
}

impl std::error::Error for Fault {}

/// The text of the first cause: the outer ones only say that something failed.
pub(crate) fn innermost<E: std::error::Error + ?Sized>(error: &E) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = cause.to_string();
        source = cause.source();
    }
    text
}

/// The codes are those of "Error codes for the Amazon EC2 API" and of the common errors of the
/// other services.
fn reason_of(code: &str, status: Option<u16>) -> Reason {
    match code {
        "UnauthorizedOperation"
        | "AccessDenied"
        | "AccessDeniedException"
        | "AWSOrganizationsNotInUseException" => Reason::Denied,
        "ExpiredToken" | "ExpiredTokenException" | "RequestExpired" => Reason::Expired,
        // A Region that is not enabled does not know the account's credentials.
        "OptInRequired"
        | "RegionDisabledException"
        | "AuthFailure"
        | "UnrecognizedClientException"
        | "InvalidClientTokenId" => Reason::OptedOut,
        "RequestLimitExceeded"
        | "Throttling"
        | "ThrottlingException"
        | "TooManyRequestsException"
        | "RequestThrottled"
        | "RequestThrottledException"
        | "PriorRequestNotComplete"
        // "You already have a pending update" (Auto Scaling API reference): refused, and fine a
        // moment later.
        | "ResourceContention" => Reason::Throttled,
        "UnsupportedOperation" | "InvalidAction" | "UnknownOperationException" => Reason::Unsupported,
        "InternalError"
        | "InternalFailure"
        | "ServiceUnavailable"
        | "Unavailable"
        | "InternalServerError"
        | "InternalServiceFault"
        | "ServiceException" => Reason::Service,
        _ if status.is_some_and(|status| status >= 500) => Reason::Service,
        _ => Reason::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_and_what_they_mean() {
        let cases = [
            ("UnauthorizedOperation", Some(403), Reason::Denied),
            ("AccessDenied", Some(403), Reason::Denied),
            ("ExpiredToken", Some(400), Reason::Expired),
            ("RequestExpired", Some(400), Reason::Expired),
            ("OptInRequired", Some(403), Reason::OptedOut),
            ("AuthFailure", Some(401), Reason::OptedOut),
            ("RequestLimitExceeded", Some(503), Reason::Throttled),
            ("TooManyRequestsException", Some(400), Reason::Throttled),
            ("UnsupportedOperation", Some(400), Reason::Unsupported),
            ("SomethingNew", Some(500), Reason::Service),
            ("InvalidInstanceID.NotFound", Some(400), Reason::Other),
        ];
        for (code, status, reason) in cases {
            assert_eq!(reason_of(code, status), reason, "{code}");
        }
    }
}
