//! The socket of systemd, and of supervisors that speak its protocol.

use std::os::unix::net::UnixDatagram;

#[derive(Debug)]
pub(super) struct Socket {
    socket: UnixDatagram,
    address: Address,
}

#[derive(Debug)]
enum Address {
    Path(String),
    #[cfg(target_os = "linux")]
    Abstract(std::os::unix::net::SocketAddr),
}

impl Socket {
    /// The socket of this name; `None` if there can be none.
    pub(super) fn named(name: &str) -> Option<Self> {
        Some(Self { address: address(name)?, socket: UnixDatagram::unbound().ok()? })
    }

    pub(super) fn send(&self, text: &str) {
        // A service manager that does not listen is no reason to stop watching.
        let _ = match &self.address {
            Address::Path(path) => self.socket.send_to(text.as_bytes(), path),
            #[cfg(target_os = "linux")]
            Address::Abstract(address) => self.socket.send_to_addr(text.as_bytes(), address),
        };
    }
}

fn address(text: &str) -> Option<Address> {
    match text.strip_prefix('@') {
        None => Some(Address::Path(text.to_owned())),
        #[cfg(target_os = "linux")]
        Some(name) => {
            use std::os::linux::net::SocketAddrExt as _;
            std::os::unix::net::SocketAddr::from_abstract_name(name).ok().map(Address::Abstract)
        }
        #[cfg(not(target_os = "linux"))]
        Some(_) => None,
    }
}
