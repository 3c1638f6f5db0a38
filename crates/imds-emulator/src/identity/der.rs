//! Writes ASN.1: DER for what is signed and for certificates, BER with indefinite lengths for what
//! is served.

/// Tag of a `BOOLEAN`.
pub(crate) const BOOLEAN: u8 = 0x01;
/// Tag of an `INTEGER`.
pub(crate) const INTEGER: u8 = 0x02;
/// Tag of a `BIT STRING`.
pub(crate) const BIT_STRING: u8 = 0x03;
/// Tag of an `OCTET STRING`.
pub(crate) const OCTET_STRING: u8 = 0x04;
/// Tag of a `UTF8String`.
pub(crate) const UTF8_STRING: u8 = 0x0c;
/// Tag of a `UTCTime`.
pub(crate) const UTC_TIME: u8 = 0x17;
/// Tag of a `GeneralizedTime`.
pub(crate) const GENERALIZED_TIME: u8 = 0x18;
/// Tag of a `SEQUENCE`.
pub(crate) const SEQUENCE: u8 = 0x30;
/// Tag of a `SET`.
pub(crate) const SET: u8 = 0x31;
/// Tag of `[0]`, constructed.
pub(crate) const CONTEXT_0: u8 = 0xa0;
/// Tag of `[1]`, constructed.
pub(crate) const CONTEXT_1: u8 = 0xa1;
/// Tag of `[3]`, constructed.
pub(crate) const CONTEXT_3: u8 = 0xa3;
/// `NULL`, whole.
pub(crate) const NULL: &[u8] = &[0x05, 0x00];

/// A value with its tag and its length.
pub(crate) fn value(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut out = vec![tag];
    let length = content.len();
    match u8::try_from(length) {
        Ok(short) if short < 0x80 => out.push(short),
        _ => {
            let bytes = length.to_be_bytes();
            let first = bytes.iter().position(|byte| *byte != 0).unwrap_or(bytes.len() - 1);
            let significant = &bytes[first..];
            out.push(0x80 | u8::try_from(significant.len()).unwrap_or(8));
            out.extend_from_slice(significant);
        }
    }
    out.extend_from_slice(content);
    out
}

/// A constructed value of these parts.
pub(crate) fn of(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    value(tag, &parts.concat())
}

/// A constructed value of indefinite length: ends with two zero bytes.
pub(crate) fn indefinite(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let mut out = vec![tag, 0x80];
    for part in parts {
        out.extend_from_slice(part);
    }
    out.extend_from_slice(&[0, 0]);
    out
}

/// An object identifier from its encoded content.
pub(crate) fn oid(content: &[u8]) -> Vec<u8> {
    value(0x06, content)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths() {
        assert_eq!(value(OCTET_STRING, b"ab"), [4, 2, b'a', b'b']);
        assert_eq!(value(OCTET_STRING, &[0; 200])[..3], [4, 0x81, 200]);
        assert_eq!(value(OCTET_STRING, &[0; 300])[..4], [4, 0x82, 1, 44]);
        assert_eq!(indefinite(SEQUENCE, &[&[1, 1, 0]]), [0x30, 0x80, 1, 1, 0, 0, 0]);
    }
}
