//! Certificates of a CA bundle.

use aws_smithy_http_client::tls::{TlsContext, TrustStore};
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

/// Returns a TLS context that trusts the certificates of a CA bundle and no others.
///
/// # Errors
///
/// Returns an error if the bundle holds no certificate in PEM, or one that TLS cannot use. The SDK
/// would panic on it at the first call.
pub fn trusting(pem: Vec<u8>) -> Result<TlsContext, String> {
    let mut roots = RootCertStore::empty();
    for (number, certificate) in (1..).zip(CertificateDer::pem_slice_iter(&pem)) {
        let cannot = |error: &dyn std::fmt::Display| format!("certificate {number} cannot be used: {error}");
        let certificate = certificate.map_err(|error| cannot(&error))?;
        roots.add(certificate).map_err(|error| cannot(&error))?;
    }
    if roots.is_empty() {
        return Err("it holds no certificate in PEM".to_owned());
    }
    let store = TrustStore::empty().with_pem_certificate(pem);
    TlsContext::builder().with_trust_store(store).build().map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bundle_that_tls_cannot_use_is_refused() {
        let broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        let key = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
        for (pem, why) in [
            ("", "it holds no certificate in PEM"),
            ("a certificate\n", "it holds no certificate in PEM"),
            (key, "it holds no certificate in PEM"),
            (broken, "certificate 1 cannot be used: "),
            ("-----BEGIN CERTIFICATE-----\nAAAA\n", "certificate 1 cannot be used: "),
        ] {
            let refused = trusting(pem.as_bytes().to_vec()).unwrap_err();
            assert!(refused.starts_with(why), "{pem}: {refused}");
        }
    }
}
