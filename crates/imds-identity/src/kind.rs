//! The three signatures of the instance identity document.

use std::fmt;
use std::str::FromStr;

/// The three signatures that the service serves beside the document, by the name of their path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum SignatureKind {
    /// CMS with the document inside, signed with an RSA key of 2048 bits.
    Rsa2048,
    /// A bare RSA signature over SHA-256 of the document, made with a key of 1024 bits.
    Signature,
    /// CMS with the document inside, signed with a DSA key (in China, RSA).
    Pkcs7,
}

impl SignatureKind {
    /// Every kind, the strongest first.
    pub const ALL: [Self; 3] = [Self::Rsa2048, Self::Signature, Self::Pkcs7];

    /// The last segment of its path under `/latest/dynamic/instance-identity/`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Rsa2048 => "rsa2048",
            Self::Signature => "signature",
            Self::Pkcs7 => "pkcs7",
        }
    }
}

impl fmt::Display for SignatureKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for SignatureKind {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.name() == text)
            .ok_or_else(|| format!("signature kind `{text}` is not one of rsa2048, signature, pkcs7"))
    }
}
