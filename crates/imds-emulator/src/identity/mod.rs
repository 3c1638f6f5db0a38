//! Signatures of the instance identity document, by a test authority that each run makes anew.
//!
//! Nothing is made until a signature or a certificate is asked for: two RSA keys take a fraction of a second. `pkcs7` is
//! signed with RSA, as it is in the Regions of China; elsewhere AWS signs it with DSA over SHA-1, whose keys take
//! minutes to make.

mod certificate;
mod der;

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rsa::rand_core::{TryCryptoRng, TryRng};
use rsa::{Pkcs1v15Sign, RsaPrivateKey};
use sha2::{Digest as _, Sha256};

use self::certificate::{certificate, name, utc_time};
use self::der::{CONTEXT_0, INTEGER, NULL, OCTET_STRING, SEQUENCE, SET, indefinite, of, oid, value};
use crate::time::Timestamp;

/// A signature of the identity document, by the name of its path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignatureKind {
    /// `signature`: RSA over SHA-256, base64.
    Signature,
    /// `rsa2048`: CMS with the document inside.
    Rsa2048,
    /// `pkcs7`: the same with the smaller key.
    Pkcs7,
}

/// The certificates that the signatures are verified with, PEM.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Certificates {
    /// The run's authority, which signed the two others.
    pub authority: String,
    /// For `rsa2048`.
    pub rsa2048: String,
    /// For `signature` and `pkcs7`.
    pub signature: String,
}

const AUTHORITY: &str = "test authority of this run";
const DATA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x01];
const SIGNED_DATA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x02];
const CONTENT_TYPE: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x03];
const MESSAGE_DIGEST: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x04];
const SIGNING_TIME: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x05];
const SHA256: &[u8] = &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01];
const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];

struct Keys {
    large: RsaPrivateKey,
    small: RsaPrivateKey,
    certificates: Certificates,
}

/// Signs identity documents; makes its keys when they are first needed.
pub struct DocumentSigner {
    seed: [u8; 32],
    keys: Option<Option<Keys>>,
    /// What was signed last, by kind: documents change seldom.
    made: Vec<Made>,
}

struct Made {
    kind: SignatureKind,
    document: Arc<[u8]>,
    signature: Arc<[u8]>,
}

impl std::fmt::Debug for DocumentSigner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DocumentSigner").finish_non_exhaustive()
    }
}

impl DocumentSigner {
    /// A signer whose keys follow from this seed.
    #[must_use]
    pub const fn new(seed: [u8; 32]) -> Self {
        Self { seed, keys: None, made: Vec::new() }
    }

    /// The signature as it is served: base64 in lines of 76 characters. `None` where no key can be made.
    pub fn sign(&mut self, kind: SignatureKind, document: &Arc<[u8]>, now: Timestamp) -> Option<Arc<[u8]>> {
        if let Some(made) = self.made.iter().find(|made| made.kind == kind && made.document == *document) {
            return Some(Arc::clone(&made.signature));
        }
        let seed = self.seed;
        let keys = self.keys(now)?;
        let bytes = match kind {
            SignatureKind::Signature => raw(&keys.small, document)?,
            SignatureKind::Rsa2048 => signed_data(&keys.large, &serial(seed, 2), document, now)?,
            SignatureKind::Pkcs7 => signed_data(&keys.small, &serial(seed, 3), document, now)?,
        };
        let text: Arc<[u8]> = wrapped(&bytes).into_bytes().into();
        self.made.retain(|made| made.kind != kind);
        self.made.push(Made { kind, document: Arc::clone(document), signature: Arc::clone(&text) });
        Some(text)
    }

    /// The certificates of this run.
    pub fn certificates(&mut self, now: Timestamp) -> Option<Certificates> {
        self.keys(now).map(|keys| keys.certificates.clone())
    }

    fn keys(&mut self, now: Timestamp) -> Option<&Keys> {
        let seed = self.seed;
        self.keys.get_or_insert_with(|| Keys::new(seed, now)).as_ref()
    }
}

impl Keys {
    fn new(seed: [u8; 32], now: Timestamp) -> Option<Self> {
        let mut random = Random { seed, drawn: 0 };
        let large = RsaPrivateKey::new(&mut random, 2048).ok()?;
        // `signature` is 128 bytes on EC2 (174 characters, amazon-ec2-metadata-mock#105), so this key has 1,024 bits.
        let small = RsaPrivateKey::new_unchecked(&mut random, 1024).ok()?;
        let made = |number, subject, key| {
            certificate(&serial(seed, number), subject, key, AUTHORITY, &large, now).map(|der| pem(&der))
        };
        let certificates = Certificates {
            authority: made(1, AUTHORITY, &large)?,
            rsa2048: made(2, "rsa2048", &large)?,
            signature: made(3, "signature", &small)?,
        };
        Some(Self { large, small, certificates })
    }
}

