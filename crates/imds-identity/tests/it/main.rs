//! The results for documents published by others and on documents signed by a test CA.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod forged;
mod made;
mod published;
mod regions;

use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use imds_identity::{Certificate, Evidence, Rejection, SignatureKind, Trust, Verified, verify};

fn data(name: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn certificate(name: &str) -> Certificate {
    Certificate::parse(&data(name)).unwrap()
}

/// Seconds since 1970 at the start of a year, near enough to stand on either side of an expiry.
fn year(year: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs((year - 1970) * 31_556_952)
}

/// Judges with a fixed clock in 2027, inside the validity of every certificate here.
fn judge(
    kind: SignatureKind,
    signature: &[u8],
    document: Option<&[u8]>,
    trust: Trust<'_>,
) -> Result<Verified, Rejection> {
    verify(&Evidence { kind, signature, document }, trust, year(2027))
}

fn refusal(
    kind: SignatureKind,
    signature: &[u8],
    document: Option<&[u8]>,
    trust: Trust<'_>,
) -> (&'static str, String) {
    let rejection = judge(kind, signature, document, trust).unwrap_err();
    (rejection.name(), rejection.to_string())
}
