//! Verification: what is checked, in which order, so that the first refusal is the cause.

use std::time::SystemTime;

use crate::certificate::{Certificate, serial};
use crate::document;
use crate::key::{DigestAlgorithm, Finding};
use crate::kind::SignatureKind;
use crate::pem::{self, PemError};
use crate::regions;
use crate::rejection::Rejection;
use crate::signed_data::Signed;

/// What is to be judged.
#[derive(Clone, Copy, Debug)]
pub struct Evidence<'a> {
    /// Which of the service's signatures it is.
    pub kind: SignatureKind,
    /// The signature as the service serves it: base64, with or without PEM lines.
    pub signature: &'a [u8],
    /// The document, byte for byte. `rsa2048` and `pkcs7` carry it; where one is given too, they
    /// must agree.
    pub document: Option<&'a [u8]>,
}

/// What the signature is verified with.
#[derive(Clone, Copy, Debug)]
pub enum Trust<'a> {
    /// AWS's certificate for the Region that the document names.
    Regions,
    /// This certificate, whatever the Region.
    Certificate(&'a Certificate),
}

/// A document whose signature is good.
#[derive(Clone, Debug)]
pub struct Verified {
    kind: SignatureKind,
    region: String,
    document: Vec<u8>,
    certificate: Certificate,
    signing_time: Option<String>,
}

impl Verified {
    /// Which signature was verified.
    #[must_use]
    pub fn kind(&self) -> SignatureKind {
        self.kind
    }

    /// The Region that the document names.
    #[must_use]
    pub fn region(&self) -> &str {
        &self.region
    }

    /// The document that was signed, byte for byte.
    #[must_use]
    pub fn document(&self) -> &[u8] {
        &self.document
    }

    /// The certificate that it was verified with.
    #[must_use]
    pub fn certificate(&self) -> &Certificate {
        &self.certificate
    }

    /// When it was signed, where the signature says so.
    #[must_use]
    pub fn signing_time(&self) -> Option<&str> {
        self.signing_time.as_deref()
    }
}

/// Judges a document by one of its signatures.
///
/// A certificate's validity is looked at last, so that *expired* is said only of a signature that
/// is good otherwise.
///
/// # Errors
/// The first reason for which the document is not to be believed.
pub fn verify(evidence: &Evidence<'_>, trust: Trust<'_>, now: SystemTime) -> Result<Verified, Rejection> {
    let bytes = pem::decode(evidence.signature).map_err(|error| match error {
        PemError::Character => Rejection::NotBase64(evidence.kind),
        PemError::Truncated => Rejection::Truncated(evidence.kind),
    })?;
    let verified = match evidence.kind {
        SignatureKind::Signature => bare(&bytes, evidence.document.ok_or(Rejection::NoDocument)?, trust)?,
        SignatureKind::Rsa2048 | SignatureKind::Pkcs7 => embedded(evidence, &bytes, trust)?,
    };
    validity(&verified.certificate, now)?;
    Ok(verified)
}

fn bare(signature: &[u8], document: &[u8], trust: Trust<'_>) -> Result<Verified, Rejection> {
    let kind = SignatureKind::Signature;
    let (region, certificate) = certificate_for(kind, document, trust)?;
    // SHA-256, as in the EC2 User Guide's `openssl dgst -sha256 -verify`.
    match certificate.key().examine(DigestAlgorithm::Sha256, document, signature) {
        Finding::Good => {
            let region = region.ok_or(Rejection::NotADocument)?;
            Ok(Verified { kind, region, document: document.to_vec(), certificate, signing_time: None })
        }
        Finding::OtherData => Err(Rejection::DocumentAltered(kind)),
        Finding::Short { .. } => Err(Rejection::Truncated(kind)),
        Finding::Bad => Err(match regions::signer_of(document, signature) {
            Some(region) => Rejection::WrongCertificate {
                kind,
                // Many Regions share the key of 1024 bits that was once AWS's only one.
                signer: format!("AWS's for Region `{region}` and perhaps others"),
                given: certificate.serial(),
            },
            None => Rejection::SignatureMismatch(kind),
        }),
    }
}

fn embedded(evidence: &Evidence<'_>, bytes: &[u8], trust: Trust<'_>) -> Result<Verified, Rejection> {
    let kind = evidence.kind;
    let signed = Signed::parse(kind, bytes)?;
    let (region, certificate) = certificate_for(kind, signed.document(), trust)?;
    let is_named =
        signed.issuer() == certificate.issuer_name() && signed.serial_number() == certificate.serial_number();
    if !is_named {
        return Err(Rejection::WrongCertificate {
            kind,
            signer: format!("serial `{}`", serial(signed.serial_number())),
            given: certificate.serial(),
        });
    }
    let data = signed.signed_bytes();
    match certificate.key().examine(signed.digest_algorithm(), data, signed.signature()) {
        Finding::Good => {}
        // Without signed attributes the document itself is what was signed.
        Finding::OtherData if data == signed.document() => return Err(Rejection::DocumentAltered(kind)),
        Finding::Short { .. } => return Err(Rejection::Truncated(kind)),
        Finding::OtherData | Finding::Bad => return Err(Rejection::SignatureAltered(kind)),
    }
    if !signed.is_of_its_document() {
        return Err(Rejection::DocumentAltered(kind));
    }
    if let Some(given) = evidence.document.filter(|given| *given != signed.document()) {
        return Err(Rejection::DocumentDiffers {
            kind,
            only_trailing_whitespace: given.trim_ascii_end() == signed.document().trim_ascii_end(),
        });
    }
    // A signature over attributes is also one over a "document" that is those attributes, so a good
    // signature alone does not make a document of the bytes that it is over.
    let region = region.ok_or(Rejection::NotADocument)?;
    let signing_time = signed.signing_time().map(str::to_owned);
    Ok(Verified { kind, region, document: signed.into_document(), certificate, signing_time })
}

fn certificate_for(
    kind: SignatureKind,
    document: &[u8],
    trust: Trust<'_>,
) -> Result<(Option<String>, Certificate), Rejection> {
    let region = document::region(document);
    match trust {
        // A document that was altered beyond reading is reported as altered.
        Trust::Certificate(certificate) => Ok((region, certificate.clone())),
        Trust::Regions => {
            let region = region.ok_or(Rejection::NotADocument)?;
            let certificate = regions::certificate(&region, kind)
                .ok_or_else(|| Rejection::UnknownRegion(region.clone()))?;
            Ok((Some(region), certificate))
        }
    }
}

fn validity(certificate: &Certificate, now: SystemTime) -> Result<(), Rejection> {
    if now > certificate.expires() {
        Err(Rejection::CertificateExpired { not_after: certificate.not_after() })
    } else if now < certificate.begins() {
        Err(Rejection::CertificateNotYetValid { not_before: certificate.not_before() })
    } else {
        Ok(())
    }
}
