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

/// The texts of a value at this path that no request may hold: the values of a credentials
/// document, and every line of any other secret. None if the path is no secret.
#[must_use]
pub fn texts_of(path: &str, value: &[u8]) -> Vec<String> {
    let is_secret = path.parse::<imds_model::MetadataPath>().is_ok_and(|path| path.is_secret());
    if !is_secret {
        return Vec::new();
    }
    let text = String::from_utf8_lossy(value);
    let quoted = text.split('"').skip(1).step_by(2);
    quoted.chain(text.lines().map(str::trim)).filter(|text| is_telling(text)).map(str::to_owned).collect()
}

/// Whether a text is long and odd enough not to be found in a path by accident.
fn is_telling(text: &str) -> bool {
    text.len() >= 2 * SHORTEST && !text.bytes().all(|byte| byte.is_ascii_alphabetic() || byte == b'-')
}

/// Returns the secret that a request for this target would hand to every log of requests: one of
/// these texts, one that is known, or the id of an access key.
#[must_use]
pub fn find_in_target(target: &str, texts: &[String]) -> Option<String> {
    let decoded = decoded(target);
    [target, &decoded].into_iter().find_map(|target| {
        let told = texts.iter().find(|text| target.contains(text.as_str())).cloned();
        told.or_else(|| find_in(target.as_bytes())).or_else(|| access_key_id(target))
    })
}

/// Ends the test process with an error if a request for this target holds a secret: for the
/// request hook of an emulator, whose thread cannot fail a test.
#[allow(clippy::exit, clippy::print_stderr, reason = "no other way to fail a test from its hook")]
pub fn check_target(target: &str) {
    if let Some(secret) = find_in_target(target, &[]) {
        let start: String = secret.chars().take(SHORTEST).collect();
        eprintln!("secret leaked: a request holds the secret that starts with `{start}`");
        std::process::exit(101);
    }
}

/// The target with its percent-encoding undone.
fn decoded(target: &str) -> String {
    let mut bytes = Vec::with_capacity(target.len());
    let mut rest = target.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        let code = tail.get(..2).and_then(|code| std::str::from_utf8(code).ok());
        match code.and_then(|code| u8::from_str_radix(code, 16).ok()).filter(|_| *first == b'%') {
            Some(byte) => {
                bytes.push(byte);
                rest = &tail[2..];
            }
            None => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The id of an access key: `AKIA` or `ASIA` and 16 capitals and digits.
fn access_key_id(text: &str) -> Option<String> {
    let is_id = |word: &&str| {
        word.len() == 20
            && (word.starts_with("AKIA") || word.starts_with("ASIA"))
            && word.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
    };
    text.split(|c: char| !c.is_ascii_alphanumeric()).find(is_id).map(str::to_owned)
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
    fn a_request_must_not_hold_what_a_secret_said() {
        let role = "/latest/meta-data/iam/security-credentials/web";
        let document = br#"{"Code": "Success", "SecretAccessKey" : "wJalrXUtnFEMI/K7MDENG/bPxRfiCY"}"#;
        let texts = texts_of(role, document);
        assert_eq!(texts_of("/latest/meta-data/instance-id", document), Vec::<String>::new());
        for target in [
            "/latest/meta-data/iam/security-credentials/web/wJalrXUtnFEMI/K7MDENG/bPxRfiCY",
            "/latest/meta-data/x/wJalrXUtnFEMI%2FK7MDENG%2FbPxRfiCY",
            "/latest/meta-data/iam/security-credentials/ASIAIOSFODNN7EXAMPLE",
        ] {
            assert!(find_in_target(target, &texts).is_some(), "{target}");
        }
        for target in [role, "/latest/meta-data/iam/security-credentials-extended/web", "/latest/user-data"] {
            assert_eq!(find_in_target(target, &texts), None, "{target}");
        }
        let script = texts_of("/latest/user-data", b"#!/bin/sh\nexport PASSWORD=hunter2222\n");
        assert!(find_in_target("/latest/user-data/export%20PASSWORD=hunter2222", &script).is_some());
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
