//! The addresses of an endpoint.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6};

use crate::config::endpoint::Endpoint;

/// Returns the addresses of an endpoint that needs no resolver, whose start alone costs more than a
/// whole request; `None` if the host is a name.
///
/// # Errors
/// Returns an error if the zone of an IPv6 address is not a network interface.
pub(super) fn without_resolver(endpoint: &Endpoint) -> io::Result<Option<Vec<SocketAddr>>> {
    let (host, port) = (endpoint.host(), endpoint.port());
    if let Ok(address) = host.parse::<IpAddr>() {
        return Ok(Some(vec![SocketAddr::new(address, port)]));
    }
    if let Some((address, zone)) = host.split_once('%')
        && let Ok(address) = address.parse::<Ipv6Addr>()
    {
        let scope = scope_id(zone)?;
        return Ok(Some(vec![SocketAddrV6::new(address, port, 0, scope).into()]));
    }
    // `localhost` and what is below it is this machine, whatever a resolver says (RFC 6761, section
    // 6.3); musl's resolver does not even know it in capitals.
    let name = host.trim_end_matches('.');
    if name == "localhost" || name.ends_with(".localhost") {
        let addresses = [IpAddr::from(Ipv4Addr::LOCALHOST), IpAddr::from(Ipv6Addr::LOCALHOST)];
        return Ok(Some(addresses.map(|address| SocketAddr::new(address, port)).to_vec()));
    }
    Ok(None)
}

/// Returns the index of the network interface that a zone names.
fn scope_id(zone: &str) -> io::Result<u32> {
    if let Ok(index) = zone.parse() {
        return Ok(index);
    }
    let unknown =
        || io::Error::new(io::ErrorKind::NotFound, format!("there is no network interface `{zone}`"));
    // The name becomes a part of a file name.
    if zone.is_empty()
        || !zone.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
        || zone.starts_with('.')
    {
        return Err(unknown());
    }
    let index = std::fs::read_to_string(format!("/sys/class/net/{zone}/ifindex")).map_err(|_| unknown())?;
    index.trim().parse().map_err(|_| unknown())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(url: &str) -> Result<Option<Vec<String>>, String> {
        let addresses =
            without_resolver(&Endpoint::parse(url).unwrap()).map_err(|error| error.to_string())?;
        Ok(addresses.map(|addresses| addresses.iter().map(ToString::to_string).collect()))
    }

    #[test]
    fn what_needs_no_resolver() {
        let both = Some(vec!["127.0.0.1:80".to_owned(), "[::1]:80".to_owned()]);
        for (url, addresses) in [
            ("http://127.0.0.1:8080", Some(vec!["127.0.0.1:8080".to_owned()])),
            ("http://[fd00:ec2::254]", Some(vec!["[fd00:ec2::254]:80".to_owned()])),
            ("http://LOCALHOST", both.clone()),
            ("http://localhost.", both.clone()),
            ("http://imds.Localhost", both),
            ("http://[fe80::1%7]", Some(vec!["[fe80::1%7]:80".to_owned()])),
            ("http://[fe80::1%257]", Some(vec!["[fe80::1%7]:80".to_owned()])),
            ("http://metadata.example", None),
        ] {
            assert_eq!(found(url), Ok(addresses), "{url}");
        }
        for zone in ["nosuch0", ".."] {
            let told = found(&format!("http://[fe80::1%{zone}]"));
            assert_eq!(told, Err(format!("there is no network interface `{zone}`")));
        }
        #[cfg(target_os = "linux")]
        assert_eq!(found("http://[fe80::1%lo]"), Ok(Some(vec!["[fe80::1%1]:80".to_owned()])));
    }
}
