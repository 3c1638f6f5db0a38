//! Text to bytes: base64 with or without PEM lines.

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

/// Padding is optional and left-over bits are dropped, so that text cut anywhere still decodes and
/// is then found to be cut in the ASN.1, where the message can say so.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// Why text is not base64.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PemError {
    /// A character that is not base64.
    Character,
    /// One character is left over after the last group.
    Truncated,
}

/// The bytes of base64 text. Line ends are ignored, as are PEM's `-----BEGIN ...` lines, which the
/// service does not send but which AWS's instructions put around what it sends (EC2 User Guide,
/// "Verify instance identity documents").
pub(crate) fn decode(text: &[u8]) -> Result<Vec<u8>, PemError> {
    let mut packed = Vec::with_capacity(text.len());
    for line in text.split(|byte| *byte == b'\n') {
        if !line.starts_with(b"-----") {
            packed.extend(line.iter().filter(|byte| !byte.is_ascii_whitespace()));
        }
    }
    BASE64.decode(&packed).map_err(|error| match error {
        base64::DecodeError::InvalidLength(_) => PemError::Truncated,
        _ => PemError::Character,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn with_and_without_pem_lines() {
        for text in
            ["aGVs\nbG8=", "-----BEGIN PKCS7-----\r\naGVs\r\nbG8=\r\n-----END PKCS7-----\r\n", "aGVsbG8"]
        {
            assert_eq!(decode(text.as_bytes()), Ok(b"hello".to_vec()));
        }
        assert_eq!(decode(b"aGVsb"), Err(PemError::Truncated));
        assert_eq!(decode(b"aGV*"), Err(PemError::Character));
        assert_eq!(decode(b""), Ok(Vec::new()));
    }
}
