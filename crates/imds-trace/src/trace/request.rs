//! A request's header: joined from segments, then read and classified. Bodies are skipped and never
//! looked at.

use std::borrow::Cow;

use imds_model::request_target::path_of;
use imds_model::{header, well_known};

/// Most bytes of a header that are joined. The service itself refuses far shorter ones.
pub(crate) const HEADER_LIMIT: usize = 32 * 1_024;
/// Most bytes of a path or a User-Agent that are kept.
const TEXT_LIMIT: usize = 512;

/// Which kind of request it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum RequestKind {
    /// For data, without a session token: IMDSv1.
    V1,
    /// For data, with a session token, good or not: IMDSv2.
    V2,
    /// For a session token: IMDSv2, too.
    Token,
    /// For what EC2 does not have, without a session token: a program looks which cloud it runs in.
    Other,
    /// It could not be read.
    Unreadable,
}

/// What a request's header says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) kind: RequestKind,
    pub(crate) method: String,
    /// Without the query.
    pub(crate) path: String,
    pub(crate) user_agent: Option<String>,
    /// The cloud whose path this is, for [`RequestKind::Other`].
    pub(crate) cloud: Option<&'static str>,
}

/// A header and how long it and its body are.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Parsed {
    pub(crate) head: Head,
    pub(crate) length: usize,
    pub(crate) body: Body,
}

/// How the end of a request's body is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Body {
    /// It has this many bytes.
    Length(u64),
    /// It comes in chunks.
    Chunked,
}

/// Why there is no header yet, or none at all.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Unparsed {
    /// More bytes are needed.
    Partial,
    /// The bytes are no HTTP request.
    NotHttp,
}

/// Reads the header at the start of `bytes`.
pub(crate) fn parse(bytes: &[u8]) -> Result<Parsed, Unparsed> {
    let mut headers = [httparse::EMPTY_HEADER; 128];
    let mut request = httparse::Request::new(&mut headers);
    let length = match request.parse(bytes) {
        Ok(httparse::Status::Complete(length)) => length,
        Ok(httparse::Status::Partial) if bytes.len() < HEADER_LIMIT => return Err(Unparsed::Partial),
        Ok(httparse::Status::Partial) | Err(_) => return Err(Unparsed::NotHttp),
    };
    let method = request.method.unwrap_or_default();
    let path = &*path_of(request.path.unwrap_or_default());
    let value = |name: &str| {
        request
            .headers
            .iter()
            .find(|header| header.name.eq_ignore_ascii_case(name))
            .map(|header| header.value)
    };
    let (kind, cloud) = classify(path, value(header::TOKEN).is_some());
    let body = body_of(&request).ok_or(Unparsed::NotHttp)?;
    let user_agent = value("user-agent").map(|agent| shortened(&String::from_utf8_lossy(agent)));
    Ok(Parsed {
        head: Head { kind, method: shortened(method), path: shortened(path), user_agent, cloud },
        length,
        body,
    })
}

/// How the end of the body is found; nothing where two readers could find two ends, which servers
/// refuse (RFC 9112, section 6.3).
fn body_of(request: &httparse::Request<'_, '_>) -> Option<Body> {
    let mut length = None;
    let mut chunked = false;
    for header in request.headers.iter() {
        if header.name.eq_ignore_ascii_case("content-length") {
            let digits = std::str::from_utf8(header.value).ok()?;
            if length.is_some() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
                return None;
            }
            length = Some(digits.parse().ok()?);
        } else if header.name.eq_ignore_ascii_case("transfer-encoding") {
            if chunked || !header.value.eq_ignore_ascii_case(b"chunked") {
                return None;
            }
            chunked = true;
        }
    }
    match (chunked, length) {
        (false, length) => Some(Body::Length(length.unwrap_or(0))),
        // HTTP/1.0 knows no chunks.
        (true, None) if request.version != Some(0) => Some(Body::Chunked),
        (true, _) => None,
    }
}

/// Which kind of request it is by its path and by whether it carries a session token, and whose
/// path it is.
pub(crate) fn classify(path: &str, has_token: bool) -> (RequestKind, Option<&'static str>) {
    if path == well_known::TOKEN_PATH {
        (RequestKind::Token, None)
    } else if has_token {
        (RequestKind::V2, None)
    } else if is_ec2_path(path) {
        (RequestKind::V1, None)
    } else {
        (RequestKind::Other, cloud_of(path))
    }
}

