//! The protocol as one pure function: what the service answers to a request in some state at some
//! time.

pub(crate) mod token;
pub(crate) mod wire;

use std::borrow::Cow;
use std::sync::Arc;

use imds_model::options::{HttpTokens, Switch};
use imds_model::request_target::path_of;
use imds_model::{MetadataOptions, well_known};

use crate::base::profile::Profile;
use crate::base::status::Status;
use crate::base::time::Timestamp;
use crate::base::version::{self, Version};
use crate::identity::{DocumentSigner, Unsigned};
use crate::protocol::token::TokenIssuer;
use crate::tree::{Directory, Found, MediaType};

/// A request, as far as the service looks at it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Request<'a> {
    /// Method, as sent.
    pub(crate) method: &'a str,
    /// Request target, as sent.
    pub(crate) target: &'a str,
    /// Value of the session token header.
    pub(crate) token: Option<&'a [u8]>,
    /// Value of the token TTL header.
    pub(crate) token_ttl: Option<&'a [u8]>,
    /// Whether `X-Forwarded-For` is there.
    pub(crate) forwarded_for: bool,
    /// Whether `Expect` is there.
    pub(crate) expect: bool,
    /// Value of `User-Agent`, which only the recorder reads.
    pub(crate) user_agent: Option<&'a [u8]>,
}

/// What the service answers from.
#[derive(Debug)]
pub(crate) struct View<'a> {
    /// The wire profile.
    pub(crate) profile: Profile,
    /// The options in force.
    pub(crate) options: MetadataOptions,
    /// What lies below a version.
    pub(crate) root: &'a Directory,
    /// Issues and checks session tokens.
    pub(crate) tokens: &'a mut TokenIssuer,
    /// Signs the identity document.
    pub(crate) signer: &'a mut DocumentSigner,
}

/// An answer before it is put into the bytes of a wire profile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Response {
    /// Status and the reason phrase that goes with it.
    pub(crate) status: Status,
    /// The order of the headers.
    pub(crate) shape: Shape,
    /// The body.
    pub(crate) body: Body,
    /// What `Content-Type` says.
    pub(crate) content_type: &'static str,
    /// Seconds for the token TTL header.
    pub(crate) token_ttl: Option<u32>,
    /// Value of `Allow`.
    pub(crate) allow: Option<&'static str>,
    /// Whether the body is left out, its length still told.
    pub(crate) head: bool,
}

/// The three orders in which the service writes its headers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// 200 to a GET.
    Value,
    /// The token and everything with an empty body.
    Bare,
    /// An error page.
    Page,
}

/// A body.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Body {
    /// Nothing.
    Empty,
    /// A leaf's value.
    Shared(Arc<[u8]>),
    /// Made for this answer.
    Text(Cow<'static, str>),
    /// A signature whose keys are still to be made: the request is answered once they are.
    Awaited,
}

impl std::fmt::Debug for Body {
    /// A body may be a session token or credentials: only its length is shown.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Body({} bytes)", self.bytes().len())
    }
}

impl Body {
    /// The bytes.
    #[must_use]
    pub(crate) fn bytes(&self) -> &[u8] {
        match self {
            Self::Empty | Self::Awaited => b"",
            Self::Shared(bytes) => bytes,
            Self::Text(text) => text.as_bytes(),
        }
    }
}

const TEXT: &str = "text/plain";
const BINARY: &str = "application/octet-stream";
const HTML: &str = "text/html";
const TOKEN_ALLOW: &str = "OPTIONS, PUT";
/// What data paths allow. The order is inferred from the token path's, for want of a capture.
const DATA_ALLOW: &str = "OPTIONS, GET, HEAD";

impl Response {
    /// An answer without a body.
    #[must_use]
    pub(crate) const fn bare(status: Status) -> Self {
        Self {
            status,
            shape: Shape::Bare,
            body: Body::Empty,
            content_type: TEXT,
            token_ttl: None,
            allow: None,
            head: false,
        }
    }

    /// An error answer of this profile: XHTML on Xen, mostly without a body on Nitro.
    #[must_use]
    pub(crate) fn error(profile: Profile, status: Status) -> Self {
        let page = match profile {
            // Captures of 2020 to 2026 show 401, 403 and 405 without a body; 400, 429, 500 and 503
            // are unknown and follow them.
            Profile::Nitro | Profile::Snowball => {
                matches!(status, Status::NotFound | Status::ExpectationFailed)
            }
            // DataDog/datadog-agent#4857 shows the page on 401; 405 is `Content-Length: 0`
            // (jtblin/aws-mock-metadata).
            Profile::Xen => status != Status::NotAllowed,
        };
        if !page {
            return Self::bare(status);
        }
        Self {
            shape: Shape::Page,
            body: Body::Text(Cow::Owned(error_page(profile, status))),
            content_type: HTML,
            ..Self::bare(status)
        }
    }
}

