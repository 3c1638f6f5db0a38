//! A request's header: joined from segments, then read and classified. Bodies are skipped and never
//! looked at.

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
    /// Bytes of the body; nothing where the header does not say.
    pub(crate) body: Option<u64>,
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
    let path = path_of(request.path.unwrap_or_default());
    let value = |name: &str| {
        request
            .headers
            .iter()
            .find(|header| header.name.eq_ignore_ascii_case(name))
            .map(|header| header.value)
    };
    let (kind, cloud) = classify(path, value(header::TOKEN).is_some());
    let chunked = value("transfer-encoding").is_some();
    let content_length = match value("content-length") {
        Some(text) => std::str::from_utf8(text).ok().and_then(|text| text.trim().parse().ok()),
        None => Some(0),
    };
    let user_agent = value("user-agent").map(|agent| shortened(&String::from_utf8_lossy(agent)));
    Ok(Parsed {
        head: Head { kind, method: shortened(method), path: shortened(path), user_agent, cloud },
        length,
        body: content_length.filter(|_| !chunked),
    })
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
    let first = path.trim_start_matches('/').split('/').next().unwrap_or_default();
    let is_date = || {
        let bytes = first.as_bytes();
        bytes.len() == 10
            && bytes.iter().enumerate().all(|(place, byte)| match place {
                4 | 7 => *byte == b'-',
                _ => byte.is_ascii_digit(),
            })
    };
    matches!(first, "" | "latest" | "1.0") || is_date()
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

/// The path of a request target, which may be a whole URL; the query, which may hold anything, is
/// left out.
fn path_of(target: &str) -> &str {
    let path = match target.split_once("://") {
        Some((scheme, rest)) if !scheme.contains('/') => rest.find('/').map_or("/", |slash| &rest[slash..]),
        _ => target,
    };
    path.split(['?', '#']).next().unwrap_or_default()
}

/// Whether bytes look like the beginning of a request; used where the beginning was not seen.
pub(crate) fn begins_request(bytes: &[u8]) -> bool {
    ["GET ", "PUT ", "HEAD ", "POST ", "OPTIONS ", "DELETE ", "PATCH "]
        .iter()
        .any(|method| bytes.starts_with(method.as_bytes()))
}

fn shortened(text: &str) -> String {
    let mut end = text.len().min(TEXT_LIMIT);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text[..end].to_owned()
}
