//! The two signature algorithms.

use dsa::SigningKey;
use dsa::signature::SignatureEncoding as _;
use rsa::{Pkcs1v15Sign, RsaPrivateKey};
use sha1::Sha1;
use sha2::{Digest as _, Sha256};

/// RSASSA-PKCS1-v1_5 over SHA-256.
pub(crate) fn sign_rsa(key: &RsaPrivateKey, data: &[u8]) -> Option<Vec<u8>> {
    key.sign(Pkcs1v15Sign::new::<Sha256>(), &Sha256::digest(data)).ok()
}

/// DSA over SHA-1, as AWS signs `pkcs7`; DER.
pub(crate) fn sign_dsa(key: &SigningKey, data: &[u8]) -> Option<Vec<u8>> {
    key.sign_prehashed_rfc6979::<Sha1>(&Sha1::digest(data)).ok().map(|signature| signature.to_vec())
}
