//! The leak assertion: what may never be printed, and the check that every command's output goes
//! through.
//!
//! Secrets are known to the whole test process: the fault server registers each token that it hands
//! out, a test registers what else is secret in it, and whatever looks like a session token is one.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

static KNOWN: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
static COUNTER: AtomicU64 = AtomicU64::new(1);

/// Shortest text that can be a secret: anything shorter would be found by accident.
const SHORTEST: usize = 8;
/// Length of a session token: 40 bytes in base64url, as every capture of the service shows.
const TOKEN_LENGTH: usize = 56;

/// Makes `secret` known to every command that runs from now on.
///
/// # Panics
/// If it is shorter than eight bytes.
pub fn register(secret: &str) {
    assert!(secret.len() >= SHORTEST, "a secret of {} bytes would be found by accident", secret.len());
    KNOWN.lock().unwrap_or_else(PoisonError::into_inner).insert(secret.to_owned());
}

/// A number that no other call of this process gets, to make secrets that belong to one test.
#[must_use]
pub fn unique() -> u64 {
    COUNTER.fetch_add(1, Ordering::Relaxed)
}

/// The first secret that occurs in `output`: a registered one, or any text of a session token's
/// shape.
#[must_use]
pub fn find_in(output: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(output);
    let known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    known.iter().find(|secret| text.contains(secret.as_str())).cloned().or_else(|| shaped_like_token(&text))
}

/// Fails the test if `output` holds a secret; `stream` and `command` say where.
///
/// # Panics
/// If it does.
pub fn assert_none_in(output: &[u8], stream: &str, command: &str) {
    if let Some(secret) = find_in(output) {
        let start: String = secret.chars().take(SHORTEST).collect();
        panic!("secret leaked: {stream} of `{command}` holds the secret that starts with `{start}`");
    }
}

fn shaped_like_token(text: &str) -> Option<String> {
    let in_token = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '=');
    text.split(|c| !in_token(c))
        .find(|word| word.len() == TOKEN_LENGTH && word.ends_with("=="))
        .map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_what_was_registered() {
        register("a-secret-of-this-test");
        assert_eq!(find_in(b"x a-secret-of-this-test y").as_deref(), Some("a-secret-of-this-test"));
        assert_eq!(find_in(b"x a-secret-of-another y"), None);
    }

    #[test]
    fn finds_a_token_that_nobody_registered() {
        let token = format!("AQAEA{}==", "x".repeat(49));
        assert_eq!(find_in(format!("token: \"{token}\"\n").as_bytes()), Some(token));
    }

    #[test]
    #[should_panic(
        expected = "secret leaked: stderr of `imds get` holds the secret that starts with `another-`"
    )]
    fn trips_on_a_leak() {
        register("another-secret-of-this-test");
        assert_none_in(b"debug: another-secret-of-this-test\n", "stderr", "imds get");
    }

    #[test]
    #[should_panic(expected = "a secret of 2 bytes would be found by accident")]
    fn refuses_a_secret_that_is_everywhere() {
        register("is");
    }
}
