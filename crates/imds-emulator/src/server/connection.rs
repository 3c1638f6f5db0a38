//! One connection: reads heads, has them answered, writes the answers.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use rustix::net::sockopt;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout, timeout_at};

use super::head::{self, Next};
use super::hops;
use super::service::Service;
use crate::base::limits::{ANSWER_TIME, REQUEST_TIME};
use crate::protocol::wire;
use crate::state::{Delivery, Origin};

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
    if is_ipv6(stream)? && !service.state().serves_ipv6() {
        // What a client of a switched-off IPv6 endpoint sees is unknown; here the connection is
        // reset.
        return reset(stream);
    }
    let client = stream.peer_addr().ok();
    let mut first = true;
    let mut input = Input::default();
    let mut out = Vec::with_capacity(512);
    let mut hops_changed = false;
    let mut deadline = Instant::now() + REQUEST_TIME;
    loop {
        let parsed = match head::next(input.rest()) {
            Next::Request { request, length, keep_alive } => Some((request, length, keep_alive)),
            Next::Partial => None,
            Next::Refused => return refuse(stream, service, number, client).await,
        };
        let Some((request, length, keep_alive)) = parsed else {
            // At the end of the stream, and when the client takes too long, there is nothing left
            // to do.
            let Ok(read) = timeout_at(deadline, input.read(stream)).await else { return Ok(()) };
            if read? {
                continue;
            }
            return Ok(());
        };
        let origin = Origin { connection: number, client, first };
        let mut after = service.state().answer(origin, &request, keep_alive, &mut out);
        if let Delivery::Keys(fault) = after.delivery {
            service.make_keys().await;
            after = service.state().answer_at_last(fault, origin, &request, keep_alive, &mut out);
        }
        first = false;
        match after.hop_limit {
            Some(hops) => {
                hops::set(stream, Some(hops))?;
                hops_changed = true;
            }
            // Only now: the kernel sends an unacknowledged answer again under the limit that is set
            // then.
            None if hops_changed => {
                hops::set(stream, None)?;
                hops_changed = false;
            }
            None => {}
        }
        match after.delivery {
            Delivery::Whole => write(stream, &out).await?,
            // Not after they were made.
            Delivery::Keys(_) => return reset(stream),
            Delivery::Stall => return stall(stream).await,
            Delivery::Reset => return reset(stream),
            Delivery::Cut(bytes) => {
                write(stream, out.get(..bytes).unwrap_or(&out)).await?;
                return linger(stream).await;
            }
            Delivery::Slow(head, rate) => write_slowly(stream, &out, head, rate).await?,
        }
        out.clear();
        input.consume(length);
        deadline = Instant::now() + REQUEST_TIME;
        if !after.keep_alive {
            return if input.rest().is_empty() { stream.shutdown().await } else { linger(stream).await };
        }
    }
}

/// Answers what is no request with 400 and ends the connection.
async fn refuse(
    stream: &mut TcpStream,
    service: &Service,
    number: u64,
    client: Option<SocketAddr>,
) -> io::Result<()> {
    let mut out = Vec::new();
    service.state().refuse(number, client, &wire::malformed(), &mut out);
    write(stream, &out).await?;
    linger(stream).await
}

/// Sends bytes; an error if the client takes too long to accept them, so that one that never reads
/// is not held for ever.
async fn write(stream: &mut TcpStream, bytes: &[u8]) -> io::Result<()> {
    timeout(ANSWER_TIME, stream.write_all(bytes)).await?
}

/// Sends the head at once and the rest a byte at a time.
async fn write_slowly(stream: &mut TcpStream, bytes: &[u8], head: usize, rate: u32) -> io::Result<()> {
    let (head, body) = bytes.split_at_checked(head).unwrap_or((bytes, b""));
    write(stream, head).await?;
    for byte in body {
        tokio::time::sleep(Duration::from_secs(1) / rate.max(1)).await;
        write(stream, &[*byte]).await?;
    }
    Ok(())
}

/// Keeps the connection without an answer until the client gives up.
async fn stall(stream: &mut TcpStream) -> io::Result<()> {
    let mut sink = [0; 1024];
    while stream.read(&mut sink).await? > 0 {}
    Ok(())
}

/// Ends the connection by a reset.
fn reset(stream: &TcpStream) -> io::Result<()> {
    // With a linger time of zero, closing a socket resets its connection (socket(7)).
    Ok(sockopt::set_socket_linger(stream, Some(Duration::ZERO))?)
}

fn is_ipv6(stream: &TcpStream) -> io::Result<bool> {
    Ok(match stream.local_addr()?.ip() {
        IpAddr::V4(_) => false,
        // An IPv4 client of a listener for both.
        IpAddr::V6(address) => address.to_ipv4_mapped().is_none(),
    })
}

/// Ends the answer's direction and reads on for a moment, so that the client sees the answer and no
/// reset.
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
