//! CMS signed data (RFC 5652) with the document inside, in BER with indefinite lengths as EC2
//! serves it. The parts and their order are those of documents of real instances that were
//! published (`crates/imds-identity/tests/data`).

use sha1::Sha1;
use sha2::{Digest as _, Sha256};

use super::certificate::{SHA256_WITH_RSA, name, utc_time};
use super::der::{
    CONTEXT_0, CONTEXT_1, INTEGER, NULL, OCTET_STRING, SEQUENCE, SET, indefinite, of, oid, value,
};
use super::keys::AUTHORITY;
use crate::base::time::Timestamp;

const DATA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x01];
const SIGNED_DATA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x02];
const CONTENT_TYPE: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x03];
const MESSAGE_DIGEST: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x04];
const SIGNING_TIME: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x05];
/// CMSAlgorithmProtection (RFC 6211).
const ALGORITHM_PROTECTION: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x34];
const SHA1: &[u8] = &[0x2b, 0x0e, 0x03, 0x02, 0x1a];
const SHA256: &[u8] = &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01];
/// id-dsa-with-sha1 (RFC 3279).
const DSA_WITH_SHA1: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x38, 0x04, 0x03];

/// How a document is signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scheme {
    /// `rsa2048`.
    RsaSha256,
    /// `pkcs7`.
    DsaSha1,
}

impl Scheme {
    fn digest(self, data: &[u8]) -> Vec<u8> {
        match self {
            Self::RsaSha256 => Sha256::digest(data).to_vec(),
            Self::DsaSha1 => Sha1::digest(data).to_vec(),
        }
    }

    /// What stands in the algorithm identifiers of the digest and of the signature. SHA-1 has a
    /// `NULL` behind it and SHA-256 has not, RSA has one and DSA has not, as in the published
    /// documents.
    fn algorithms(self) -> (Vec<u8>, Vec<u8>) {
        match self {
            Self::RsaSha256 => (oid(SHA256), [&oid(SHA256_WITH_RSA), NULL].concat()),
            Self::DsaSha1 => ([&oid(SHA1), NULL].concat(), oid(DSA_WITH_SHA1)),
        }
    }
}

/// The document, signed. `sign` signs bytes; `None` where it cannot.
pub(crate) fn signed_data(
    scheme: Scheme,
    serial: &[u8],
    document: &[u8],
    now: Timestamp,
    sign: impl FnOnce(&[u8]) -> Option<Vec<u8>>,
) -> Option<Vec<u8>> {
    let (digest, signature) = scheme.algorithms();
    let digest_algorithm = value(SEQUENCE, &digest);
    let attribute = |kind: &[u8], content: &[u8]| of(SEQUENCE, &[&oid(kind), &of(SET, &[content])]);
    let protection = of(SEQUENCE, &[&digest_algorithm, &value(CONTEXT_1, &signature)]);
    let attributes = [
        attribute(CONTENT_TYPE, &oid(DATA)),
        attribute(SIGNING_TIME, &utc_time(now)),
        attribute(MESSAGE_DIGEST, &value(OCTET_STRING, &scheme.digest(document))),
        attribute(ALGORITHM_PROTECTION, &protection),
    ];
    let mut sorted: Vec<&[u8]> = attributes.iter().map(Vec::as_slice).collect();
    // DER puts a set in the order of its encodings, and what is signed is DER (RFC 5652, 5.4).
    sorted.sort();
    let signed = sign(&of(SET, &sorted))?;
    let signer = of(
        SEQUENCE,
        &[
            &value(INTEGER, &[1]),
            &of(SEQUENCE, &[&name(AUTHORITY), &value(INTEGER, serial)]),
            &digest_algorithm,
            &of(CONTEXT_0, &sorted),
            &value(SEQUENCE, &signature),
            &value(OCTET_STRING, &signed),
        ],
    );
    // A constructed OCTET STRING: 0x24.
    let content = indefinite(0x24, &[&value(OCTET_STRING, document)]);
    let inner = indefinite(SEQUENCE, &[&oid(DATA), &indefinite(CONTEXT_0, &[&content])]);
    let data = indefinite(
        SEQUENCE,
        &[&value(INTEGER, &[1]), &of(SET, &[&digest_algorithm]), &inner, &of(SET, &[&signer])],
    );
    Some(indefinite(SEQUENCE, &[&oid(SIGNED_DATA), &indefinite(CONTEXT_0, &[&data])]))
}
