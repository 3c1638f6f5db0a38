//! Request bodies: the service needs none, so they are read and thrown away, up to a bound.

use crate::base::limits::BODY_BYTES;

/// How far a body has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Progress {
    /// All of it: this many bytes.
    Complete(usize),
    /// More is to come.
    Partial,
    /// Too long, or no body of its framing.
    Refused,
}

/// How far a body of this length has come.
#[must_use]
pub(crate) fn sized(bytes: &[u8], length: u64) -> Progress {
    match usize::try_from(length) {
        Ok(length) if length <= BODY_BYTES => {
            if bytes.len() >= length {
                Progress::Complete(length)
            } else {
                Progress::Partial
            }
        }
        _ => Progress::Refused,
    }
}

/// How far a chunked body has come.
#[must_use]
pub(crate) fn chunked(bytes: &[u8]) -> Progress {
    let mut at = 0;
    loop {
        if at > BODY_BYTES {
            return Progress::Refused;
        }
        let (skip, size) = match httparse::parse_chunk_size(&bytes[at..]) {
            Ok(httparse::Status::Complete(found)) => found,
            Ok(httparse::Status::Partial) if bytes.len() < 2 * BODY_BYTES => return Progress::Partial,
            Ok(httparse::Status::Partial) | Err(_) => return Progress::Refused,
        };
        at += skip;
        if size == 0 {
            return trailers(&bytes[at..], at);
        }
        let Ok(size) = usize::try_from(size) else { return Progress::Refused };
        if size > BODY_BYTES {
            return Progress::Refused;
        }
        let Some(end) = bytes.get(at + size..at + size + 2) else { return Progress::Partial };
        if end != b"\r\n" {
            return Progress::Refused;
        }
        at += size + 2;
    }
}

fn trailers(bytes: &[u8], at: usize) -> Progress {
    if bytes.starts_with(b"\r\n") {
        return Progress::Complete(at + 2);
    }
    let mut headers = [httparse::EMPTY_HEADER; 16];
    match httparse::parse_headers(bytes, &mut headers) {
        Ok(httparse::Status::Complete((length, _))) => Progress::Complete(at + length),
        Ok(httparse::Status::Partial) if bytes.len() < 4096 => Progress::Partial,
        Ok(httparse::Status::Partial) | Err(_) => Progress::Refused,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn chunks() {
        for (bytes, progress) in [
            ("0\r\n\r\n", Progress::Complete(5)),
            ("3\r\nabc\r\n0\r\n\r\nGET", Progress::Complete(13)),
            ("0\r\nX: y\r\n\r\n", Progress::Complete(11)),
            ("3\r\nab", Progress::Partial),
            ("0\r\n", Progress::Partial),
            ("", Progress::Partial),
            ("3\r\nabcd\r\n", Progress::Refused),
            ("x\r\n", Progress::Refused),
            ("fffffff\r\n", Progress::Refused),
        ] {
            assert_eq!(chunked(bytes.as_bytes()), progress, "{bytes:?}");
        }
    }

    #[test]
    fn lengths() {
        assert_eq!(sized(b"abc", 2), Progress::Complete(2));
        assert_eq!(sized(b"abc", 4), Progress::Partial);
        assert_eq!(sized(b"", 1 << 40), Progress::Refused);
    }

    proptest! {
        #[test]
        fn whole_chunked_bodies_end_where_they_end(
            chunks in proptest::collection::vec("[a-z]{1,50}", 0..10), rest in "[A-Z ]{0,9}",
        ) {
            let mut body = String::new();
            for chunk in &chunks {
                body.push_str(&format!("{:x}\r\n{chunk}\r\n", chunk.len()));
            }
            body.push_str("0\r\n\r\n");
            let end = body.len();
            body.push_str(&rest);
            prop_assert_eq!(chunked(body.as_bytes()), Progress::Complete(end));
            for cut in 0..end {
                prop_assert_eq!(chunked(&body.as_bytes()[..cut]), Progress::Partial);
            }
        }
    }
}
