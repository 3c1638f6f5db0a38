//! Clients that ask for a session token and read a value with it, again and again, and look at
//! every answer.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Barrier;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use imds_model::{header, token, well_known};

/// The value that is read, and what it is in the built-in instance.
pub(super) const PATH: &str = "/latest/meta-data/placement/region";
pub(super) const VALUE: &str = "us-east-1";

/// Exchanges of each client before memory is looked at first: the connections are there by then,
/// and the recorder holds as many requests as it ever will.
pub(super) const WARM_UP: u32 = 64;

/// How many clients, for how long and for how many tokens: whichever ends later.
#[derive(Clone, Copy)]
pub(super) struct Load {
    pub(super) clients: u32,
    pub(super) time: Duration,
    pub(super) tokens: u64,
}

/// What was seen.
pub(super) struct Outcome {
    pub(super) warm_kib: u64,
    pub(super) full_kib: u64,
    pub(super) tokens: u64,
    pub(super) gets: u64,
    pub(super) elapsed: Duration,
}

impl Load {
    /// Runs the clients to the end; the first wrong answer is an error.
    #[allow(clippy::disallowed_methods, reason = "measuring is this task's job")]
    pub(super) fn run(
        self,
        address: SocketAddr,
        memory: impl Fn() -> Result<u64, String>,
    ) -> Result<Outcome, String> {
        let (tokens, gets) = (AtomicU64::new(0), AtomicU64::new(0));
        // The clients and this thread meet three times: warm, memory looked at, done.
        let meeting = Barrier::new(usize::try_from(self.clients).map_err(|error| error.to_string())? + 1);
        let client = || -> io::Result<()> {
            let connected = Client::connect(address);
            let warm = connected.and_then(|mut client| {
                (0..WARM_UP).try_for_each(|_| client.exchange(&tokens, &gets)).map(|()| client)
            });
            meeting.wait();
            meeting.wait();
            let started = Instant::now();
            let done = warm.and_then(|mut client| {
                while started.elapsed() < self.time || tokens.load(Ordering::Relaxed) < self.tokens {
                    client.exchange(&tokens, &gets)?;
                }
                Ok(client)
            });
            // Every client comes here, so that none waits for one that failed; connections end
            // after this.
            meeting.wait();
            meeting.wait();
            done.map(drop)
        };
        thread::scope(|scope| {
            let clients: Vec<_> = (0..self.clients).map(|_| scope.spawn(client)).collect();
            meeting.wait();
            let warm_kib = memory();
            meeting.wait();
            let started = Instant::now();
            meeting.wait();
            let elapsed = started.elapsed();
            let full_kib = memory();
            meeting.wait();
            for client in clients {
                let ended = client.join().map_err(|_| "a client's thread ended in a panic".to_owned())?;
                ended.map_err(|error| format!("a client under load: {error}"))?;
            }
            let (tokens, gets) = (tokens.load(Ordering::Relaxed), gets.load(Ordering::Relaxed));
            Ok(Outcome { warm_kib: warm_kib?, full_kib: full_kib?, tokens, gets, elapsed })
        })
    }
}

/// A session token that outlives the task.
pub(super) fn token(address: SocketAddr) -> io::Result<String> {
    Client::connect(address)?.token()
}

/// One connection, kept.
struct Client {
    stream: TcpStream,
    host: SocketAddr,
    buffer: Vec<u8>,
}

impl Client {
    fn connect(host: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(host)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(Duration::from_secs(30)))?;
        Ok(Self { stream, host, buffer: Vec::with_capacity(1024) })
    }

    fn exchange(&mut self, tokens: &AtomicU64, gets: &AtomicU64) -> io::Result<()> {
        let token = self.token()?;
        tokens.fetch_add(1, Ordering::Relaxed);
        let value = self.ask("GET", PATH, header::TOKEN, &token)?;
        if value != VALUE {
            return Err(io::Error::other(format!("`{PATH}` is `{value}`")));
        }
        gets.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    fn token(&mut self) -> io::Result<String> {
        let ttl = token::MAX_TTL_SECONDS.to_string();
        self.ask("PUT", well_known::TOKEN_PATH, header::TOKEN_TTL, &ttl)
    }

    /// The body of the answer, which has to be 200 and keep the connection.
    fn ask(&mut self, method: &str, path: &str, header: &str, value: &str) -> io::Result<String> {
        let host = self.host;
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: {host}\r\n{header}: {value}\r\nConnection: keep-alive\r\n\r\n"
        );
        self.stream.write_all(request.as_bytes())?;
        self.buffer.clear();
        loop {
            let mut chunk = [0; 1024];
            let count = self.stream.read(&mut chunk)?;
            self.buffer.extend_from_slice(&chunk[..count]);
            let answer = String::from_utf8_lossy(&self.buffer);
            if let Some(body) = whole_body(&answer)? {
                return Ok(body.to_owned());
            }
            if count == 0 {
                return Err(io::Error::other(format!("cut answer to {method} {path}: `{answer}`")));
            }
        }
    }
}

/// The body once all of it is there.
fn whole_body(answer: &str) -> io::Result<Option<&str>> {
    let Some((head, body)) = answer.split_once("\r\n\r\n") else { return Ok(None) };
    let (status, headers) = head.split_once("\r\n").unwrap_or((head, ""));
    if status != "HTTP/1.1 200 OK" {
        return Err(io::Error::other(format!("answered `{status}`")));
    }
    let length = headers.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>())
    });
    match length {
        Some(Ok(length)) => Ok((body.len() >= length).then_some(body)),
        _ => Err(io::Error::other(format!("no length in `{head}`"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_whole_and_right() {
        let whole = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nab";
        assert_eq!(whole_body(whole).unwrap(), Some("ab"));
        for cut in 0..whole.len() {
            assert_eq!(whole_body(&whole[..cut]).unwrap(), None, "{cut}");
        }
        let text = |answer| whole_body(answer).unwrap_err().to_string();
        assert_eq!(text("HTTP/1.1 401 Unauthorized\r\n\r\n"), "answered `HTTP/1.1 401 Unauthorized`");
        assert_eq!(text("HTTP/1.1 200 OK\r\n\r\n"), "no length in `HTTP/1.1 200 OK`");
    }
}