/// EC2's own paths begin with `latest`, with a date, or with `1.0`; `/` lists the versions.
fn is_ec2_path(path: &str) -> bool {
    let first = first_segment(path);
    let is_date = || {
        let bytes = first.as_bytes();
        bytes.len() == 10
            && bytes.iter().enumerate().all(|(place, byte)| match place {
                4 | 7 => *byte == b'-',
                _ => byte.is_ascii_digit(),
            })
    };
    matches!(&*first, "" | "latest" | "1.0") || is_date()
}

/// The first segment once the path is resolved as the service does: percent-decoded, without empty
/// segments, `.` and `..`.
fn first_segment(path: &str) -> Cow<'_, str> {
    let mut segments = Vec::new();
    for segment in path.split('/').map(percent_decoded) {
        match &*segment {
            "" | "." => {}
            ".." => drop(segments.pop()),
            _ => segments.push(segment),
        }
    }
    segments.into_iter().next().unwrap_or_default()
}

fn percent_decoded(text: &str) -> Cow<'_, str> {
    if !text.contains('%') {
        return Cow::Borrowed(text);
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, behind)) = rest.split_first() {
        let digit = |at: usize| behind.get(at).and_then(|byte| char::from(*byte).to_digit(16));
        match (first, digit(0), digit(1)) {
            (b'%', Some(high), Some(low)) => {
                bytes.push(u8::try_from(high * 16 + low).unwrap_or_default());
                rest = &behind[2..];
            }
            _ => {
                bytes.push(*first);
                rest = behind;
            }
        }
    }
    Cow::Owned(String::from_utf8_lossy(&bytes).into_owned())
}

/// Paths that other clouds serve at the same address, and programs ask for to learn where they run.
const CLOUDS: &[(&str, &str)] = &[
    ("/computeMetadata/", "Google Cloud"),
    ("/instance_identity/v1/", "IBM Cloud"),
    ("/metadata/instance", "Azure"),
    ("/metadata/identity/", "Azure"),
    ("/metadata/scheduledevents", "Azure"),
    ("/metadata/v1", "DigitalOcean"),
    ("/metadata/", "Azure"),
    ("/openstack", "OpenStack"),
    ("/opc/", "Oracle Cloud"),
    ("/hetzner/", "Hetzner Cloud"),
    ("/v1.json", "Vultr"),
    ("/v1/", "Vultr or Linode"),
];

fn cloud_of(path: &str) -> Option<&'static str> {
    CLOUDS.iter().find(|(prefix, _)| path.starts_with(prefix)).map(|(_, cloud)| *cloud)
}

/// Whether bytes look like the beginning of a request; used where the beginning was not seen.
pub(crate) fn begins_request(bytes: &[u8]) -> bool {
    ["GET ", "PUT ", "HEAD ", "POST ", "OPTIONS ", "DELETE ", "PATCH ", "TRACE ", "CONNECT "].iter().any(
        |method| bytes.get(..method.len()).is_some_and(|start| start.eq_ignore_ascii_case(method.as_bytes())),
    )
}

