//! A client that keeps its connection and looks at every byte of an answer's frame.

use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use imds_model::{header, token, well_known};

/// One connection, kept.
pub(crate) struct Client {
    stream: TcpStream,
    host: SocketAddr,
    buffer: Vec<u8>,
}

/// A whole answer.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: String,
}

impl Client {
    pub(crate) fn connect(host: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(host)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(Duration::from_secs(30)))?;
        Ok(Self { stream, host, buffer: Vec::with_capacity(1024) })
    }

    /// A session token that outlives every task.
    pub(crate) fn token(&mut self) -> io::Result<String> {
        let ttl = token::MAX_TTL_SECONDS.to_string();
        let answer = self.ask("PUT", well_known::TOKEN_PATH, header::TOKEN_TTL, &ttl)?;
        answer.value(well_known::TOKEN_PATH)
    }

    /// The answer to a request with one header of its own.
    pub(crate) fn ask(&mut self, method: &str, path: &str, header: &str, value: &str) -> io::Result<Answer> {
        let host = self.host;
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: {host}\r\n{header}: {value}\r\nConnection: keep-alive\r\n\r\n"
        );
        self.stream.write_all(request.as_bytes())?;
        self.buffer.clear();
        loop {
            let mut chunk = [0; 2048];
            let count = self.stream.read(&mut chunk)?;
            self.buffer.extend_from_slice(&chunk[..count]);
            let text = String::from_utf8_lossy(&self.buffer);
            if let Some(answer) = whole(&text)? {
                return Ok(answer);
            }
            if count == 0 {
                return Err(io::Error::other(format!("cut answer to {method} {path}: `{text}`")));
            }
        }
    }
}

impl Answer {
    /// The body of an answer that has to be 200.
    pub(crate) fn value(self, path: &str) -> io::Result<String> {
        if self.status != 200 {
            return Err(io::Error::other(format!("`{path}` is answered by {}", self.status)));
        }
        Ok(self.body)
    }
}

/// The answer once all of it is there.
fn whole(text: &str) -> io::Result<Option<Answer>> {
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return Ok(None) };
    let (status, headers) = head.split_once("\r\n").unwrap_or((head, ""));
    let code = status.strip_prefix("HTTP/1.1 ").and_then(|rest| rest.get(..3)?.parse().ok());
    let code = code.ok_or_else(|| io::Error::other(format!("answered `{status}`")))?;
    let length = headers.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>())
    });
    match length {
        Some(Ok(length)) if body.len() > length => {
            Err(io::Error::other(format!("too long a body: `{text}`")))
        }
        Some(Ok(length)) => {
            Ok((body.len() == length).then(|| Answer { status: code, body: body.to_owned() }))
        }
        _ => Err(io::Error::other(format!("no length in `{head}`"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_whole_and_right() {
        let text = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nab";
        let answer = Answer { status: 200, body: "ab".to_owned() };
        assert_eq!(whole(text).unwrap(), Some(answer));
        for cut in 0..text.len() {
            assert_eq!(whole(&text[..cut]).unwrap(), None, "{cut}");
        }
        let error = |text| whole(text).unwrap_err().to_string();
        assert_eq!(error("HTTP/1.1 200 OK\r\n\r\n"), "no length in `HTTP/1.1 200 OK`");
        assert_eq!(error("ICY 200 OK\r\n\r\n"), "answered `ICY 200 OK`");
        assert!(error(&format!("{text}c")).starts_with("too long a body"));
        let refused = whole("HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n").unwrap().unwrap();
        assert_eq!(refused.value("/x").unwrap_err().to_string(), "`/x` is answered by 401");
    }
}
