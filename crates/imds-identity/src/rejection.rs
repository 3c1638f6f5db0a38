//! Why a document is not accepted, each reason with its own message.

use std::fmt;

use crate::ber::BerError;
use crate::kind::SignatureKind;

/// Why a document and its signature are refused.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Rejection {
    /// The signature is not base64 text.
    NotBase64(SignatureKind),
    /// The signature ends too early.
    Truncated(SignatureKind),
    /// The signature is not of its kind's form.
    Malformed {
        /// Which signature.
        kind: SignatureKind,
        /// What is wrong with it.
        what: String,
    },
    /// `signature` does not carry the document, and none was given.
    NoDocument,
    /// The document is not JSON with a `region`.
    NotADocument,
    /// The document is not the one that was signed.
    DocumentAltered(SignatureKind),
    /// The signature carries a document that is not the one given.
    DocumentDiffers {
        /// Which signature.
        kind: SignatureKind,
        /// Whether line ends or spaces at the end are all the difference, as an editor leaves them.
        only_trailing_whitespace: bool,
    },
    /// The signature was altered.
    SignatureAltered(SignatureKind),
    /// The signature was altered, or made with another key: a bare `signature` does not name its
    /// certificate.
    SignatureMismatch(SignatureKind),
    /// Another certificate's key signed it.
    WrongCertificate {
        /// Which signature.
        kind: SignatureKind,
        /// The signer, as far as it is known: a serial number or a Region.
        signer: String,
        /// Serial number of the certificate that was to verify it.
        given: String,
    },
    /// No certificate is known for the document's Region.
    UnknownRegion(String),
    /// The signature is good, but its certificate has expired.
    CertificateExpired {
        /// The last moment of its validity.
        not_after: String,
    },
    /// The signature is good, but its certificate is not valid yet.
    CertificateNotYetValid {
        /// The first moment of its validity.
        not_before: String,
    },
    /// An algorithm that AWS does not sign documents with.
    UnsupportedAlgorithm {
        /// Which signature.
        kind: SignatureKind,
        /// The algorithm's object identifier.
        algorithm: String,
    },
}

impl Rejection {
    /// A short name that programs can compare.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::NotBase64(_) => "not-base64",
            Self::Truncated(_) => "truncated-signature",
            Self::Malformed { .. } => "malformed-signature",
            Self::NoDocument => "no-document",
            Self::NotADocument => "not-a-document",
            Self::DocumentAltered(_) | Self::DocumentDiffers { .. } => "altered-document",
            Self::SignatureAltered(_) => "altered-signature",
            Self::SignatureMismatch(_) => "signature-mismatch",
            Self::WrongCertificate { .. } => "wrong-certificate",
            Self::UnknownRegion(_) => "unknown-region",
            Self::CertificateExpired { .. } => "expired-certificate",
            Self::CertificateNotYetValid { .. } => "certificate-not-yet-valid",
            Self::UnsupportedAlgorithm { .. } => "unsupported-algorithm",
        }
    }

    pub(crate) fn ber(kind: SignatureKind, error: BerError) -> Self {
        match error {
            BerError::Truncated => Self::Truncated(kind),
            other => Self::malformed(kind, other),
        }
    }

    pub(crate) fn malformed(kind: SignatureKind, what: impl fmt::Display) -> Self {
        Self::Malformed { kind, what: what.to_string() }
    }
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotBase64(kind) => write!(f, "`{kind}` is not base64 text"),
            Self::Truncated(kind) => write!(f, "`{kind}` is truncated"),
            Self::Malformed { kind, what } => write!(f, "`{kind}` is malformed: {what}"),
            Self::NoDocument => f.write_str("`signature` carries no document, and none was given"),
            Self::NotADocument => f.write_str("the document is not JSON with a `region`"),
            Self::DocumentAltered(kind) => {
                write!(f, "the document was altered: `{kind}` is a good signature of another document")
            }
            Self::DocumentDiffers { kind, only_trailing_whitespace: false } => {
                write!(f, "the document was altered: it is not the one that `{kind}` carries")
            }
            Self::DocumentDiffers { kind, only_trailing_whitespace: true } => write!(
                f,
                "the document was altered: it is the one that `{kind}` carries but for white space at its end"
            ),
            Self::SignatureAltered(kind) => write!(f, "`{kind}` was altered"),
            Self::SignatureMismatch(kind) => {
                write!(f, "`{kind}` was altered, or made with the key of another certificate")
            }
            Self::WrongCertificate { kind, signer, given } => {
                write!(
                    f,
                    "`{kind}` was made with the key of another certificate: {signer}, not serial `{given}`"
                )
            }
            Self::UnknownRegion(region) => write!(f, "no AWS certificate is known for Region `{region}`"),
            Self::CertificateExpired { not_after } => {
                write!(f, "the signature is good, but its certificate expired at {not_after}")
            }
            Self::CertificateNotYetValid { not_before } => {
                write!(f, "the signature is good, but its certificate is not valid before {not_before}")
            }
            Self::UnsupportedAlgorithm { kind, algorithm } => {
                write!(f, "`{kind}` uses algorithm `{algorithm}`, which AWS does not sign documents with")
            }
        }
    }
}

impl std::error::Error for Rejection {}