/// The serial number of a certificate of this run: like a real authority's it is in no other certificate, so that a
/// signature names the one that made it.
fn serial(seed: [u8; 32], number: u8) -> [u8; 8] {
    let digest = Sha256::new().chain_update(seed).chain_update([number]).finalize();
    let mut serial = [0; 8];
    serial.copy_from_slice(&digest[..8]);
    // Positive, and eight bytes long, in DER.
    serial[0] = serial[0] & 0x7f | 0x40;
    serial
}

/// RSASSA-PKCS1-v1_5 over SHA-256.
fn raw(key: &RsaPrivateKey, data: &[u8]) -> Option<Vec<u8>> {
    key.sign(Pkcs1v15Sign::new::<Sha256>(), &Sha256::digest(data)).ok()
}

/// CMS signed data (RFC 5652) with the document inside, in BER with indefinite lengths as EC2 serves it.
fn signed_data(key: &RsaPrivateKey, serial: &[u8], document: &[u8], now: Timestamp) -> Option<Vec<u8>> {
    let digest_algorithm = of(SEQUENCE, &[&oid(SHA256), NULL]);
    let attribute = |kind: &[u8], content: &[u8]| of(SEQUENCE, &[&oid(kind), &of(SET, &[content])]);
    let attributes = [
        attribute(CONTENT_TYPE, &oid(DATA)),
        attribute(SIGNING_TIME, &utc_time(now)),
        attribute(MESSAGE_DIGEST, &value(OCTET_STRING, &Sha256::digest(document))),
    ];
    let mut sorted: Vec<&[u8]> = attributes.iter().map(Vec::as_slice).collect();
    // DER puts a set in the order of its encodings, and what is signed is DER (RFC 5652, 5.4).
    sorted.sort();
    let signature = raw(key, &of(SET, &sorted))?;
    let signer = of(
        SEQUENCE,
        &[
            &value(INTEGER, &[1]),
            &of(SEQUENCE, &[&name(AUTHORITY), &value(INTEGER, serial)]),
            &digest_algorithm,
            &of(CONTEXT_0, &sorted),
            &of(SEQUENCE, &[&oid(RSA), NULL]),
            &value(OCTET_STRING, &signature),
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

/// Base64 in lines of 76 characters, without a newline at the end.
fn wrapped(bytes: &[u8]) -> String {
    lines(bytes, 76)
}

fn pem(der: &[u8]) -> String {
    format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", lines(der, 64))
}

fn lines(bytes: &[u8], width: usize) -> String {
    let text = STANDARD.encode(bytes);
    let mut out = String::with_capacity(text.len() + text.len() / width);
    for (at, character) in text.chars().enumerate() {
        if at > 0 && at % width == 0 {
            out.push('\n');
        }
        out.push(character);
    }
    out
}

/// Random numbers from a seed: SHA-256 of the seed and a count. The keys are worth nothing outside their test.
struct Random {
    seed: [u8; 32],
    drawn: u64,
}

impl TryRng for Random {
    type Error = std::convert::Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
        let mut bytes = [0; 4];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u32::from_le_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
        let mut bytes = [0; 8];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u64::from_le_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Self::Error> {
        for part in out.chunks_mut(32) {
            self.drawn += 1;
            let mut hash = Sha256::new();
            hash.update(self.seed);
            hash.update(self.drawn.to_be_bytes());
            part.copy_from_slice(&hash.finalize()[..part.len()]);
        }
        Ok(())
    }
}

impl TryCryptoRng for Random {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signatures_have_the_real_shape() {
        let mut signer = DocumentSigner::new([1; 32]);
        let document: Arc<[u8]> = Arc::from(&b"{}"[..]);
        let now = Timestamp::from_seconds(1_800_000_000);
        let signature = signer.sign(SignatureKind::Signature, &document, now).unwrap();
        assert_eq!(signature.len(), 174);
        let text = std::str::from_utf8(&signature).unwrap();
        assert_eq!(text.lines().map(str::len).collect::<Vec<_>>(), [76, 76, 20]);
        let again = signer.sign(SignatureKind::Signature, &document, now).unwrap();
        assert!(Arc::ptr_eq(&signature, &again), "signed once");
        let rsa2048 = signer.sign(SignatureKind::Rsa2048, &document, now).unwrap();
        let bytes = STANDARD.decode(String::from_utf8_lossy(&rsa2048).replace('\n', "")).unwrap();
        assert_eq!(bytes[..2], [0x30, 0x80], "an indefinite length");
        assert_eq!(bytes[bytes.len() - 2..], [0, 0]);
    }
}
