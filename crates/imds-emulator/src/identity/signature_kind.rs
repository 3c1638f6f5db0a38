//! The signatures of the identity document.

/// A signature of the identity document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SignatureKind {
    /// `signature`: RSA over SHA-256, base64.
    Signature,
    /// `rsa2048`: CMS with the document inside.
    Rsa2048,
    /// `pkcs7`: the same, signed with DSA over SHA-1.
    Pkcs7,
    /// `pkcs7` in the Regions of China, whose certificate has an RSA key. The digest there is
    /// unknown; here it is that of `rsa2048`.
    Pkcs7China,
}

impl SignatureKind {
    /// The signature at `pkcs7` in this Region.
    #[must_use]
    pub(crate) fn pkcs7_of(region: &str) -> Self {
        if region.starts_with("cn-") { Self::Pkcs7China } else { Self::Pkcs7 }
    }
}
