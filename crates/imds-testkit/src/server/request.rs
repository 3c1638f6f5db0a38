//! Reading a request off a connection. Written apart from the client's own codec, so that neither
//! hides the other's mistakes.

use std::io::{BufRead, BufReader, Read};
use std::net::TcpStream;

/// One request as the fault server read it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestSeen {
    /// The method, as sent.
    pub method: String,
    /// The request target, as sent.
    pub target: String,
    /// `HTTP/1.1` or `HTTP/1.0`.
    pub version: String,
    /// Header names and values, as sent and in that order.
    pub headers: Vec<(String, String)>,
}

impl RequestSeen {
    /// The first value of a header, whatever the case of its name.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// Whether the request asks for a session token.
    #[must_use]
    pub fn is_token_put(&self) -> bool {
        self.method == "PUT" && self.target.ends_with("/latest/api/token")
    }

    /// The session token that the request carries.
    #[must_use]
    pub fn token(&self) -> Option<&str> {
        self.header("X-aws-ec2-metadata-token")
    }

    /// Whether the client wants to send another request on the connection.
    pub(super) fn wants_keep_alive(&self) -> bool {
        self.header("Connection").is_some_and(|value| value.eq_ignore_ascii_case("keep-alive"))
    }
}

/// Reads one request, its body included; nothing where the client closed the connection or left in
/// the middle.
///
/// # Panics
/// Where the bytes are no HTTP request: a defect of the client under test, reported when the server
/// is dropped.
pub(super) fn read(reader: &mut BufReader<TcpStream>) -> Option<RequestSeen> {
    let request_line = line(reader)?;
    let mut parts = request_line.split(' ');
    let (Some(method), Some(target), Some(version), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        panic!("not a request line: {request_line:?}");
    };
    assert!(version.starts_with("HTTP/1."), "not a version of HTTP/1: {request_line:?}");
    let mut headers = Vec::new();
    loop {
        let header = line(reader)?;
        if header.is_empty() {
            break;
        }
        let (name, value) = header.split_once(':').unwrap_or_else(|| panic!("not a header: {header:?}"));
        assert!(!name.is_empty() && !name.contains(' '), "not a header name: {header:?}");
        headers.push((name.to_owned(), value.trim().to_owned()));
    }
    let seen = RequestSeen {
        method: method.to_owned(),
        target: target.to_owned(),
        version: version.to_owned(),
        headers,
    };
    if let Some(length) = seen.header("Content-Length") {
        let length = length.parse().unwrap_or_else(|_| panic!("not a length: {length:?}"));
        let mut body = Vec::new();
        reader.by_ref().take(length).read_to_end(&mut body).ok()?;
    }
    Some(seen)
}

/// One line without its CRLF; nothing at the end of the stream or where the connection broke.
fn line(reader: &mut BufReader<TcpStream>) -> Option<String> {
    let mut bytes = Vec::new();
    reader.read_until(b'\n', &mut bytes).ok()?;
    let text = bytes.strip_suffix(b"\r\n")?;
    Some(String::from_utf8_lossy(text).into_owned())
}
