//! The service of the simulation, and its faults.

use std::time::Duration;

use imds_model::header;

use super::world::Random;
use crate::clock::Moment;

/// What may go wrong in one simulation, each in so many of a thousand cases.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Faults {
    /// A connect is refused, or hangs.
    pub(super) connect: u64,
    /// A request for a token is answered by 5xx, not at all, cut, or the connection is reset.
    pub(super) put: u64,
    /// The same for a value.
    pub(super) get: u64,
    /// A store operation fails.
    pub(super) store: u64,
    /// A call is cancelled, or its process is stopped for a while.
    pub(super) caller: u64,
    /// The service forgets all tokens, after a request.
    pub(super) revoke: u64,
}

pub(super) struct Service {
    pub(super) random: Random,
    pub(super) faults: Faults,
    pub(super) tokens: Vec<(String, Moment)>,
    pub(super) puts: u64,
    pub(super) issued: u64,
    pub(super) revocations: u64,
}

/// How the service ends an exchange.
pub(super) enum Reply {
    /// The bytes of an answer.
    Bytes(Vec<u8>),
    Silence,
    Reset,
    Close,
}

impl Service {
    pub(super) fn reply(&mut self, now: Moment, request: &[u8]) -> Reply {
        let text = String::from_utf8(request.to_vec()).unwrap();
        let is_put = text.starts_with("PUT ");
        self.puts += u64::from(is_put);
        let per_mille = if is_put { self.faults.put } else { self.faults.get };
        if self.random.happens(per_mille) {
            return match self.random.below(6) {
                0 => Reply::Silence,
                1 => Reply::Reset,
                2 => Reply::Close,
                3 => Reply::Bytes(b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\ncut".to_vec()),
                4 => Reply::Bytes(answer(503, "Retry-After: 1\r\n", "")),
                _ => Reply::Bytes(answer(500, "", "")),
            };
        }
        let reply = if is_put { self.issue(now, &text) } else { self.value(now, &text) };
        if self.random.happens(self.faults.revoke) {
            self.tokens.clear();
            self.revocations += 1;
        }
        reply
    }

    pub(super) fn issue(&mut self, now: Moment, request: &str) -> Reply {
        let ttl: u64 = header_of(request, header::TOKEN_TTL).unwrap().parse().unwrap();
        self.issued += 1;
        let token = format!("TOKEN-{}", self.issued);
        self.tokens.push((token.clone(), now + Duration::from_secs(ttl)));
        Reply::Bytes(answer(200, &format!("{}: {ttl}\r\n", header::TOKEN_TTL), &token))
    }

    pub(super) fn value(&self, now: Moment, request: &str) -> Reply {
        let token = header_of(request, header::TOKEN);
        if !self.tokens.iter().any(|(known, expires)| Some(&**known) == token && now < *expires) {
            return Reply::Bytes(answer(401, "", ""));
        }
        let path = request.split(' ').nth(1).unwrap();
        Reply::Bytes(answer(200, "", &value_of(path)))
    }
}

pub(super) fn header_of<'r>(request: &'r str, name: &str) -> Option<&'r str> {
    request.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
}

pub(super) fn value_of(path: &str) -> String {
    format!("the value of {path}")
}

pub(super) fn answer(status: u16, headers: &str, body: &str) -> Vec<u8> {
    format!("HTTP/1.1 {status} X\r\n{headers}Content-Length: {}\r\n\r\n{body}", body.len()).into_bytes()
}

/// A connection: what the service has still to send on it.
#[derive(Default)]
pub(super) struct Connection {
    pub(super) request: Vec<u8>,
    pub(super) pieces: Vec<Vec<u8>>,
    /// Whether it was closed while it was idle.
    pub(super) dead: bool,
}
