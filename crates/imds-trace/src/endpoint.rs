//! An address at which the metadata service is reached.

use std::fmt;
use std::net::{IpAddr, SocketAddr};

use imds_model::well_known;

/// Address and port.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Endpoint {
    pub(crate) address: IpAddr,
    pub(crate) port: u16,
}

impl Endpoint {
    /// The service's own two endpoints.
    pub(crate) fn defaults() -> Vec<Self> {
        [well_known::IPV4_ENDPOINT, well_known::IPV6_ENDPOINT]
            .iter()
            .filter_map(|text| Self::parse(text).ok())
            .collect()
    }

    /// Reads `http://ADDRESS[:PORT]`, `ADDRESS:PORT` or `ADDRESS`; names are not looked up.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let rest = match text.split_once("://") {
            Some(("http", rest)) => rest,
            Some((scheme, _)) => return Err(format!("its scheme is `{scheme}`, and only `http` is traced")),
            None => text,
        };
        let authority = rest.split('/').next().unwrap_or_default();
        let bare = authority.trim_start_matches('[').trim_end_matches(']');
        if let Ok(address) = bare.parse::<IpAddr>() {
            return Ok(Self { address: canonical(address), port: 80 });
        }
        match authority.parse::<SocketAddr>() {
            Ok(address) if address.port() != 0 => {
                Ok(Self { address: canonical(address.ip()), port: address.port() })
            }
            _ => Err("it is not an IP address with an optional port, such as `http://127.0.0.1:1338`".into()),
        }
    }
}

/// IPv4 for an IPv4-mapped address: the packets are the same.
fn canonical(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V6(six) => six.to_ipv4_mapped().map_or(address, IpAddr::V4),
        IpAddr::V4(_) => address,
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.address, self.port) {
            (IpAddr::V4(address), 80) => write!(f, "http://{address}"),
            (IpAddr::V6(address), 80) => write!(f, "http://[{address}]"),
            (address, port) => write!(f, "http://{}", SocketAddr::new(address, port)),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, Ipv6Addr};

    use super::*;

    #[test]
    fn reads_addresses_and_nothing_else() {
        let read = |text| Endpoint::parse(text).map(|endpoint| endpoint.to_string());
        for (text, expected) in [
            ("169.254.169.254", "http://169.254.169.254"),
            ("http://127.0.0.1:1338/", "http://127.0.0.1:1338"),
            ("[fd00:ec2::254]", "http://[fd00:ec2::254]"),
            ("http://[::1]:99", "http://[::1]:99"),
            ("::ffff:127.0.0.1", "http://127.0.0.1"),
        ] {
            assert_eq!(read(text).as_deref(), Ok(expected), "{text}");
        }
        assert!(read("https://127.0.0.1").unwrap_err().contains("its scheme is `https`"));
        for text in ["localhost", "", "127.0.0.1:0", "127.0.0.1:x", "300.1.1.1"] {
            assert!(read(text).unwrap_err().contains("it is not an IP address"), "{text}");
        }
        let defaults: Vec<String> = Endpoint::defaults().iter().map(ToString::to_string).collect();
        assert_eq!(defaults, ["http://169.254.169.254", "http://[fd00:ec2::254]"]);
    }

    #[test]
    fn loopback_is_not_special() {
        assert_eq!(
            Endpoint::parse("127.0.0.1:8").unwrap(),
            Endpoint { address: Ipv4Addr::LOCALHOST.into(), port: 8 }
        );
        assert_eq!(
            Endpoint::parse("[::1]:8").unwrap(),
            Endpoint { address: Ipv6Addr::LOCALHOST.into(), port: 8 }
        );
    }
}
