//! Certificates of the run's own authority, in the form of AWS's: the issuer `Washington State`, two centuries long.

use rsa::pkcs8::EncodePublicKey as _;
use rsa::{Pkcs1v15Sign, RsaPrivateKey};
use sha2::{Digest as _, Sha256};

use super::der::{
    BIT_STRING, CONTEXT_0, GENERALIZED_TIME, INTEGER, NULL, SEQUENCE, SET, UTC_TIME, UTF8_STRING, of, oid,
    value,
};
use crate::time::Timestamp;

/// sha256WithRSAEncryption (RFC 4055).
const SHA256_WITH_RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0b];
/// organizationName and commonName (RFC 5280, appendix A).
const ORGANIZATION: &[u8] = &[0x55, 0x04, 0x0a];
const COMMON_NAME: &[u8] = &[0x55, 0x04, 0x03];

/// Who signs: a name that nobody takes for AWS's.
pub(crate) fn name(common_name: &str) -> Vec<u8> {
    let part = |kind: &[u8], text: &str| {
        of(SET, &[&of(SEQUENCE, &[&oid(kind), &value(UTF8_STRING, text.as_bytes())])])
    };
    of(SEQUENCE, &[&part(ORGANIZATION, "imds emulator"), &part(COMMON_NAME, common_name)])
}

/// A certificate for `subject` and its key, signed by the authority's key; DER. `None` where the key cannot sign, which
/// a key of 1,024 bits or more always can.
pub(crate) fn certificate(
    serial: &[u8],
    subject: &str,
    key: &RsaPrivateKey,
    issuer: &str,
    authority: &RsaPrivateKey,
    now: Timestamp,
) -> Option<Vec<u8>> {
    let algorithm = of(SEQUENCE, &[&oid(SHA256_WITH_RSA), NULL]);
    let validity = of(SEQUENCE, &[&utc_time(now), &value(GENERALIZED_TIME, b"21950101000000Z")]);
    let key = key.to_public_key().to_public_key_der().ok()?;
    let body = of(
        SEQUENCE,
        &[
            &of(CONTEXT_0, &[&value(INTEGER, &[2])]),
            &value(INTEGER, serial),
            &algorithm,
            &name(issuer),
            &validity,
            &name(subject),
            key.as_bytes(),
        ],
    );
    let signature = authority.sign(Pkcs1v15Sign::new::<Sha256>(), &Sha256::digest(&body)).ok()?;
    let bits = [&[0], signature.as_slice()].concat();
    Some(of(SEQUENCE, &[&body, &algorithm, &value(BIT_STRING, &bits)]))
}

/// `UTCTime`, which spells years up to 2049 with two digits (RFC 5280, 4.1.2.5).
pub(crate) fn utc_time(time: Timestamp) -> Vec<u8> {
    let digits: String = time.to_string().chars().filter(char::is_ascii_digit).skip(2).collect();
    value(UTC_TIME, format!("{digits}Z").as_bytes())
}
