//! The public keys of certificates, and what can be said of a signature made with one.

use std::fmt;

use der::Decode as _;
use dsa::signature::hazmat::PrehashVerifier as _;
use rsa::hazmat::rsa_encrypt;
use rsa::pkcs8::DecodePublicKey as _;
use rsa::traits::PublicKeyParts as _;
use rsa::{BoxedUint, Pkcs1v15Sign, RsaPublicKey};
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

    fn padding(self) -> Pkcs1v15Sign {
        match self {
            Self::Sha1 => Pkcs1v15Sign::new::<Sha1>(),
            Self::Sha256 => Pkcs1v15Sign::new::<Sha256>(),
            Self::Sha384 => Pkcs1v15Sign::new::<Sha384>(),
            Self::Sha512 => Pkcs1v15Sign::new::<Sha512>(),
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
    Rsa(RsaPublicKey),
    Dsa(Box<dsa::VerifyingKey>),
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rsa(key) => write!(f, "RSA-{}", key.n().bits()),
            Self::Dsa(key) => write!(f, "DSA-{}", key.components().p().bits()),
        }
    }
}

impl PublicKey {
    pub(crate) fn from_spki_der(der: &[u8]) -> Option<Self> {
        if let Ok(key) = RsaPublicKey::from_public_key_der(der) {
            return Some(Self::Rsa(key));
        }
        dsa::VerifyingKey::from_public_key_der(der).ok().map(|key| Self::Dsa(Box::new(key)))
    }

    pub(crate) fn examine(&self, algorithm: DigestAlgorithm, data: &[u8], signature: &[u8]) -> Finding {
        let digest = algorithm.digest(data);
        match self {
            Self::Rsa(key) => examine_rsa(key, algorithm, &digest, signature),
            Self::Dsa(key) => match dsa::Signature::from_der(signature) {
                Ok(signature) if key.verify_prehash(&digest, &signature).is_ok() => Finding::Good,
                _ => Finding::Bad,
            },
        }
    }
}

fn examine_rsa(key: &RsaPublicKey, algorithm: DigestAlgorithm, digest: &[u8], signature: &[u8]) -> Finding {
    if signature.len() < key.size() {
        return Finding::Short { found: signature.len(), wanted: key.size() };
    }
    if key.verify(algorithm.padding(), digest, signature).is_ok() {
        return Finding::Good;
    }
    if is_padded(&recover(key, signature)) { Finding::OtherData } else { Finding::Bad }
}

/// The block that was signed (RSAVP1, RFC 8017 5.2.2). Used only to say *why* a signature that the
/// reviewed verification refused is bad: a well-formed block means this key signed something else.
fn recover(key: &RsaPublicKey, signature: &[u8]) -> Vec<u8> {
    if signature.len() != key.size() {
        return Vec::new();
    }
    let Ok(representative) = BoxedUint::from_be_slice(signature, key.n_bits_precision()) else {
        return Vec::new();
    };
    if representative >= *key.n().as_ref() {
        return Vec::new();
    }
    rsa_encrypt(key, &representative).map(|block| block.to_be_bytes().to_vec()).unwrap_or_default()
}

/// `00 01 ff .. ff 00` and something behind it, with at least eight `ff` (RFC 8017, 9.2).
fn is_padded(block: &[u8]) -> bool {
    let Some(rest) = block.strip_prefix(&[0, 1]) else { return false };
    let filler = rest.iter().take_while(|byte| **byte == 0xff).count();
    filler >= 8 && rest.get(filler) == Some(&0) && rest.len() > filler + 1
}
