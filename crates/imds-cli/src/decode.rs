//! What user data are wrapped in: gzip and base64, in any order and number.

use std::io::Read as _;

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use flate2::read::MultiGzDecoder;

use crate::exit::Exit;
use crate::report::Failure;

/// Largest result. User data have 16 KiB at most, and gzip packs at most 1:1032 (zlib.net,
/// "Technical Details").
const LARGEST: u64 = 17 * 1024 * 1024;
/// Most layers that are undone.
const DEEPEST: usize = 4;

/// The data without their wrappings.
pub(crate) fn unwrapped(mut data: Vec<u8>) -> Result<Vec<u8>, Failure> {
    for _ in 0..DEEPEST {
        data = if data.starts_with(&[0x1f, 0x8b]) {
            gunzipped(&data)?
        } else if let Some(decoded) = from_base64(&data) {
            decoded
        } else {
            break;
        };
    }
    Ok(data)
}

fn gunzipped(data: &[u8]) -> Result<Vec<u8>, Failure> {
    let mut unpacked = Vec::new();
    let failed = |what: &str| Failure::told(Exit::Unexpected, format!("the user data are {what}"));
    MultiGzDecoder::new(data)
        .take(LARGEST + 1)
        .read_to_end(&mut unpacked)
        .map_err(|error| failed("broken gzip").caused_by(error))?;
    if unpacked.len() as u64 > LARGEST {
        return Err(failed("larger than 17 MiB when unpacked"));
    }
    Ok(unpacked)
}

/// The data decoded, where all of them are base64 and what comes out is a form that user data have:
/// a short word such as `true` is base64 too, but stands for itself.
fn from_base64(data: &[u8]) -> Option<Vec<u8>> {
    let decoded = decoded_base64(data)?;
    let is_text = || {
        std::str::from_utf8(&decoded)
            .is_ok_and(|text| !text.contains(|c: char| c.is_control() && !c.is_whitespace()))
    };
    let is_form = decoded.starts_with(&[0x1f, 0x8b])
        || [&b"#"[..], b"{", b"[", b"<", b"MIME-Version", b"Content-Type"]
            .iter()
            .any(|start| decoded.starts_with(start))
        || (decoded.len() >= 12 && is_text());
    is_form.then_some(decoded)
}

/// Base64 with or without padding, line ends left out of account.
pub(crate) fn decoded_base64(data: &[u8]) -> Option<Vec<u8>> {
    let config = GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    let compact: Vec<u8> = data.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect();
    if compact.is_empty() {
        return None;
    }
    GeneralPurpose::new(&STANDARD, config).decode(compact).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::engine::general_purpose::STANDARD as BASE64;
    use std::io::Write as _;

    fn gzip(data: &[u8]) -> Vec<u8> {
        let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        packer.write_all(data).unwrap();
        packer.finish().unwrap()
    }

    #[test]
    fn any_wrapping_comes_off() {
        let script = b"#!/bin/sh\necho hello\n".to_vec();
        let wrapped_lines: Vec<u8> =
            BASE64.encode(&script).as_bytes().chunks(8).collect::<Vec<_>>().join(&b'\n');
        for wrapped in [
            script.clone(),
            gzip(&script),
            BASE64.encode(&script).into_bytes(),
            wrapped_lines,
            BASE64.encode(gzip(&script)).into_bytes(),
            gzip(BASE64.encode(&script).as_bytes()),
            BASE64.encode(&script).trim_end_matches('=').as_bytes().to_vec(),
        ] {
            assert_eq!(unwrapped(wrapped).unwrap(), script);
        }
    }

    #[test]
    fn what_only_looks_like_base64_stays() {
        for plain in [&b"true"[..], b"production", b"12345678", b"", b"\n", b"hello world", b"\xff\xfe"] {
            assert_eq!(unwrapped(plain.to_vec()).unwrap(), plain);
        }
    }

    #[test]
    fn broken_gzip_and_bombs_are_errors() {
        let message = |failure| match failure {
            Failure::Told { message, .. } => message,
            other => panic!("{other:?}"),
        };
        let cut = gzip(b"#!/bin/sh\n")[..12].to_vec();
        assert_eq!(message(unwrapped(cut).unwrap_err()), "the user data are broken gzip");
        let bomb = gzip(&vec![0; 18 * 1024 * 1024]);
        assert_eq!(
            message(unwrapped(bomb).unwrap_err()),
            "the user data are larger than 17 MiB when unpacked"
        );
    }
}
