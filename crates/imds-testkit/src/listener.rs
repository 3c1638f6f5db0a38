//! Ports that are not servers: one that only counts who came, one that refuses everybody.

use std::net::{SocketAddr, TcpListener};
use std::os::fd::OwnedFd;

use rustix::net::{AddressFamily, SocketType};

/// A listener that accepts nobody and knows whether anybody came: what a proxy variable points at.
#[derive(Debug)]
pub struct SilentListener(TcpListener);

impl SilentListener {
    /// Listens on a loopback port chosen by the system.
    #[must_use]
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("bind a listener");
        listener.set_nonblocking(true).expect("a listener that does not block");
        Self(listener)
    }

    /// The listener's URL.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.0.local_addr().expect("a bound listener has an address"))
    }

    /// How many connections came since the last call. The system completes a connection without the
    /// listener, so every one that a command made before it ended is counted.
    #[must_use]
    pub fn connections(&self) -> usize {
        std::iter::from_fn(|| self.0.accept().ok()).count()
    }
}

/// A loopback port that is taken but not listened on: connections are refused for as long as this
/// lives.
#[derive(Debug)]
pub struct RefusingPort {
    _socket: OwnedFd,
    address: SocketAddr,
}

impl RefusingPort {
    /// Takes a loopback port chosen by the system.
    #[must_use]
    pub fn take() -> Self {
        let socket = rustix::net::socket(AddressFamily::INET, SocketType::STREAM, None).expect("a socket");
        let any: SocketAddr = "127.0.0.1:0".parse().expect("a literal address");
        rustix::net::bind(&socket, &any).expect("bind a loopback port");
        let address = rustix::net::getsockname(&socket).expect("a bound socket has an address");
        let address = address.try_into().expect("an IPv4 address");
        Self { _socket: socket, address }
    }

    /// The endpoint to give to a client.
    #[must_use]
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }
}
