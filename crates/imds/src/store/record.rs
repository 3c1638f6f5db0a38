//! The text of the token file and of the failure note in the lock file.
//!
//! One `name value` pair a line, in this order, the version first: a file that deviates in anything
//! is no record.

use std::time::Duration;

use zeroize::Zeroizing;

use super::{FetchFailure, StoreKey, StoredToken};
use crate::clock::{BootId, Moment};
use crate::error::ErrorKind;
use crate::secret::SessionToken;

/// Largest record that is read, in bytes.
pub(super) const LIMIT: usize = 8192;

const TOKEN_VERSION: &str = "imds-token 1";
const FAILURE_VERSION: &str = "imds-failure 2";

pub(super) fn write_token(key: &StoreKey, token: &StoredToken) -> Zeroizing<String> {
    Zeroizing::new(format!(
        "{TOKEN_VERSION}\nendpoint {}\nboot-id {}\nexpires-ns {}\nttl-seconds {}\ntoken {}\n",
        key.as_str(),
        token.boot_id.as_str(),
        token.expires.as_duration().as_nanos(),
        token.ttl.as_secs(),
        token.token.expose()
    ))
}

/// The token in the text, where it is a whole record of this key.
pub(crate) fn read_token(key: &StoreKey, text: &[u8]) -> Option<StoredToken> {
    let mut lines = Lines::new(text, TOKEN_VERSION)?;
    if lines.value("endpoint")? != key.as_str() {
        return None;
    }
    let token = StoredToken {
        boot_id: BootId::new(lines.value("boot-id")?)?,
        expires: lines.moment("expires-ns")?,
        ttl: Duration::from_secs(lines.value("ttl-seconds")?.parse().ok()?),
        token: SessionToken::new(lines.value("token")?.as_bytes())?,
    };
    lines.end()?;
    Some(token)
}

pub(super) fn write_failure(failure: &FetchFailure) -> String {
    format!(
        "{FAILURE_VERSION}\nboot-id {}\nat-ns {}\nkind {}\nstatus {}\nstalled {}\ngiven-ns {}\n",
        failure.boot_id.as_str(),
        failure.at.as_duration().as_nanos(),
        kind_name(failure.kind),
        failure.status.unwrap_or_default(),
        failure.stalled,
        failure.given.as_nanos()
    )
}

/// The failure in the text, where it is a whole record.
pub(crate) fn read_failure(text: &[u8]) -> Option<FetchFailure> {
    let mut lines = Lines::new(text, FAILURE_VERSION)?;
    let failure = FetchFailure {
        boot_id: BootId::new(lines.value("boot-id")?)?,
        at: lines.moment("at-ns")?,
        kind: kind_named(lines.value("kind")?)?,
        status: Some(lines.value("status")?.parse().ok()?).filter(|status| *status != 0),
        stalled: lines.value("stalled")?.parse().ok()?,
        given: lines.moment("given-ns")?.as_duration(),
    };
    lines.end()?;
    Some(failure)
}

/// The kinds that a token fetch can end with.
const KINDS: [(ErrorKind, &str); 6] = [
    (ErrorKind::Unreachable, "unreachable"),
    (ErrorKind::Forbidden, "forbidden"),
    (ErrorKind::Unauthorized, "unauthorized"),
    (ErrorKind::Throttled, "throttled"),
    (ErrorKind::Server, "server"),
    (ErrorKind::Protocol, "protocol"),
];

fn kind_name(kind: ErrorKind) -> &'static str {
    KINDS.iter().find(|(k, _)| *k == kind).map_or("protocol", |(_, name)| name)
}

fn kind_named(name: &str) -> Option<ErrorKind> {
    KINDS.iter().find(|(_, n)| *n == name).map(|(kind, _)| *kind)
}

struct Lines<'a>(std::str::Split<'a, char>);

impl<'a> Lines<'a> {
    fn new(text: &'a [u8], version: &str) -> Option<Self> {
        let mut lines = std::str::from_utf8(text).ok()?.split('\n');
        (lines.next()? == version).then_some(Self(lines))
    }

    fn value(&mut self, name: &str) -> Option<&'a str> {
        self.0.next()?.strip_prefix(name)?.strip_prefix(' ')
    }

    fn moment(&mut self, name: &str) -> Option<Moment> {
        let nanoseconds: u64 = self.value(name)?.parse().ok()?;
        Some(Moment::since_boot(Duration::from_nanos(nanoseconds)))
    }

    /// Nothing but the end of the last line is left: the record was written whole.
    fn end(mut self) -> Option<()> {
        (self.0.next() == Some("") && self.0.next().is_none()).then_some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn key() -> StoreKey {
        StoreKey::new("http://127.0.0.1:1".to_owned(), None)
    }

    fn token() -> StoredToken {
        StoredToken {
            token: SessionToken::new(b"AQAEAexample==").unwrap(),
            boot_id: BootId::new("5a3f").unwrap(),
            expires: Moment::since_boot(Duration::from_nanos(1_234_567_890)),
            ttl: Duration::from_secs(21_600),
        }
    }

    #[test]
    fn a_token_is_these_lines() {
        let text = write_token(&key(), &token());
        assert_eq!(
            *text,
            "imds-token 1\nendpoint http://127.0.0.1:1\nboot-id 5a3f\nexpires-ns 1234567890\nttl-seconds 21600\n\
             token AQAEAexample==\n"
        );
        assert_eq!(read_token(&key(), text.as_bytes()), Some(token()));
        assert_eq!(read_token(&StoreKey::new("http://other".to_owned(), None), text.as_bytes()), None);
    }

    #[test]
    fn a_cut_or_changed_record_is_none() {
        let text = write_token(&key(), &token());
        for length in 0..text.len() {
            assert_eq!(read_token(&key(), &text.as_bytes()[..length]), None, "{length}");
        }
        assert_eq!(read_token(&key(), format!("{}\n", *text).as_bytes()), None);
        assert_eq!(read_token(&key(), text.replace("boot-id", "boot_id").as_bytes()), None);
    }

    #[test]
    fn failures_come_back() {
        for (kind, _) in KINDS {
            for (status, stalled) in [(None, true), (Some(503), false)] {
                let boot_id = BootId::new("b").unwrap();
                let failure = FetchFailure {
                    at: token().expires,
                    boot_id,
                    kind,
                    status,
                    stalled,
                    given: Duration::from_secs(10),
                };
                assert_eq!(read_failure(write_failure(&failure).as_bytes()), Some(failure));
            }
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_record_or_none(bytes in any::<Vec<u8>>(), tail in any::<Vec<u8>>()) {
            let _ = (read_token(&key(), &bytes), read_failure(&bytes));
            let half = write_token(&key(), &token()).as_bytes().to_vec();
            let _ = read_token(&key(), &[&half[..half.len() / 2], &tail[..]].concat());
            let _ = read_failure(&[b"imds-failure 2\n", &tail[..]].concat());
        }
    }
}
