//! One connection: reads heads, has them answered, writes the answers.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout, timeout_at};

use super::Service;
use super::body::{self, Progress};
use super::head::{self, Framing, Parsed};
use super::hops;
use crate::wire;

/// How long a client may take over a request, the time before its first byte included.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(20);

/// Bytes read and not yet used.
#[derive(Default)]
struct Input {
    bytes: Vec<u8>,
    used: usize,
}

impl Input {
    fn rest(&self) -> &[u8] {
        &self.bytes[self.used..]
    }

    fn consume(&mut self, count: usize) {
        self.used += count;
        if self.used >= self.bytes.len() {
            self.bytes.clear();
            self.used = 0;
        }
    }

    /// Reads more; `false` at the end of the stream.
    async fn read(&mut self, stream: &mut TcpStream) -> io::Result<bool> {
        if self.used > 0 {
            self.bytes.drain(..self.used);
            self.used = 0;
        }
        self.bytes.reserve(1024);
        Ok(stream.read_buf(&mut self.bytes).await? > 0)
    }
}

/// Serves a connection until either side ends it.
pub(crate) async fn serve(mut stream: TcpStream, service: Service, number: u64) {
    // An error here is the client's going away: there is nobody left to tell.
    let _ = exchange(&mut stream, &service, number).await;
}

async fn exchange(stream: &mut TcpStream, service: &Service, number: u64) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut input = Input::default();
    let mut out = Vec::with_capacity(512);
    let mut hops_changed = false;
    let mut deadline = Instant::now() + REQUEST_TIMEOUT;
    loop {
        let parsed = match head::parse(input.rest()) {
            Parsed::Request { request, length, framing, keep_alive } => {
                let behind = &input.rest()[length..];
                let body = match framing {
                    // Refused before its body is sent (417), so none is waited for.
                    _ if request.expect => Progress::Complete(0),
                    Framing::Length(bytes) => body::sized(behind, bytes),
                    Framing::Chunked => body::chunked(behind),
                };
                match body {
                    Progress::Complete(body) => Some((request, length + body, keep_alive && !request.expect)),
                    Progress::Partial => None,
                    Progress::Refused => return refuse(stream, service, number).await,
                }
            }
            Parsed::Partial => None,
            Parsed::Refused => return refuse(stream, service, number).await,
        };
        let Some((request, length, keep_alive)) = parsed else {
            // At the end of the stream, and when the client takes too long, there is nothing left to do.
            let Ok(read) = timeout_at(deadline, input.read(stream)).await else { return Ok(()) };
            if read? {
                continue;
            }
            return Ok(());
        };
        let after = service.state().answer(number, &request, keep_alive, &mut out);
        match after.hop_limit {
            Some(hops) => {
                hops::set(stream, Some(hops))?;
                hops_changed = true;
            }
            // Only now: the kernel sends an unacknowledged answer again under the limit that is set then.
            None if hops_changed => {
                hops::set(stream, None)?;
                hops_changed = false;
            }
            None => {}
        }
        stream.write_all(&out).await?;
        out.clear();
        input.consume(length);
        deadline = Instant::now() + REQUEST_TIMEOUT;
        if !after.keep_alive {
            return if input.rest().is_empty() { stream.shutdown().await } else { linger(stream).await };
        }
    }
}

/// Answers what is no request with 400 and ends the connection.
async fn refuse(stream: &mut TcpStream, service: &Service, number: u64) -> io::Result<()> {
    let mut out = Vec::new();
    service.state().refuse(number, &wire::malformed(), &mut out);
    stream.write_all(&out).await?;
    linger(stream).await
}

/// Ends the answer's direction and reads on for a moment, so that the client sees the answer and no reset.
async fn linger(stream: &mut TcpStream) -> io::Result<()> {
    stream.shutdown().await?;
    let mut sink = [0; 1024];
    let drain = async {
        for _ in 0..64 {
            if stream.read(&mut sink).await? == 0 {
                break;
            }
        }
        Ok(())
    };
    timeout(Duration::from_secs(1), drain).await.unwrap_or(Ok(()))
}
