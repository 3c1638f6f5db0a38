//! How far an answer may travel: `IP_TTL`, or the hop limit of IPv6, of a connection.

use std::io;
use std::net::SocketAddr;

use rustix::net::sockopt;
use tokio::net::TcpStream;

/// The platform's usual hop limit (Linux `net.ipv4.ip_default_ttl`).
const USUAL: u8 = 64;

/// Sets the hop limit of what is sent from now on; `None` sets the usual one.
pub(crate) fn set(stream: &TcpStream, hops: Option<u8>) -> io::Result<()> {
    match stream.local_addr()? {
        SocketAddr::V4(_) => sockopt::set_ip_ttl(stream, u32::from(hops.unwrap_or(USUAL)))?,
        SocketAddr::V6(_) => sockopt::set_ipv6_unicast_hops(stream, Some(hops.unwrap_or(USUAL)))?,
    }
    Ok(())
}
