//! Certificates of the run's own authority, in the form of AWS's: the issuer `Washington State`,
//! two centuries long.

use rsa::RsaPrivateKey;

use super::base64_lines::lines;
use super::der::{
    BIT_STRING, BOOLEAN, CONTEXT_0, CONTEXT_3, GENERALIZED_TIME, INTEGER, NULL, OCTET_STRING, SEQUENCE, SET,
    UTC_TIME, UTF8_STRING, of, oid, value,
};
use super::sign::sign_rsa;
use crate::base::time::Timestamp;

/// sha256WithRSAEncryption (RFC 4055).
pub(crate) const SHA256_WITH_RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0b];
/// organizationName and commonName (RFC 5280, appendix A).
const ORGANIZATION: &[u8] = &[0x55, 0x04, 0x0a];
const COMMON_NAME: &[u8] = &[0x55, 0x04, 0x03];

/// basicConstraints (RFC 5280, 4.2.1.9).
const BASIC_CONSTRAINTS: &[u8] = &[0x55, 0x1d, 0x13];

/// The certificates that the signatures are verified with, PEM.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Certificates {
    /// The run's authority, which signed the others.
    pub authority: String,
    /// For `rsa2048`.
    pub rsa2048: String,
    /// For `signature`.
    pub signature: String,
    /// For `pkcs7`.
    pub pkcs7: String,
    /// For `pkcs7` in the Regions of China.
    pub pkcs7_china: String,
}

/// Whose certificate it is.
pub(crate) struct Subject<'a> {
    /// Common name.
    pub(crate) name: &'a str,
    /// The public key with its algorithm, DER.
    pub(crate) key: &'a [u8],
    /// Whether it signs certificates.
    pub(crate) authority: bool,
}

/// Who signs: a name that nobody takes for AWS's.
pub(crate) fn name(common_name: &str) -> Vec<u8> {
    let part = |kind: &[u8], text: &str| {
        of(SET, &[&of(SEQUENCE, &[&oid(kind), &value(UTF8_STRING, text.as_bytes())])])
    };
    of(SEQUENCE, &[&part(ORGANIZATION, "imds emulator"), &part(COMMON_NAME, common_name)])
}

/// A certificate for `subject`, signed by the authority's key; DER. `None` where the key cannot
/// sign, which a key of 1,024 bits or more always can.
pub(crate) fn certificate(
    serial: &[u8],
    subject: &Subject<'_>,
    issuer: &str,
    authority: &RsaPrivateKey,
    now: Timestamp,
) -> Option<Vec<u8>> {
    let algorithm = of(SEQUENCE, &[&oid(SHA256_WITH_RSA), NULL]);
    let validity = of(SEQUENCE, &[&utc_time(now), &value(GENERALIZED_TIME, b"21950101000000Z")]);
    // Critical, and said of authorities alone, without which nobody takes what they sign.
    let is_authority = value(OCTET_STRING, &of(SEQUENCE, &[&value(BOOLEAN, &[0xff])]));
    let constraints = of(SEQUENCE, &[&oid(BASIC_CONSTRAINTS), &value(BOOLEAN, &[0xff]), &is_authority]);
    let extensions = of(CONTEXT_3, &[&of(SEQUENCE, &[&constraints])]);
    let body = of(
        SEQUENCE,
        &[
            &of(CONTEXT_0, &[&value(INTEGER, &[2])]),
            &value(INTEGER, serial),
            &algorithm,
            &name(issuer),
            &validity,
            &name(subject.name),
            subject.key,
            if subject.authority { &extensions } else { b"" },
        ],
    );
    let bits = [&[0], sign_rsa(authority, &body)?.as_slice()].concat();
    Some(of(SEQUENCE, &[&body, &algorithm, &value(BIT_STRING, &bits)]))
}

/// The same as PEM.
pub(crate) fn pem(der: &[u8]) -> String {
    format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", lines(der, 64))
}

/// `UTCTime`, which spells years up to 2049 with two digits (RFC 5280, 4.1.2.5).
pub(crate) fn utc_time(time: Timestamp) -> Vec<u8> {
    let digits: String = time.to_string().chars().filter(char::is_ascii_digit).skip(2).collect();
    value(UTC_TIME, format!("{digits}Z").as_bytes())
}
