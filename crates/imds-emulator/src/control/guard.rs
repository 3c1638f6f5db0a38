//! Keeps others away from the control API: a browser on this machine may be made to send requests
//! here, and so may another user.

use std::fmt;

/// What a control request has to carry, unless only loopback addresses are served.
#[derive(Clone)]
pub struct ControlToken(Box<[u8]>);

impl fmt::Debug for ControlToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ControlToken")
    }
}

/// Shortest token, in characters.
const SHORTEST: usize = 16;

impl ControlToken {
    /// Returns a token of this text.
    ///
    /// # Errors
    /// Returns an error if the text is shorter than 16 characters, or has one that a header cannot
    /// carry.
    pub fn new(text: &str) -> Result<Self, String> {
        if text.len() < SHORTEST {
            return Err(format!("the control token is shorter than {SHORTEST} characters"));
        }
        if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err("the control token has a space, or a character that is not ASCII".to_owned());
        }
        Ok(Self(text.as_bytes().into()))
    }

    /// Whether this is the token. Compared without an early end, so that the time taken says
    /// nothing about it.
    fn is(&self, given: &[u8]) -> bool {
        given.len() == self.0.len() && given.iter().zip(&self.0).fold(0, |acc, (a, b)| acc | (a ^ b)) == 0
    }
}

/// The headers that decide.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Sender<'a> {
    host: Option<&'a str>,
    origin: Option<&'a str>,
    fetch_site: Option<&'a str>,
    token: Option<&'a [u8]>,
}

/// Why a request is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// A page of another origin, or a host name that is not this machine's.
    Foreign,
    /// No control token, or a wrong one.
    Unauthorized,
}

impl<'a> Sender<'a> {
    /// Reads the headers; `None` if one that decides stands there twice or is not text.
    pub(crate) fn of(headers: &'a [httparse::Header<'a>]) -> Option<Self> {
        let mut sender = Self::default();
        for header in headers {
            let text = std::str::from_utf8(header.value).map(str::trim);
            let place = match header.name.to_ascii_lowercase().as_str() {
                "host" => &mut sender.host,
                "origin" => &mut sender.origin,
                "sec-fetch-site" => &mut sender.fetch_site,
                "authorization" => {
                    if sender.token.is_some() {
                        return None;
                    }
                    sender.token = Some(header.value.strip_prefix(b"Bearer ").unwrap_or_default());
                    continue;
                }
                _ => continue,
            };
            if place.replace(text.ok()?).is_some() {
                return None;
            }
        }
        Some(sender)
    }

    /// Admits a request that may have come from this machine's user, and not from a foreign page:
    /// `Host` is a loopback name, so that no DNS name was rebound to us; `Origin`, if there is one,
    /// is ours; a browser does not call it cross-site. With a control token, its holder is
    /// admitted by any host name; `open` is a path without data, which needs none.
    pub(crate) fn admit(self, token: Option<&ControlToken>, open: bool) -> Result<(), Refusal> {
        let host = self.host.ok_or(Refusal::Foreign)?;
        let ours = self.origin.is_none_or(|origin| origin.strip_prefix("http://") == Some(host));
        let site = self.fetch_site.is_none_or(|site| matches!(site, "same-origin" | "none"));
        if !ours || !site || (token.is_none() && !is_loopback(host)) {
            return Err(Refusal::Foreign);
        }
        match token {
            Some(token) if !open && !self.token.is_some_and(|given| token.is(given)) => {
                Err(Refusal::Unauthorized)
            }
            _ => Ok(()),
        }
    }
}

