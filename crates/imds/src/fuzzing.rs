//! What the fuzz targets in `fuzz/` call of this crate's inside: everything that reads bytes of
//! strangers. Compiled with `--cfg fuzzing` only.

#![allow(missing_docs, reason = "no part of the public interface")]

use crate::config::profile::{FileKind, Profile};
use crate::protocol::http::Decoder;
use crate::store::{StoreKey, read_failure, read_token};

/// Decodes the bytes as an answer, in pieces of this length; gives its status and body.
#[must_use]
pub fn decode(bytes: &[u8], piece: usize, limit: usize, streaming: bool) -> Option<(u16, Vec<u8>)> {
    let mut decoder = if streaming { Decoder::streaming(limit) } else { Decoder::new(limit) };
    let mut streamed = Vec::new();
    for piece in bytes.chunks(piece.max(1)) {
        match decoder.receive(piece) {
            Ok(Some(answer)) => return Some((answer.status, [streamed, answer.body].concat())),
            Ok(None) => {
                if decoder.opened().is_some() {
                    streamed.append(&mut decoder.drain());
                }
            }
            Err(_) => return None,
        }
    }
    decoder.finish().ok().map(|answer| (answer.status, [streamed, answer.body].concat()))
}

/// Reads the text of a profile file; gives the number of lines that were left out.
#[must_use]
pub fn profile(text: &str, is_config: bool, name: &str) -> usize {
    let kind = if is_config { FileKind::Config } else { FileKind::Credentials };
    let profile = Profile::parse(text, kind, name);
    let _ = profile.get("ec2_metadata_service_endpoint");
    profile.problems.len()
}

/// Reads the bytes as a record of a token and of a failure; returns whether it is one of them.
#[must_use]
pub fn record(bytes: &[u8]) -> bool {
    let key = StoreKey::new("http://127.0.0.1:1".to_owned(), None);
    read_token(&key, bytes).is_some() || read_failure(bytes).is_some()
}

/// Parses an endpoint; gives its normal form.
#[must_use]
pub fn endpoint(text: &str) -> Option<String> {
    crate::Endpoint::parse(text).ok().map(|endpoint| endpoint.to_string())
}
