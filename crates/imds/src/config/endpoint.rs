//! Where the service is: an endpoint URL, and the mode that chooses between the two well-known
//! ones.

use std::fmt;
use std::str::FromStr;

use imds_model::well_known;

use crate::error::{Error, ErrorKind};

/// The URL of a metadata service: `http`, a host, a port, and a path prefix that is kept.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Endpoint {
    host: String,
    port: u16,
    prefix: String,
}

impl Endpoint {
    /// Parses `http://HOST[:PORT][/PREFIX]`.
    ///
    /// # Errors
    /// A fragment that says what is wrong with the text, without repeating it: other schemes than
    /// `http` (the service has no TLS), user names, queries, bad hosts or ports.
    pub(crate) fn parse(text: &str) -> Result<Self, &'static str> {
        let Some(rest) = strip_scheme(text) else {
            return Err("is not an `http://HOST[:PORT]` URL");
        };
        if rest.contains(['?', '#']) {
            return Err("holds a query or fragment; an endpoint is `http://HOST[:PORT][/PREFIX]`");
        }
        let (authority, prefix) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        if authority.contains('@') {
            return Err("holds a user name; an endpoint is `http://HOST[:PORT][/PREFIX]`");
        }
        let (host, port) = split_port(authority)?;
        let prefix = prefix.trim_end_matches('/');
        if !prefix.bytes().all(|byte| byte.is_ascii_graphic()) || prefix.split('/').any(|part| part == "..") {
            return Err("holds a path prefix that cannot stand in a request");
        }
        // Host names have no case, but musl's resolver and stores' file names do; a zone has. The
        // `%` in front of a zone is written `%25` in a URL (RFC 6874) and by most people as it is.
        let host = match host.split_once('%') {
            Some((address, zone)) => {
                let zone = zone.strip_prefix("25").filter(|zone| !zone.is_empty()).unwrap_or(zone);
                format!("{}%{zone}", address.to_ascii_lowercase())
            }
            None => host.to_ascii_lowercase(),
        };
        Ok(Self { host, port, prefix: prefix.to_owned() })
    }

    fn well_known(url: &'static str) -> Self {
        let host = url.trim_start_matches("http://").trim_matches(['[', ']']);
        Self { host: host.to_owned(), port: 80, prefix: String::new() }
    }

    /// The host: a name, an IPv4 address, or an IPv6 address without brackets.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port, 80 where the URL names none.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The path prefix that stands in front of every path; empty or beginning with `/`, never
    /// ending with it.
    #[must_use]
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// Returns the value of the `Host` header. The zone of an address means nothing to another
    /// host.
    pub(crate) fn authority(&self) -> String {
        self.with_port(self.host.split('%').next().unwrap_or_default())
    }

    fn with_port(&self, host: &str) -> String {
        let (open, close) = if host.contains(':') { ("[", "]") } else { ("", "") };
        match self.port {
            80 => format!("{open}{host}{close}"),
            port => format!("{open}{host}{close}:{port}"),
        }
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "http://{}{}", self.with_port(&self.host.replace('%', "%25")), self.prefix)
    }
}

fn strip_scheme(text: &str) -> Option<&str> {
    let (scheme, rest) = text.split_at_checked(7)?;
    scheme.eq_ignore_ascii_case("http://").then_some(rest)
}

fn split_port(authority: &str) -> Result<(&str, u16), &'static str> {
    const BAD_PORT: &str = "has a port that is not a number from 1 to 65535";
    let parse = |text: &str| text.parse::<u16>().ok().filter(|port| *port > 0).ok_or(BAD_PORT);
    if let Some(rest) = authority.strip_prefix('[') {
        let (address, after) = rest.split_once(']').ok_or("opens a bracket and never closes it")?;
        // A zone index (`fe80::1%eth0`) is resolved by the system; the address in front of it is
        // what is checked.
        let bare = address.split('%').next().unwrap_or_default();
        if bare.parse::<std::net::Ipv6Addr>().is_err() {
            return Err("has brackets around something that is no IPv6 address");
        }
        let is_name = |zone: &str| {
            !zone.is_empty() && zone.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
        };
        // `%25` alone is the zone 25.
        let zone = address.split_once('%').map(|(_, zone)| match zone.strip_prefix("25") {
            Some(rest) if !rest.is_empty() => rest,
            _ => zone,
        });
        if zone.is_some_and(|zone| !is_name(zone)) {
            return Err("has a zone that is no name of a network interface");
        }
        return match after.strip_prefix(':') {
            Some(port) => Ok((address, parse(port)?)),
            None if after.is_empty() => Ok((address, 80)),
            None => Err(BAD_PORT),
        };
    }
    let (host, port) = match authority.split_once(':') {
        Some((_, rest)) if rest.contains(':') => {
            return Err("has an IPv6 address without brackets: write `[ADDRESS]`");
        }
        Some((host, port)) => (host, parse(port)?),
        None => (authority, 80),
    };
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
    if host.is_empty() || !host.bytes().all(fits) {
        return Err("has no valid host name or address");
    }
    Ok((host, port))
}