fn shortened(text: &str) -> String {
    let mut end = text.len().min(TEXT_LIMIT);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text[..end].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_by_path_and_token() {
        for (path, has_token, expected) in [
            ("/latest/api/token", false, RequestKind::Token),
            ("/latest/meta-data/", false, RequestKind::V1),
            ("/latest/meta-data/", true, RequestKind::V2),
            ("/", false, RequestKind::V1),
            ("/1.0/meta-data/", false, RequestKind::V1),
            ("/2007-01-19/", false, RequestKind::V1),
            ("/2021-01-03/api/token", false, RequestKind::V1),
            ("//latest//meta-data/", false, RequestKind::V1),
            ("/./latest/", false, RequestKind::V1),
            ("/x/../../latest/", false, RequestKind::V1),
            ("/%6Catest/", false, RequestKind::V1),
            ("/%", false, RequestKind::Other),
            ("/%+1%4", false, RequestKind::Other),
            ("/latest/../opc/", false, RequestKind::Other),
            ("/latestx", false, RequestKind::Other),
            ("/2021-1-03/", false, RequestKind::Other),
            ("/computeMetadata/v1/", true, RequestKind::V2),
            ("*", false, RequestKind::Other),
        ] {
            assert_eq!(classify(path, has_token).0, expected, "{path}");
        }
    }

    #[test]
    fn other_clouds_are_named() {
        for (path, cloud) in [
            ("/computeMetadata/v1/instance/", Some("Google Cloud")),
            ("/metadata/instance", Some("Azure")),
            ("/metadata/v1/id", Some("DigitalOcean")),
            ("/instance_identity/v1/token", Some("IBM Cloud")),
            ("/openstack/latest/meta_data.json", Some("OpenStack")),
            ("/opc/v2/instance/", Some("Oracle Cloud")),
            ("/hetzner/v1/metadata/", Some("Hetzner Cloud")),
            ("/favicon.ico", None),
        ] {
            assert_eq!(classify(path, false), (RequestKind::Other, cloud), "{path}");
        }
    }

    #[test]
    fn targets_without_query_and_whole_urls() {
        let path =
            |target: &str| parse(format!("GET {target} HTTP/1.1\r\n\r\n").as_bytes()).unwrap().head.path;
        assert_eq!(path("/latest/user-data?token=hunter2"), "/latest/user-data");
        assert_eq!(path("http://169.254.169.254/latest/x"), "/latest/x");
        assert_eq!(path("http://169.254.169.254"), "/");
        assert_eq!(path("/a://b"), "/a:/b");
        assert_eq!(path("//latest//api///token"), "/latest/api/token");
        assert_eq!(path(&format!("/latest/{}", "x".repeat(9_000))).len(), TEXT_LIMIT);
    }

    #[test]
    fn the_token_is_looked_for_and_not_kept() {
        let text =
            "GET /latest/x HTTP/1.1\r\nx-aws-EC2-metadata-TOKEN: hunter2\r\nUser-Agent: a/1\r\n\r\nrest";
        let parsed = parse(text.as_bytes()).unwrap();
        assert_eq!(
            (parsed.head.kind, parsed.length, parsed.body),
            (RequestKind::V2, text.len() - 4, Body::Length(0))
        );
        assert!(!format!("{parsed:?}").contains("hunter2"));
        // The header that asks for a token's TTL is none.
        let ttl = "GET /latest/x HTTP/1.1\r\nX-aws-ec2-metadata-token-ttl-seconds: 6\r\n\r\n";
        assert_eq!(parse(ttl.as_bytes()).unwrap().head.kind, RequestKind::V1);
    }

    #[test]
    fn bodies_by_their_length() {
        let parsed = |version: &str, headers: &str| {
            parse(format!("PUT / HTTP/{version}\r\n{headers}\r\n").as_bytes()).map(|parsed| parsed.body)
        };
        assert_eq!(parsed("1.1", ""), Ok(Body::Length(0)));
        assert_eq!(parsed("1.0", "content-LENGTH: 12\r\n"), Ok(Body::Length(12)));
        assert_eq!(parsed("1.1", "Transfer-Encoding: Chunked\r\n"), Ok(Body::Chunked));
        for ambiguous in [
            "Content-Length: x\r\n",
            "Content-Length: +1\r\n",
            "Content-Length: \r\n",
            "Content-Length: 1\r\nContent-Length: 1\r\n",
            "Content-Length: 99999999999999999999\r\n",
            "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n",
            "Transfer-Encoding: gzip, chunked\r\n",
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
            "X: 1\r\n folded\r\n",
            "X-aws-ec2-metadata-token : x\r\n",
        ] {
            assert_eq!(parsed("1.1", ambiguous), Err(Unparsed::NotHttp), "{ambiguous:?}");
        }
        assert_eq!(parsed("1.0", "Transfer-Encoding: chunked\r\n"), Err(Unparsed::NotHttp));
    }

    #[test]
    fn methods_versions_and_tokens_of_any_form() {
        for (text, kind, method) in [
            ("get /latest/ HTTP/1.1\r\n\r\n", RequestKind::V1, "get"),
            ("put /latest/api/token HTTP/1.1\r\n\r\n", RequestKind::Token, "put"),
            ("HEAD /latest/ HTTP/1.0\r\n\r\n", RequestKind::V1, "HEAD"),
            ("\r\nGET /latest/ HTTP/1.1\n\n", RequestKind::V1, "GET"),
            ("GET /latest/ HTTP/1.1\r\nX-AWS-EC2-METADATA-TOKEN:\r\n\r\n", RequestKind::V2, "GET"),
            ("PUT HTTP://169.254.169.254//latest/api/token HTTP/1.1\r\n\r\n", RequestKind::Token, "PUT"),
        ] {
            let head = parse(text.as_bytes()).unwrap().head;
            assert_eq!((head.kind, head.method.as_str()), (kind, method), "{text:?}");
        }
    }
}
