//! Compressed and encoded texts, within bounds.

use std::io::Read as _;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};

use crate::text::limits;

/// First bytes that tell what a compressed text is.
const HEAD: u64 = 512;

/// The first bytes of gzip data; `None` if it is damaged.
#[must_use]
pub fn gunzip_head(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut head = Vec::new();
    flate2::read::MultiGzDecoder::new(bytes).take(HEAD).read_to_end(&mut head).ok()?;
    Some(head)
}

/// Expands gzip to text.
///
/// # Errors
///
/// Returns why it could not be expanded.
pub fn gunzip(bytes: &[u8]) -> Result<String, String> {
    let mut expanded = Vec::new();
    let limit = limits::EXPANDED_BYTES as u64 + 1;
    flate2::read::MultiGzDecoder::new(bytes)
        .take(limit)
        .read_to_end(&mut expanded)
        .map_err(|error| format!("cannot expand the gzip data: {error}"))?;
    if expanded.len() > limits::EXPANDED_BYTES {
        return Err(format!("gzip data expands to more than {} bytes", limits::EXPANDED_BYTES));
    }
    String::from_utf8(expanded).map_err(|_| "gzip data holds no UTF-8 text".to_owned())
}

/// Decodes base64, with or without padding, URL-safe or not, line ends left out.
///
/// # Errors
///
/// Returns why it could not be decoded.
pub fn decode_base64(text: &str) -> Result<Vec<u8>, String> {
    const ANY_PADDING: GeneralPurposeConfig =
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    let compact: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    let url_safe = compact.contains(['-', '_']);
    let alphabet = if url_safe { &alphabet::URL_SAFE } else { &alphabet::STANDARD };
    GeneralPurpose::new(alphabet, ANY_PADDING)
        .decode(compact)
        .map_err(|error| format!("cannot decode the base64 data: {error}"))
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    #[test]
    fn what_expands_beyond_the_bound_is_refused() {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(&vec![b'a'; limits::EXPANDED_BYTES + 1]).unwrap();
        let bomb = encoder.finish().unwrap();
        assert_eq!(gunzip(&bomb).unwrap_err(), "gzip data expands to more than 1048576 bytes");
        assert!(gunzip(&bomb[..20]).unwrap_err().starts_with("cannot expand the gzip data"));
    }

    #[test]
    fn base64_is_read_in_every_spelling() {
        for text in ["IyEvYmluL3NoCg==", "IyEvYmluL3NoCg", "IyEv\nYmlu\nL3NoCg==\n"] {
            assert_eq!(decode_base64(text).unwrap(), b"#!/bin/sh\n");
        }
    }
}