/// Which of the well-known endpoints to use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum EndpointMode {
    /// `http://169.254.169.254`, the default.
    #[default]
    Ipv4,
    /// `http://[fd00:ec2::254]`.
    Ipv6,
    /// Both raced, IPv6 first and IPv4 behind it; the winner is remembered. Not known to the AWS
    /// SDKs.
    Auto,
}

impl EndpointMode {
    /// The spellings, in the order in which messages list them. Any case is understood.
    pub const SPELLINGS: [&'static str; 3] = ["IPv4", "IPv6", "auto"];

    /// The mode's spelling.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ipv4 => Self::SPELLINGS[0],
            Self::Ipv6 => Self::SPELLINGS[1],
            Self::Auto => Self::SPELLINGS[2],
        }
    }

    /// The endpoints of this mode, first choice first.
    #[must_use]
    pub fn endpoints(self) -> Vec<Endpoint> {
        let ipv4 = || Endpoint::well_known(well_known::IPV4_ENDPOINT);
        let ipv6 = || Endpoint::well_known(well_known::IPV6_ENDPOINT);
        match self {
            Self::Ipv4 => vec![ipv4()],
            Self::Ipv6 => vec![ipv6()],
            Self::Auto => vec![ipv6(), ipv4()],
        }
    }
}

impl FromStr for EndpointMode {
    type Err = Error;

    /// Parses one of [`SPELLINGS`](Self::SPELLINGS), in any case.
    ///
    /// # Errors
    /// Returns [`ErrorKind::Config`] if the text is none of them.
    fn from_str(text: &str) -> Result<Self, Error> {
        let modes = [Self::Ipv4, Self::Ipv6, Self::Auto];
        modes.into_iter().find(|mode| mode.as_str().eq_ignore_ascii_case(text)).ok_or_else(|| {
            let [first, second, third] = Self::SPELLINGS;
            let shown = imds_model::printable::brief(text);
            let message =
                format!("`{shown}` is not an endpoint mode; use `{first}`, `{second}` or `{third}`");
            Error::new(ErrorKind::Config, message)
        })
    }
}

/// Where a setting came from, so that a message can name it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Source {
    /// Given to the builder, or as a command-line option.
    Explicit,
    /// An environment variable, by name.
    Environment(&'static str),
    /// A key of a profile in the AWS config file.
    Profile {
        /// The profile's name.
        profile: String,
        /// The key.
        key: &'static str,
    },
    /// Nobody said otherwise.
    Default,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Explicit => f.write_str("the endpoint or mode that was given"),
            Self::Environment(name) => write!(f, "environment variable `{name}`"),
            Self::Profile { profile, key } => write!(f, "key `{key}` of profile `{profile}`"),
            Self::Default => f.write_str("the default"),
        }
    }
}

/// The endpoints that a client uses, and where that choice came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndpointChoice {
    endpoints: Vec<Endpoint>,
    source: Source,
}

impl EndpointChoice {
    pub(crate) fn url(endpoint: Endpoint, source: Source) -> Self {
        Self { endpoints: vec![endpoint], source }
    }

    pub(crate) fn mode(mode: EndpointMode, source: Source) -> Self {
        Self { endpoints: mode.endpoints(), source }
    }

    /// Returns whether every endpoint is one of the service's own addresses.
    pub(crate) fn is_well_known(&self) -> bool {
        let own = EndpointMode::Auto.endpoints();
        self.endpoints.iter().all(|endpoint| own.contains(endpoint))
    }