/// The service's XHTML page: 339 bytes for Nitro's 404, 343 for Xen's 401. The 417 comes from
/// another template, whose second line is indented by nine spaces (s3fs-fuse/s3fs-fuse#1605).
fn error_page(profile: Profile, status: Status) -> String {
    let (code, reason) = status.line().split_once(' ').unwrap_or_default();
    let (indent, end) = match (status, profile) {
        (Status::ExpectationFailed, _) => ("         ", "\n"),
        (_, Profile::Xen) => ("\t\t", ""),
        (_, Profile::Nitro | Profile::Snowball) => ("\t\t ", "\n"),
    };
    format!(
        "<?xml version=\"1.0\" encoding=\"iso-8859-1\"?>\n\
         <!DOCTYPE html PUBLIC \"-//W3C//DTD XHTML 1.0 Transitional//EN\"\n\
         {indent}\"http://www.w3.org/TR/xhtml1/DTD/xhtml1-transitional.dtd\">\n\
         <html xmlns=\"http://www.w3.org/1999/xhtml\" xml:lang=\"en\" lang=\"en\">\n \
         <head>\n  <title>{code} - {reason}</title>\n </head>\n \
         <body>\n  <h1>{code} - {reason}</h1>\n </body>\n</html>{end}"
    )
}

/// What the service answers.
pub(crate) fn respond(view: &mut View<'_>, request: &Request<'_>, now: Timestamp) -> Response {
    let profile = view.profile;
    let error = |status| Response::error(profile, status);
    if view.options.http_endpoint == Switch::Disabled {
        // ansible/ansible#68098: 403 without a body, for everything.
        return Response::bare(Status::Forbidden);
    }
    if request.expect {
        return error(Status::ExpectationFailed);
    }
    let path = &*path_of(request.target);
    if path == well_known::TOKEN_PATH {
        return token_path(view, request, now);
    }
    if request.method == "PUT" && is_near_token_path(path) {
        // A dated version in front or a slash behind (EC2 User Guide, "Access instance metadata";
        // aws-beam/aws_credentials#47).
        return error(Status::Forbidden);
    }
    let token_ttl = match request.token {
        // kube2iam#279: the service refuses a token that came through a proxy.
        Some(_) if request.forwarded_for => return error(Status::Forbidden),
        Some(token) => match view.tokens.check(token, now) {
            Some(expires) => Some(seconds_left(expires, now)),
            // The header makes it IMDSv2, whatever it holds: empty (osquery/osquery#7084), expired
            // or foreign.
            None => return error(Status::Unauthorized),
        },
        None if view.options.http_tokens == HttpTokens::Required => return error(Status::Unauthorized),
        None => None,
    };
    let response = match request.method {
        "GET" => data(view, path, token_ttl.is_some(), now),
        "HEAD" => Response { head: true, ..data(view, path, token_ttl.is_some(), now) },
        // Seen to be supported (kube2iam#283); the headers are unknown.
        "OPTIONS" => Response { allow: Some(DATA_ALLOW), ..Response::bare(Status::Ok) },
        // Unknown; by analogy with the token path.
        _ => Response { allow: Some(DATA_ALLOW), ..error(Status::NotAllowed) },
    };
    Response { token_ttl, ..response }
}

fn token_path(view: &mut View<'_>, request: &Request<'_>, now: Timestamp) -> Response {
    match request.method {
        "PUT" if request.forwarded_for => Response::error(view.profile, Status::Forbidden),
        "PUT" => match request.token_ttl.and_then(ttl_seconds) {
            Some(seconds) => {
                let expires = now.after(std::time::Duration::from_secs(seconds.into()));
                Response {
                    body: Body::Text(view.tokens.issue(expires).into()),
                    token_ttl: Some(seconds),
                    ..Response::bare(Status::Ok)
                }
            }
            None => Response::error(view.profile, Status::BadRequest),
        },
        "OPTIONS" => Response { allow: Some(TOKEN_ALLOW), ..Response::bare(Status::Ok) },
        _ => Response { allow: Some(TOKEN_ALLOW), ..Response::error(view.profile, Status::NotAllowed) },
    }
}

/// Digits only, 1 to 21,600. What the real service makes of `+60` or ` 60` is unknown, so it is
/// refused.
fn ttl_seconds(value: &[u8]) -> Option<u32> {
    if value.is_empty() || value.len() > 10 || !value.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let seconds = std::str::from_utf8(value).ok()?.parse().ok()?;
    (imds_model::token::MIN_TTL_SECONDS..=imds_model::token::MAX_TTL_SECONDS)
        .contains(&seconds)
        .then_some(seconds)
}

/// Whole seconds until `expires`, rounded up: a token of 60 s shows 60 right after it was issued.
fn seconds_left(expires: Timestamp, now: Timestamp) -> u32 {
    u32::try_from(expires.since(now).as_millis().div_ceil(1000)).unwrap_or(u32::MAX)
}

