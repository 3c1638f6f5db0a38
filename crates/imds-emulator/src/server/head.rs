//! Reads the head of a request, and refuses what two readers could take for two different requests.

use super::body::{self, Progress};
use crate::base::limits::{HEAD_BYTES, HEADERS};
use crate::protocol::Request;

/// How the body of a request is delimited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Framing {
    /// This many bytes.
    Length(u64),
    /// Chunks (an upload of none follows s3fs-fuse's token PUT, s3fs-fuse/s3fs-fuse#1766).
    Chunked,
}

/// What the bytes read so far are.
#[derive(Debug)]
pub(crate) enum Parsed<'a> {
    /// A whole head.
    Request {
        /// The request.
        request: Request<'a>,
        /// How long the head is.
        length: usize,
        /// How its body is delimited.
        framing: Framing,
        /// Whether the client sent `Connection: keep-alive`.
        keep_alive: bool,
    },
    /// The beginning of one.
    Partial,
    /// None: answered with 400, and the connection is closed.
    Refused,
}

/// Reads a head from the beginning of `bytes`.
#[must_use]
pub(crate) fn parse(bytes: &[u8]) -> Parsed<'_> {
    let mut headers = [httparse::EMPTY_HEADER; HEADERS];
    let mut head = httparse::Request::new(&mut headers);
    let length = match head.parse(bytes) {
        Ok(httparse::Status::Complete(length)) if length <= HEAD_BYTES => length,
        Ok(httparse::Status::Partial) if bytes.len() < HEAD_BYTES => return Parsed::Partial,
        Ok(_) | Err(_) => return Parsed::Refused,
    };
    let (Some(method), Some(target)) = (head.method, head.path) else { return Parsed::Refused };
    let mut request = Request { method, target, ..Request::default() };
    let mut content_length = None;
    let mut chunked = false;
    let mut keep_alive = false;
    for header in head.headers.iter() {
        // Lengths tell most headers apart before their names are compared.
        let name = header.name;
        let is = |known: &str| name.len() == known.len() && name.eq_ignore_ascii_case(known);
        if is(imds_model::header::TOKEN) {
            // Two tokens are no good token.
            request.token = Some(if request.token.is_some() { b"" } else { header.value });
        } else if is(imds_model::header::TOKEN_TTL) {
            request.token_ttl = Some(if request.token_ttl.is_some() { b"" } else { header.value });
        } else if is(imds_model::header::FORWARDED_FOR) {
            // Whether an empty value counts is unknown; its presence is what the EC2 User Guide
            // speaks of.
            request.forwarded_for = true;
        } else if is("connection") {
            keep_alive |= has_token(header.value, "keep-alive");
        } else if is("content-length") {
            match decimal(header.value) {
                Some(length) if content_length.is_none() => content_length = Some(length),
                _ => return Parsed::Refused,
            }
        } else if is("transfer-encoding") {
            if chunked || !header.value.eq_ignore_ascii_case(b"chunked") {
                return Parsed::Refused;
            }
            chunked = true;
        } else if is("user-agent") {
            request.user_agent = Some(header.value);
        } else if is("expect") {
            request.expect = true;
        }
    }
    // RFC 9112, section 6.3: both together may be an attempt to smuggle a request past a proxy. The
    // same goes for chunks in a version that does not know them.
    if chunked && (content_length.is_some() || head.version == Some(0)) {
        return Parsed::Refused;
    }
    let framing = if chunked { Framing::Chunked } else { Framing::Length(content_length.unwrap_or(0)) };
    Parsed::Request { request, length, framing, keep_alive }
}

/// What the bytes read so far begin with, its body included.
#[derive(Debug)]
pub(crate) enum Next<'a> {
    /// A whole request, this many bytes long.
    Request {
        /// The request.
        request: Request<'a>,
        /// How long it is.
        length: usize,
        /// Whether the client sent `Connection: keep-alive`.
        keep_alive: bool,
    },
    /// The beginning of one.
    Partial,
    /// None: answered with 400, and the connection is closed.
    Refused,
}

/// Reads a request from the beginning of `bytes`.
#[must_use]
pub(crate) fn next(bytes: &[u8]) -> Next<'_> {
    let (request, length, framing, keep_alive) = match parse(bytes) {
        Parsed::Request { request, length, framing, keep_alive } => (request, length, framing, keep_alive),
        Parsed::Partial => return Next::Partial,
        Parsed::Refused => return Next::Refused,
    };
    let behind = bytes.get(length..).unwrap_or_default();
    let body = match framing {
        // Refused before its body is sent (417), so none is waited for.
        _ if request.expect => Progress::Complete(0),
        Framing::Length(bytes) => body::sized(behind, bytes),
        Framing::Chunked => body::chunked(behind),
    };
    match body {
        Progress::Complete(body) => {
            Next::Request { length: length + body, keep_alive: keep_alive && !request.expect, request }
        }
        Progress::Partial => Next::Partial,
        Progress::Refused => Next::Refused,
    }
}

fn has_token(value: &[u8], token: &str) -> bool {
    value.split(|byte| *byte == b',').any(|part| part.trim_ascii().eq_ignore_ascii_case(token.as_bytes()))
}

fn decimal(value: &[u8]) -> Option<u64> {
    if value.is_empty() || value.len() > 18 || !value.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(value).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(head: &str) -> bool {
        matches!(parse(head.as_bytes()), Parsed::Refused)
    }

    #[test]
    fn what_the_service_looks_at() {
        let head = "GET /latest/ HTTP/1.1\r\nHost: x\r\nx-aws-EC2-metadata-token: abc\r\n\
                    X-Forwarded-For: \r\nConnection: x, Keep-Alive\r\nContent-Length: 3\r\n\r\nabc";
        let Parsed::Request { request, length, framing, keep_alive } = parse(head.as_bytes()) else {
            panic!("refused")
        };
        assert_eq!((request.method, request.target, request.token), ("GET", "/latest/", Some(&b"abc"[..])));
        assert!(request.forwarded_for && keep_alive && !request.expect);
        assert_eq!((framing, length), (Framing::Length(3), head.len() - 3));
    }

    #[test]
    fn ambiguous_heads_are_refused() {
        for lines in [
            "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n",
            "Content-Length: 1\r\nContent-Length: 1\r\n",
            "Content-Length: 1, 1\r\n",
            "Content-Length: +1\r\n",
            "Content-Length: -1\r\n",
            "Content-Length: 99999999999999999999\r\n",
            "Content-Length: \r\n",
            "Transfer-Encoding: gzip, chunked\r\n",
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
            "X: 1\r\n folded\r\n",
            "X : 1\r\n",
            "no colon\r\n",
        ] {
            assert!(refused(&format!("GET / HTTP/1.1\r\n{lines}\r\n")), "{lines:?}");
        }
        assert!(refused("GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"));
        assert!(refused("GET / HTTP/2.0\r\n\r\n"));
        assert!(refused("\u{1}\r\n\r\n"));
    }

    #[test]
    fn heads_are_bounded() {
        let long = format!("GET /{} HTTP/1.1\r\n\r\n", "x".repeat(HEAD_BYTES));
        assert!(refused(&long));
        assert!(refused(&long[..HEAD_BYTES]));
        assert!(matches!(parse(&long.as_bytes()[..HEAD_BYTES - 1]), Parsed::Partial));
        let many = format!("GET / HTTP/1.1\r\n{}\r\n", "a: b\r\n".repeat(65));
        assert!(refused(&many));
    }
}
