//! Signatures of the instance identity document, by a test authority that each run makes anew.
//!
//! Nothing is made until a signature or a certificate is asked for.

mod base64_lines;
mod certificate;
mod der;
mod keys;
mod sign;
mod signature_kind;
mod signed_data;

use std::sync::Arc;

pub use self::certificate::Certificates;
pub(crate) use self::keys::Keyring;
pub(crate) use self::signature_kind::SignatureKind;

use self::base64_lines::lines;
use self::keys::Keys;
use self::sign::{sign_dsa, sign_rsa};
use self::signed_data::{Scheme, signed_data};
use crate::base::time::Timestamp;

/// Why there is no signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unsigned {
    /// The keys are not made yet.
    NotYet,
    /// No key can be made, or one cannot sign.
    Never,
}

/// Signs identity documents once its keys are made.
pub(crate) struct DocumentSigner {
    keys: Keyring,
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
    pub(crate) fn new(seed: [u8; 32]) -> Self {
        Self { keys: Keyring::new(seed), made: Vec::new() }
    }

    /// Its keys.
    pub(crate) const fn keys(&self) -> &Keyring {
        &self.keys
    }

    /// The signature as it is served: base64 in lines of 76 characters.
    ///
    /// # Errors
    /// Returns an error if the keys are not made yet, or never will be.
    pub(crate) fn sign(
        &mut self,
        kind: SignatureKind,
        document: &Arc<[u8]>,
        now: Timestamp,
    ) -> Result<Arc<[u8]>, Unsigned> {
        if let Some(made) = self.made.iter().find(|made| made.kind == kind && made.document == *document) {
            return Ok(Arc::clone(&made.signature));
        }
        let keys = self.keys.made().ok_or(Unsigned::NotYet)?.ok_or(Unsigned::Never)?;
        let bytes = signature(keys, kind, document, now).ok_or(Unsigned::Never)?;
        let text: Arc<[u8]> = lines(&bytes, 76).into_bytes().into();
        self.made.retain(|made| made.kind != kind);
        self.made.push(Made { kind, document: Arc::clone(document), signature: Arc::clone(&text) });
        Ok(text)
    }
}

fn signature(keys: &Keys, kind: SignatureKind, document: &[u8], now: Timestamp) -> Option<Vec<u8>> {
    let rsa = |data: &[u8]| sign_rsa(&keys.large, data);
    match kind {
        SignatureKind::Signature => sign_rsa(&keys.small, document),
        SignatureKind::Rsa2048 => signed_data(Scheme::RsaSha256, &keys.serials.rsa2048, document, now, rsa),
        SignatureKind::Pkcs7China => {
            signed_data(Scheme::RsaSha256, &keys.serials.pkcs7_china, document, now, rsa)
        }
        SignatureKind::Pkcs7 => {
            let dsa = |data: &[u8]| sign_dsa(&keys.dsa, data);
            signed_data(Scheme::DsaSha1, &keys.serials.pkcs7, document, now, dsa)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;

    const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);

    #[test]
    fn signatures_have_the_real_shape() {
        let mut signer = DocumentSigner::new([1; 32]);
        let document: Arc<[u8]> = Arc::from(&b"{}"[..]);
        assert_eq!(signer.sign(SignatureKind::Signature, &document, NOW), Err(Unsigned::NotYet));
        let _ = signer.keys().make(NOW);
        let signature = signer.sign(SignatureKind::Signature, &document, NOW).unwrap();
        assert_eq!(signature.len(), 174);
        let text = std::str::from_utf8(&signature).unwrap();
        assert_eq!(text.lines().map(str::len).collect::<Vec<_>>(), [76, 76, 20]);
        let again = signer.sign(SignatureKind::Signature, &document, NOW).unwrap();
        assert!(Arc::ptr_eq(&signature, &again), "signed once");
        for kind in [SignatureKind::Rsa2048, SignatureKind::Pkcs7, SignatureKind::Pkcs7China] {
            let signed = signer.sign(kind, &document, NOW).unwrap();
            let bytes = STANDARD.decode(String::from_utf8_lossy(&signed).replace('\n', "")).unwrap();
            assert_eq!(bytes[..2], [0x30, 0x80], "an indefinite length");
            assert_eq!(bytes[bytes.len() - 2..], [0, 0]);
        }
    }

    #[test]
    fn only_china_has_another_pkcs7() {
        assert_eq!(SignatureKind::pkcs7_of("us-east-1"), SignatureKind::Pkcs7);
        assert_eq!(SignatureKind::pkcs7_of("cn-north-1"), SignatureKind::Pkcs7China);
    }
}