fn data(view: &mut View<'_>, path: &str, with_token: bool, now: Timestamp) -> Response {
    let profile = view.profile;
    let not_found = || Response::error(profile, Status::NotFound);
    let Some(segments) = segments(path) else { return not_found() };
    let last = match view.profile {
        Profile::Nitro | Profile::Xen => Version::LATEST,
        // The AWS Snowball Edge Developer Guide lists no later one.
        Profile::Snowball => Version::released(2021, 3, 23),
    };
    let Some((first, rest)) = segments.split_first() else { return text(version::listing(last).into()) };
    let Some(version) = Version::addressed_up_to(first, last) else { return not_found() };
    match view.root.find(rest.iter().map(AsRef::as_ref), version) {
        Some(Found::Listing(listing)) => text(listing.into()),
        Some(Found::Leaf(leaf)) => Response {
            shape: Shape::Value,
            body: match leaf.signature {
                None => Body::Shared(Arc::clone(leaf.value(with_token))),
                Some(kind) => match view.signer.sign(kind, leaf.value(true), now) {
                    Ok(signature) => Body::Shared(signature),
                    Err(Unsigned::NotYet) => Body::Awaited,
                    Err(Unsigned::Never) => return Response::error(profile, Status::InternalServerError),
                },
            },
            content_type: match leaf.media_type {
                MediaType::Text => TEXT,
                MediaType::Binary => BINARY,
            },
            ..Response::bare(Status::Ok)
        },
        None => not_found(),
    }
}

fn text(body: Cow<'static, str>) -> Response {
    Response { shape: Shape::Value, body: Body::Text(body), ..Response::bare(Status::Ok) }
}

/// `api/token` below any version, with or without slashes behind.
fn is_near_token_path(path: &str) -> bool {
    let mut segments = path.split('/').filter(|segment| !segment.is_empty());
    let version = segments.next().and_then(Version::addressed);
    version.is_some() && segments.eq(["api", "token"])
}

/// The segments of a path, percent-decoded: empty ones left out (`//` is tolerated,
/// ex-aws/ex_aws#496), `.` and `..` resolved, both inferred from cperciva/imds-filterd, which
/// normalises paths as the service does. `None` where a segment is no text.
fn segments(path: &str) -> Option<Vec<Cow<'_, str>>> {
    let mut segments = Vec::with_capacity(6);
    for raw in path.split('/') {
        match decode(raw)? {
            segment if segment.is_empty() || segment == "." => {}
            segment if segment == ".." => {
                segments.pop();
            }
            segment => segments.push(segment),
        }
    }
    Some(segments)
}

/// Undoes percent-encoding; a `%` without two hexadecimal digits behind it stands for itself.
fn decode(segment: &str) -> Option<Cow<'_, str>> {
    if !segment.contains('%') {
        return Some(Cow::Borrowed(segment));
    }
    let bytes = segment.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let digit = |offset: usize| bytes.get(at + offset).and_then(|byte| char::from(*byte).to_digit(16));
        match (bytes[at], digit(1), digit(2)) {
            (b'%', Some(high), Some(low)) => {
                decoded.push(u8::try_from(high * 16 + low).unwrap_or_default());
                at += 3;
            }
            (byte, ..) => {
                decoded.push(byte);
                at += 1;
            }
        }
    }
    String::from_utf8(decoded).ok().map(Cow::Owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_as_long_as_captured() {
        assert_eq!(error_page(Profile::Nitro, Status::NotFound).len(), 339);
        assert_eq!(error_page(Profile::Xen, Status::Unauthorized).len(), 343);
        assert_eq!(error_page(Profile::Xen, Status::NotFound).len(), 337);
        assert_eq!(error_page(Profile::Nitro, Status::ExpectationFailed).len(), 363);
    }

    #[test]
    fn ttl_is_1_to_21600_in_digits() {
        for (text, seconds) in [("1", 1), ("21600", 21_600), ("0060", 60)] {
            assert_eq!(ttl_seconds(text.as_bytes()), Some(seconds));
        }
        for text in ["0", "21601", "-1", "+60", " 60", "60.0", "", "abc", "99999999999", "4294967297"] {
            assert_eq!(ttl_seconds(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn paths_are_normalised() {
        let normal = |target: &str| segments(&path_of(target)).map(|found| found.join("|"));
        for (target, expected) in [
            ("/latest/meta-data/", "latest|meta-data"),
            ("//latest//user-data", "latest|user-data"),
            ("/latest/a%2Db%3a%zz", "latest|a-b:%zz"),
            ("/latest/x/../y/./z", "latest|y|z"),
            ("/../../latest", "latest"),
            ("http://169.254.169.254/latest?x=1", "latest"),
            ("http://169.254.169.254", ""),
            ("/", ""),
        ] {
            assert_eq!(normal(target).as_deref(), Some(expected), "{target}");
        }
        assert_eq!(normal("/latest/%ff"), None);
        assert_eq!(path_of("//latest///api/token?x=//"), "/latest/api/token");
    }
}
