//! The instance identity document, returned only if AWS signed it (feature `identity`).

use std::fmt;

use imds_identity::{Certificate, Evidence, SignatureKind, Trust, Verified};
use imds_model::MetadataPath;

use crate::client::documents::{self, IdentityDocument};
use crate::client::response::Response;
use crate::error::{Error, ErrorKind};
use crate::protocol::shared::Shared;

/// Where the service serves the signature that carries the document and was made with AWS's
/// strongest key.
pub(crate) const SIGNATURE_PATH: MetadataPath =
    MetadataPath::from_static("/latest/dynamic/instance-identity/rsa2048");

/// An instance identity document whose signature is good.
///
/// AWS signed it for the instance that it names. A copy of it is as good as the original, so that
/// it does not prove that a client is that instance.
#[derive(Clone)]
pub struct VerifiedIdentity {
    document: IdentityDocument,
    verified: Verified,
}

impl VerifiedIdentity {
    /// Returns the fields of the document.
    #[must_use]
    pub fn document(&self) -> &IdentityDocument {
        &self.document
    }

    /// Returns the document that was signed, byte for byte.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        self.verified.document()
    }

    /// Returns the Region that the document names, which chose the certificate.
    #[must_use]
    pub fn region(&self) -> &str {
        self.verified.region()
    }

    /// Returns the certificate that the signature was verified with.
    #[must_use]
    pub fn certificate(&self) -> &Certificate {
        self.verified.certificate()
    }

    /// Returns when the document was signed, in RFC 3339, if the signature says so.
    #[must_use]
    pub fn signing_time(&self) -> Option<&str> {
        self.verified.signing_time()
    }

    /// Verifies what the service serves at [`SIGNATURE_PATH`].
    pub(crate) fn of(shared: &Shared, signature: &Response) -> Result<Self, Error> {
        let path = signature.path();
        let evidence =
            Evidence { kind: SignatureKind::Rsa2048, signature: signature.bytes(), document: None };
        let trust = shared.settings.identity_certificate.as_ref().map_or(Trust::Regions, Trust::Certificate);
        let verified = imds_identity::verify(&evidence, trust, shared.clock.wall()).map_err(|rejection| {
            Error::new(ErrorKind::Untrusted, "the instance identity document is not verified")
                .path_context(path)
                .caused_by(rejection)
        })?;
        let document = documents::parse(&Response::new(path.clone(), verified.document().to_vec(), None))?;
        Ok(Self { document, verified })
    }
}

impl fmt::Debug for VerifiedIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifiedIdentity").field("document", &self.document).finish_non_exhaustive()
    }
}
