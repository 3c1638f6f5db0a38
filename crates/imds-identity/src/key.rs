//! The public keys of certificates, and what can be said of a signature made with one.

use std::fmt;

use crypto_bigint::modular::{BoxedMontyForm, BoxedMontyParams};
use crypto_bigint::{BoxedUint, Odd};
use der::asn1::{ObjectIdentifier, UintRef};
use der::{Decode as _, Reader as _, SliceReader};
use dsa::pkcs8::DecodePublicKey as _;
use dsa::signature::hazmat::PrehashVerifier as _;
use sha1::Sha1;
use sha2::{Digest as _, Sha256, Sha384, Sha512};

/// A digest that a signature may be made over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DigestAlgorithm {
    /// Only for `pkcs7`, which AWS signs with DSA over SHA-1.
    Sha1,
    Sha256,
    Sha384,
    Sha512,
}

impl DigestAlgorithm {
    pub(crate) fn digest(self, data: &[u8]) -> Vec<u8> {
        match self {
            Self::Sha1 => Sha1::digest(data).to_vec(),
            Self::Sha256 => Sha256::digest(data).to_vec(),
            Self::Sha384 => Sha384::digest(data).to_vec(),
            Self::Sha512 => Sha512::digest(data).to_vec(),
        }
    }

    /// `DigestInfo` in DER without the digest itself (RFC 8017, 9.2, note 1).
    fn digest_info(self) -> &'static [u8] {
        match self {
            Self::Sha1 => &[0x30, 0x21, 0x30, 0x09, 0x06, 0x05, 0x2b, 0x0e, 0x03, 0x02, 0x1a, 5, 0, 4, 0x14],
            Self::Sha256 => {
                &[0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 3, 4, 2, 1, 5, 0, 4, 0x20]
            }
            Self::Sha384 => {
                &[0x30, 0x41, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 3, 4, 2, 2, 5, 0, 4, 0x30]
            }
            Self::Sha512 => {
                &[0x30, 0x51, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 3, 4, 2, 3, 5, 0, 4, 0x40]
            }
        }
    }
}

/// What a signature says of the data, as far as the key can tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Finding {
    /// Made with this key over this data.
    Good,
    /// Made with this key, over other data. Only RSA can tell.
    OtherData,
    /// Not made with this key, or altered since.
    Bad,
    /// Shorter than this key's signatures are.
    Short {
        /// Bytes found.
        found: usize,
        /// Bytes that a signature of this key has.
        wanted: usize,
    },
}

#[derive(Clone)]
pub(crate) enum PublicKey {
    Rsa(RsaKey),
    Dsa(Box<dsa::VerifyingKey>),
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rsa(key) => write!(f, "RSA-{}", key.bits),
            Self::Dsa(key) => write!(f, "DSA-{}", key.components().p().bits()),
        }
    }
}

impl PublicKey {
    pub(crate) fn from_spki_der(der: &[u8]) -> Option<Self> {
        if let Some(key) = RsaKey::from_spki_der(der) {
            return Some(Self::Rsa(key));
        }
        dsa::VerifyingKey::from_public_key_der(der).ok().map(|key| Self::Dsa(Box::new(key)))
    }

    pub(crate) fn examine(&self, algorithm: DigestAlgorithm, data: &[u8], signature: &[u8]) -> Finding {
        let digest = algorithm.digest(data);
        match self {
            Self::Rsa(key) => key.examine(algorithm, &digest, signature),
            Self::Dsa(key) => match dsa::Signature::from_der(signature) {
                Ok(signature) if key.verify_prehash(&digest, &signature).is_ok() => Finding::Good,
                _ => Finding::Bad,
            },
        }
    }
}

/// An RSA key. Verification needs only the public operation, with nothing to keep secret: one
/// exponentiation, by the arithmetic that the RustCrypto crates use, and one comparison.
#[derive(Clone)]
pub(crate) struct RsaKey {
    params: BoxedMontyParams,
    exponent: BoxedUint,
    bits: u32,
}

