//! A session token, kept out of every log, and overwritten where it is no longer used.

use std::fmt;

use zeroize::{Zeroize, ZeroizeOnDrop};

/// Longest token that is accepted, in bytes; the service's own have 56.
const MAX_LENGTH: usize = 2048;

/// A session token. `Debug` shows none of it; [`expose`](Self::expose) gives the text.
///
/// The text is overwritten when the token is dropped, and so are the requests, responses and
/// records of the store that held it.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct SessionToken(Box<str>);

impl SessionToken {
    /// The token in the body of the answer to a token PUT, where the body can be one: 1 to 2,048
    /// visible ASCII characters and nothing else, so that it can stand in a header. The page of a
    /// captive portal cannot.
    /// One line end behind it is no part of it: the test servers of some SDKs answer so.
    #[must_use]
    pub fn new(body: &[u8]) -> Option<Self> {
        let body = body.strip_suffix(b"\n").map_or(body, |body| body.strip_suffix(b"\r").unwrap_or(body));
        if body.is_empty() || body.len() > MAX_LENGTH || body[0] == b'<' {
            return None;
        }
        let text = std::str::from_utf8(body).ok()?;
        text.bytes().all(|byte| byte.is_ascii_graphic()).then(|| Self(text.into()))
    }

    /// The token's text, to be sent in the `X-aws-ec2-metadata-token` header.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl Drop for SessionToken {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl ZeroizeOnDrop for SessionToken {}

impl fmt::Debug for SessionToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionToken(..)")
    }
}

/// A value that `Debug` leaves out, and that is overwritten when it is dropped.
pub(crate) struct Redacted<T: Zeroize>(pub(crate) T);

impl<T: Zeroize> fmt::Debug for Redacted<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("..")
    }
}

impl<T: Zeroize> Drop for Redacted<T> {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl<T: Zeroize> ZeroizeOnDrop for Redacted<T> {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_holds_a_token_overwrites_it() {
        fn overwrites<T: ZeroizeOnDrop>() {}
        overwrites::<SessionToken>();
        overwrites::<Redacted<String>>();
        overwrites::<Redacted<Vec<u8>>>();
        let mut text: Box<str> = "AQAEAFoo==".into();
        text.zeroize();
        assert_eq!(text.trim_matches('\0'), "");
    }

    #[test]
    fn only_what_can_stand_in_a_header_is_a_token() {
        assert_eq!(SessionToken::new(b"AQAEAFoo==").unwrap().expose(), "AQAEAFoo==");
        for body in [&b"AQAEAFoo==\n"[..], b"AQAEAFoo==\r\n"] {
            assert_eq!(SessionToken::new(body).unwrap().expose(), "AQAEAFoo==");
        }
        for body in [
            &b""[..],
            b"\n",
            b"a\n\n",
            b"a\r",
            b"\na",
            b"two words",
            b"a\r\nb",
            b"<html>",
            b"\xff",
            &[b'a'; 2049],
        ] {
            assert_eq!(SessionToken::new(body), None);
        }
        assert_eq!(format!("{:?}", SessionToken::new(b"abc").unwrap()), "SessionToken(..)");
    }
}