    /// The endpoints: one, or with the mode `auto` both, IPv6 first.
    #[must_use]
    pub fn endpoints(&self) -> &[Endpoint] {
        &self.endpoints
    }

    /// Where the choice came from.
    #[must_use]
    pub fn source(&self) -> &Source {
        &self.source
    }
}

impl fmt::Display for EndpointChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, endpoint) in self.endpoints.iter().enumerate() {
            write!(f, "{}{endpoint}", if at > 0 { " or " } else { "" })?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_zone_is_the_name_of_an_interface() {
        for zone in ["eth0", "25eth0.100", "7", "25", "br-1_a"] {
            let endpoint = Endpoint::parse(&format!("http://[fe80::1%{zone}]:80")).unwrap();
            assert_eq!(Endpoint::parse(&endpoint.to_string()).as_ref(), Ok(&endpoint), "{zone}");
        }
        for zone in ["", "\u{e9}", "\u{fffd}:80", "a b", "a%b", "25\r\nX: y", "a\u{6}%25"] {
            let refused = Endpoint::parse(&format!("http://[fe80::1%{zone}]:80")).unwrap_err();
            assert!(refused.contains("zone") || refused.contains("address"), "{zone:?}: {refused}");
        }
    }

    #[test]
    fn urls() {
        for (text, shown, host, port, prefix) in [
            ("http://169.254.169.254", "http://169.254.169.254", "169.254.169.254", 80, ""),
            ("http://127.0.0.1:1338/", "http://127.0.0.1:1338", "127.0.0.1", 1338, ""),
            ("HTTP://localhost:1338/base/", "http://localhost:1338/base", "localhost", 1338, "/base"),
            ("http://[fd00:ec2::254]/", "http://[fd00:ec2::254]", "fd00:ec2::254", 80, ""),
            ("http://[::1]:8080", "http://[::1]:8080", "::1", 8080, ""),
        ] {
            let endpoint = Endpoint::parse(text).unwrap();
            assert_eq!(endpoint.to_string(), shown);
            assert_eq!((endpoint.host(), endpoint.port(), endpoint.prefix()), (host, port, prefix));
        }
        for (text, message) in [
            ("", "is not an `http://HOST[:PORT]` URL"),
            ("169.254.169.254", "is not an `http://HOST[:PORT]` URL"),
            ("https://169.254.169.254", "is not an `http://HOST[:PORT]` URL"),
            ("http://", "has no valid host name or address"),
            ("http://a b", "has no valid host name or address"),
            ("http://h:0", "has a port that is not a number from 1 to 65535"),
            ("http://h:99999", "has a port that is not a number from 1 to 65535"),
            ("http://user@h", "holds a user name; an endpoint is `http://HOST[:PORT][/PREFIX]`"),
            ("http://h/?x", "holds a query or fragment; an endpoint is `http://HOST[:PORT][/PREFIX]`"),
            ("http://[::1", "opens a bracket and never closes it"),
            ("http://[nope]", "has brackets around something that is no IPv6 address"),
            ("http://fd00:ec2::254", "has an IPv6 address without brackets: write `[ADDRESS]`"),
            ("http://h/a b", "holds a path prefix that cannot stand in a request"),
        ] {
            assert_eq!(Endpoint::parse(text).unwrap_err(), message, "{text}");
        }
    }

    #[test]
    fn modes_in_any_case() {
        assert_eq!("ipV6".parse::<EndpointMode>().unwrap(), EndpointMode::Ipv6);
        assert_eq!("AUTO".parse::<EndpointMode>().unwrap(), EndpointMode::Auto);
        let error = "ipv5".parse::<EndpointMode>().unwrap_err();
        assert_eq!(error.to_string(), "`ipv5` is not an endpoint mode; use `IPv4`, `IPv6` or `auto`");
        let both = EndpointChoice::mode(EndpointMode::Auto, Source::Default);
        assert_eq!(both.to_string(), "http://[fd00:ec2::254] or http://169.254.169.254");
    }

    proptest! {
        #[test]
        fn any_text_is_an_endpoint_or_a_refusal(text in any::<String>()) {
            if let Ok(endpoint) = Endpoint::parse(&text) {
                prop_assert_eq!(Endpoint::parse(&endpoint.to_string()).unwrap(), endpoint);
            }
            let _ = Endpoint::parse(&format!("http://{text}"));
        }
    }
}