impl RsaKey {
    /// Modulus sizes of AWS's certificates, with room above; what is larger only takes time.
    const BITS: std::ops::RangeInclusive<u32> = 1024..=8192;
    /// Largest exponent in bytes, as in `rsa` and `ring`: a larger one only takes time.
    const LARGEST_EXPONENT: usize = 4;

    fn from_spki_der(der: &[u8]) -> Option<Self> {
        const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
        let info = x509_cert::spki::SubjectPublicKeyInfoRef::from_der(der).ok()?;
        if info.algorithm.oid != RSA {
            return None;
        }
        let key = info.subject_public_key.as_bytes()?;
        let mut reader = SliceReader::new(key).ok()?;
        let (modulus, exponent) = reader
            .sequence(|reader| {
                let modulus = UintRef::decode(reader)?;
                let exponent = UintRef::decode(reader)?;
                Ok::<_, der::Error>((modulus, exponent))
            })
            .ok()?;
        reader.finish().ok()?;
        let (modulus, exponent) = (modulus.as_bytes(), exponent.as_bytes());
        let is_odd = exponent.last().is_some_and(|last| last & 1 == 1);
        if exponent.len() > Self::LARGEST_EXPONENT || !is_odd || exponent == [1] {
            return None;
        }
        let modulus = BoxedUint::from_be_slice_vartime(modulus);
        let bits = modulus.bits_vartime();
        if !Self::BITS.contains(&bits) {
            return None;
        }
        let odd = Option::<Odd<BoxedUint>>::from(Odd::new(modulus))?;
        let exponent = BoxedUint::from_be_slice_vartime(exponent);
        Some(Self { params: BoxedMontyParams::new_vartime(odd), exponent, bits })
    }

    /// The bytes of a signature of this key.
    fn size(&self) -> usize {
        self.bits.div_ceil(8) as usize
    }

    fn examine(&self, algorithm: DigestAlgorithm, digest: &[u8], signature: &[u8]) -> Finding {
        if signature.len() < self.size() {
            return Finding::Short { found: signature.len(), wanted: self.size() };
        }
        let Some(block) = self.recover(signature) else { return Finding::Bad };
        if block == padded(self.size(), algorithm, digest) {
            return Finding::Good;
        }
        if is_padded(&block) { Finding::OtherData } else { Finding::Bad }
    }

    /// The block that was signed (RSAVP1, RFC 8017, 5.2.2); `None` for what is no signature of this
    /// key.
    fn recover(&self, signature: &[u8]) -> Option<Vec<u8>> {
        if signature.len() != self.size() {
            return None;
        }
        let modulus = self.params.modulus().as_ref();
        let representative = BoxedUint::from_be_slice(signature, modulus.bits_precision()).ok()?;
        if representative >= *modulus {
            return None;
        }
        let block = BoxedMontyForm::new(representative, &self.params).pow(&self.exponent).retrieve();
        let bytes = block.to_be_bytes();
        // The arithmetic rounds up to whole words.
        let (zeros, block) = bytes.split_at_checked(bytes.len().checked_sub(self.size())?)?;
        zeros.iter().all(|byte| *byte == 0).then(|| block.to_vec())
    }
}

/// The block that a signature of this digest is made of (EMSA-PKCS1-v1_5, RFC 8017, 9.2).
/// Verification builds it and compares all of it, since parsing the block that was signed is what
/// forgeries with small exponents rely on.
fn padded(size: usize, algorithm: DigestAlgorithm, digest: &[u8]) -> Vec<u8> {
    let info = algorithm.digest_info();
    let filler = size.saturating_sub(3 + info.len() + digest.len());
    [&[0, 1][..], &vec![0xff; filler], &[0], info, digest].concat()
}

/// `00 01 ff .. ff 00` and something behind it, with at least eight `ff` (RFC 8017, 9.2). Only says
/// *why* a signature is refused: a well-formed block means this key signed something else.
fn is_padded(block: &[u8]) -> bool {
    let Some(rest) = block.strip_prefix(&[0, 1]) else { return false };
    let filler = rest.iter().take_while(|byte| **byte == 0xff).count();
    filler >= 8 && rest.get(filler) == Some(&0) && rest.len() > filler + 1
}
