//! X.509 certificates: read from DER or PEM, described, and asked for their key.

use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

use der::{Decode as _, Encode as _};
use sha2::{Digest as _, Sha256};
use x509_cert::serial_number::SerialNumber;
use x509_cert::time::Time;

use crate::key::PublicKey;
use crate::pem;

/// A certificate that signatures are verified with.
#[derive(Clone)]
pub struct Certificate {
    der: Box<[u8]>,
    inner: x509_cert::Certificate,
    fingerprint: String,
    key: PublicKey,
}

/// Why bytes are not a certificate that can be used.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CertificateError {
    /// Neither DER nor PEM of an X.509 certificate.
    Malformed,
    /// Neither an RSA nor a DSA key, or one of a size that no AWS certificate has.
    Key,
}

impl fmt::Display for CertificateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Malformed => "not an X.509 certificate in PEM or DER",
            Self::Key => "the certificate's key is neither RSA (1024 bits or more) nor DSA",
        })
    }
}

impl std::error::Error for CertificateError {}

impl Certificate {
    /// Reads a certificate from DER, or from the first certificate of PEM text.
    ///
    /// # Errors
    /// Where the bytes are no certificate, or one with a key that signs no document.
    pub fn parse(bytes: &[u8]) -> Result<Self, CertificateError> {
        if bytes.first() == Some(&0x30) { Self::from_der(bytes) } else { Self::from_pem(bytes) }
    }

    fn from_pem(text: &[u8]) -> Result<Self, CertificateError> {
        const BEGIN: &[u8] = b"-----BEGIN CERTIFICATE-----";
        const END: &[u8] = b"-----END CERTIFICATE-----";
        let start = find(text, BEGIN).ok_or(CertificateError::Malformed)? + BEGIN.len();
        let rest = &text[start..];
        let end = find(rest, END).ok_or(CertificateError::Malformed)?;
        let der = pem::decode(&rest[..end]).map_err(|_| CertificateError::Malformed)?;
        Self::from_der(&der)
    }

    fn from_der(der: &[u8]) -> Result<Self, CertificateError> {
        let inner = x509_cert::Certificate::from_der(der).map_err(|_| CertificateError::Malformed)?;
        let spki = inner
            .tbs_certificate()
            .subject_public_key_info()
            .to_der()
            .map_err(|_| CertificateError::Malformed)?;
        let key = PublicKey::from_spki_der(&spki).ok_or(CertificateError::Key)?;
        Ok(Self { der: der.into(), inner, fingerprint: hexadecimal(&Sha256::digest(der)), key })
    }

    /// The certificate itself, in DER.
    #[must_use]
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// The SHA-256 of the DER, in lower-case hexadecimal.
    #[must_use]
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// The serial number, in lower-case hexadecimal.
    #[must_use]
    pub fn serial(&self) -> String {
        serial(self.serial_number())
    }

    /// The issuer's distinguished name (RFC 4514).
    #[must_use]
    pub fn issuer(&self) -> String {
        self.issuer_name().to_string()
    }

    /// The key's algorithm and size, such as `RSA-2048`.
    #[must_use]
    pub fn key_description(&self) -> String {
        self.key.to_string()
    }

    /// The first moment of validity, as `2015-08-14T08:59:12Z`.
    #[must_use]
    pub fn not_before(&self) -> String {
        self.validity().not_before.to_date_time().to_string()
    }

    /// The last moment of validity, as `2195-01-17T08:59:12Z`.
    #[must_use]
    pub fn not_after(&self) -> String {
        self.validity().not_after.to_date_time().to_string()
    }

    /// The last moment of validity.
    #[must_use]
    pub fn expires(&self) -> SystemTime {
        moment(&self.validity().not_after)
    }

    pub(crate) fn begins(&self) -> SystemTime {
        moment(&self.validity().not_before)
    }

    pub(crate) fn key(&self) -> &PublicKey {
        &self.key
    }

    pub(crate) fn serial_number(&self) -> &SerialNumber {
        self.inner.tbs_certificate().serial_number()
    }

    pub(crate) fn issuer_name(&self) -> &x509_cert::name::Name {
        self.inner.tbs_certificate().issuer()
    }

    fn validity(&self) -> &x509_cert::time::Validity {
        self.inner.tbs_certificate().validity()
    }
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Certificate")
            .field("fingerprint", &self.fingerprint)
            .field("key", &self.key_description())
            .field("not_after", &self.not_after())
            .finish()
    }
}

impl PartialEq for Certificate {
    fn eq(&self, other: &Self) -> bool {
        self.fingerprint == other.fingerprint
    }
}

impl Eq for Certificate {}

/// A serial number in lower-case hexadecimal, without the zero byte that keeps ASN.1 from reading
/// it as negative.
pub(crate) fn serial(number: &SerialNumber) -> String {
    let bytes = number.as_bytes();
    hexadecimal(bytes.strip_prefix(&[0]).filter(|rest| !rest.is_empty()).unwrap_or(bytes))
}

fn hexadecimal(bytes: &[u8]) -> String {
    use fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn moment(time: &Time) -> SystemTime {
    // X.509 times run to 9999, which every platform's clock can hold.
    UNIX_EPOCH.checked_add(time.to_unix_duration()).unwrap_or(UNIX_EPOCH)
}

fn find(text: &[u8], wanted: &[u8]) -> Option<usize> {
    text.windows(wanted.len()).position(|window| window == wanted)
}
