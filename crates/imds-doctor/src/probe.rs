//! One request on one connection, with everything that can go wrong told apart.
//!
//! The client library answers whether a read works; a diagnosis also needs headers, the time a
//! connection takes, and requests that no client sends.

use std::fmt;
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs as _, UdpSocket};
use std::time::Duration;

/// Largest answer that is read, in bytes. What is looked at are heads and listings.
const LIMIT: u64 = 64 * 1024;

/// Why an address is not reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// The name has no address.
    Unresolved,
    /// No route to the address.
    NoRoute,
    /// A route or a filter of this machine denies it, as systemd sets one.
    Prohibited,
    /// Nothing listens there.
    Refused,
    /// No answer to the connection attempt.
    TimedOut,
    /// Anything else that the system says.
    Other(ErrorKind),
}

impl Fault {
    fn of(error: &io::Error) -> Self {
        match error.kind() {
            ErrorKind::ConnectionRefused => Self::Refused,
            ErrorKind::TimedOut | ErrorKind::WouldBlock => Self::TimedOut,
            ErrorKind::NetworkUnreachable | ErrorKind::HostUnreachable | ErrorKind::AddrNotAvailable => {
                Self::NoRoute
            }
            // `ip route add prohibit` answers EACCES (ip-route(8)).
            ErrorKind::PermissionDenied => Self::Prohibited,
            kind => Self::Other(kind),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unresolved => f.write_str("the name has no address"),
            Self::NoRoute => f.write_str("no route"),
            Self::Prohibited => {
                f.write_str("not permitted by a `prohibit` route or a filter of this machine")
            }
            Self::Refused => f.write_str("connection refused"),
            Self::TimedOut => f.write_str("timed out"),
            Self::Other(kind) => write!(f, "{kind}"),
        }
    }
}

/// How a request went on a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Exchange {
    /// No connection.
    Unreachable(Fault),
    /// Connected and sent, but no byte came back in time.
    Stalled,
    /// The connection ended without an answer, or within one.
    Dropped,
    /// What came back is not HTTP.
    NotHttp,
    /// An answer.
    Answer(Answer),
}

/// An HTTP answer. `Debug` leaves the body out: it may be a session token.
#[derive(Clone, PartialEq, Eq)]
pub struct Answer {
    /// The status.
    pub status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Answer {
    /// An answer made up for a test.
    #[must_use]
    pub fn new(status: u16, headers: &[(&str, &str)], body: &[u8]) -> Self {
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Self { status, headers, body: body.to_vec() }
    }

    /// The first header of this name.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(candidate, _)| candidate.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    /// Whether the body is a page for people.
    #[must_use]
    pub fn is_page(&self) -> bool {
        self.body.trim_ascii_start().first() == Some(&b'<')
    }
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answer")
            .field("status", &self.status)
            .field("headers", &self.headers)
            .field("body_length", &self.body.len())
            .finish()
    }
}

/// Host and port, as a URL names them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// A name or an address, without brackets.
    pub host: String,
    /// The port.
    pub port: u16,
}

impl Target {
    fn resolve(&self) -> Result<SocketAddr, Fault> {
        let mut addresses =
            (self.host.as_str(), self.port).to_socket_addrs().map_err(|_| Fault::Unresolved)?;
        addresses.next().ok_or(Fault::Unresolved)
    }

    fn authority(&self) -> String {
        if self.host.contains(':') {
            format!("[{}]:{}", self.host, self.port)
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }
}

/// Whether there is a route. A datagram socket is connected, which sends nothing.
///
/// # Errors
/// Where there is none.
pub fn route(target: &Target) -> Result<(), Fault> {
    let address = target.resolve()?;
    let local = if address.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" };
    let socket = UdpSocket::bind(local).map_err(|error| Fault::of(&error))?;
    socket.connect(address).map_err(|error| Fault::of(&error))
}

/// Whether a TCP connection is made.
///
/// # Errors
/// Where none is.
pub fn connect(target: &Target, timeout: Duration) -> Result<TcpStream, Fault> {
    TcpStream::connect_timeout(&target.resolve()?, timeout).map_err(|error| Fault::of(&error))
}

/// Sends a request with these headers and reads the answer.
#[must_use]
pub fn exchange(
    target: &Target,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    timeout: Duration,
) -> Exchange {
    let stream = match connect(target, timeout) {
        Ok(stream) => stream,
        Err(fault) => return Exchange::Unreachable(fault),
    };
    let mut request =
        format!("{method} {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n", target.authority());
    for (name, value) in headers {
        request.push_str(&format!("{name}: {value}\r\n"));
    }
    if method == "PUT" {
        request.push_str("Content-Length: 0\r\n");
    }
    request.push_str("\r\n");
    talk(stream, request.as_bytes(), timeout)
}

fn talk(mut stream: TcpStream, request: &[u8], timeout: Duration) -> Exchange {
    let timeouts = stream.set_read_timeout(Some(timeout)).and(stream.set_write_timeout(Some(timeout)));
    if timeouts.is_err() || stream.write_all(request).is_err() {
        return Exchange::Dropped;
    }
    let mut received = Vec::new();
    let mut part = [0; 4096];
    // Bytes that have come are judged, however the connection ends: a server may reset it after its
    // answer, or keep it open though it was asked to close.
    let ending = loop {
        match stream.read(&mut part) {
            Ok(0) => break Exchange::Dropped,
            Ok(count) => received.extend_from_slice(&part[..count]),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                break Exchange::Stalled;
            }
            Err(_) => break Exchange::Dropped,
        }
        if received.len() as u64 > LIMIT || is_complete(&received) {
            break Exchange::Dropped;
        }
    };
    if received.is_empty() { ending } else { parse(&received).unwrap_or(Exchange::NotHttp) }
}

/// Whether head and announced body are there, so that a server that keeps the connection open is
/// not waited for.
fn is_complete(received: &[u8]) -> bool {
    let Some(Exchange::Answer(answer)) = parse(received) else { return false };
    let length = answer.header("Content-Length").and_then(|length| length.parse::<usize>().ok());
    length.is_some_and(|length| answer.body.len() >= length)
}

fn parse(received: &[u8]) -> Option<Exchange> {
    let mut headers = [httparse::EMPTY_HEADER; 64];
    let mut response = httparse::Response::new(&mut headers);
    let head = match response.parse(received) {
        Ok(httparse::Status::Complete(head)) => head,
        Ok(httparse::Status::Partial) => return Some(Exchange::Dropped),
        Err(_) => return None,
    };
    let headers = response
        .headers
        .iter()
        .map(|header| (header.name.to_owned(), String::from_utf8_lossy(header.value).into_owned()))
        .collect();
    Some(Exchange::Answer(Answer { status: response.code?, headers, body: received[head..].to_vec() }))
}