/// A loopback name or address, and nothing behind it but a port.
fn is_loopback(host: &str) -> bool {
    let port = match ["127.0.0.1", "localhost", "[::1]"].iter().find_map(|name| host.strip_prefix(name)) {
        Some(rest) => rest,
        None => return false,
    };
    match port.strip_prefix(':') {
        Some(digits) => digits.bytes().all(|byte| byte.is_ascii_digit()) && digits.parse::<u16>().is_ok(),
        None => port.is_empty(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admit(headers: &[(&str, &[u8])], token: Option<&str>) -> Result<(), Refusal> {
        let headers: Vec<_> = headers.iter().map(|(name, value)| httparse::Header { name, value }).collect();
        let token = token.map(|token| ControlToken::new(token).unwrap());
        Sender::of(&headers).ok_or(Refusal::Foreign)?.admit(token.as_ref(), false)
    }

    #[test]
    fn this_machine_is_admitted() {
        let cases: &[&[(&str, &[u8])]] = &[
            &[("Host", b"127.0.0.1:1339")],
            &[("host", b"localhost:1339"), ("Origin", b"http://localhost:1339")],
            &[("Host", b"[::1]:1339"), ("Sec-Fetch-Site", b"none")],
            &[("Host", b"localhost"), ("Sec-Fetch-Site", b"same-origin")],
        ];
        for headers in cases {
            assert_eq!(admit(headers, None), Ok(()), "{headers:?}");
        }
    }

    #[test]
    fn foreign_pages_are_refused() {
        let local: (&str, &[u8]) = ("Host", b"127.0.0.1:1339");
        let cases: &[&[(&str, &[u8])]] = &[
            &[],
            &[("Host", b"rebound.example:1339")],
            &[("Host", b"127.0.0.1.example")],
            &[("Host", b"[::1]evil.example")],
            &[("Host", b"[::1]:1339.evil.example")],
            &[("Host", b"localhost:99999")],
            &[("Host", b"localhost:+1")],
            &[("Host", b"localhost:")],
            &[("Host", b"127.0.0.1\xff")],
            &[local, ("Host", b"127.0.0.1:1339")],
            &[("Host", b"rebound.example"), local],
            &[local, ("Origin", b"http://rebound.example:1339")],
            &[local, ("Origin", b"http://127.0.0.1:8080")],
            &[local, ("Origin", b"null")],
            &[local, ("Origin", b"https://127.0.0.1:1339")],
            &[local, ("Origin", b"http://127.0.0.1:1339"), ("Origin", b"http://rebound.example")],
            &[local, ("Origin", b"\xff")],
            &[local, ("Sec-Fetch-Site", b"cross-site")],
            &[local, ("Sec-Fetch-Site", b"same-site")],
        ];
        for headers in cases {
            assert_eq!(admit(headers, None), Err(Refusal::Foreign), "{headers:?}");
        }
    }

    #[test]
    fn with_a_token_only_its_holder_is_admitted() {
        const TOKEN: &str = "0123456789abcdef";
        let host: (&str, &[u8]) = ("Host", b"imds:1339");
        let right: (&str, &[u8]) = ("Authorization", b"Bearer 0123456789abcdef");
        assert_eq!(admit(&[host, right], Some(TOKEN)), Ok(()));
        let cases: &[&[(&str, &[u8])]] = &[
            &[host],
            &[("Host", b"127.0.0.1:1339")],
            &[host, ("Authorization", b"Bearer 0123456789abcdeF")],
            &[host, ("Authorization", b"Bearer ")],
            &[host, ("Authorization", b"Basic 0123456789abcdef")],
        ];
        for headers in cases {
            assert_eq!(admit(headers, Some(TOKEN)), Err(Refusal::Unauthorized), "{headers:?}");
        }
        assert_eq!(admit(&[host, right, right], Some(TOKEN)), Err(Refusal::Foreign));
        let foreign = ("Origin", &b"http://evil.example"[..]);
        assert_eq!(admit(&[host, right, foreign], Some(TOKEN)), Err(Refusal::Foreign));
    }

    #[test]
    fn short_tokens_are_refused_and_none_is_shown() {
        assert_eq!(
            ControlToken::new("short").unwrap_err(),
            "the control token is shorter than 16 characters"
        );
        assert_eq!(
            ControlToken::new("0123456789 abcdef").unwrap_err(),
            "the control token has a space, or a character that is not ASCII"
        );
        assert_eq!(format!("{:?}", ControlToken::new("0123456789abcdef").unwrap()), "ControlToken");
    }
}
