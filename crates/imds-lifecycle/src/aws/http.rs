//! The HTTP client of the AWS SDK: behind a proxy and with the certificate authorities that the
//! environment names, as the AWS CLI. The metadata service is never asked through it.

use aws_sdk_autoscaling::config::SharedHttpClient;
use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};
use aws_smithy_http_client::{Builder, Connector};
use imds::Environment;
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

use crate::failure::Failure;

/// Names a file of certificate authorities, in PEM (AWS SDKs and Tools Reference Guide).
const CA_BUNDLE: &str = "AWS_CA_BUNDLE";

/// Whether TLS can use each certificate; the SDK panics on one that it cannot.
fn check(pem: &[u8]) -> Result<(), String> {
    let mut roots = RootCertStore::empty();
    for (number, certificate) in (1..).zip(CertificateDer::pem_slice_iter(pem)) {
        let cannot = |error: &dyn std::fmt::Display| format!("certificate {number} cannot be used: {error}");
        let certificate = certificate.map_err(|error| cannot(&error))?;
        roots.add(certificate).map_err(|error| cannot(&error))?;
    }
    if roots.is_empty() { Err("it holds no certificate in PEM".to_owned()) } else { Ok(()) }
}

/// A client by `HTTPS_PROXY`, `HTTP_PROXY`, `NO_PROXY` and `AWS_CA_BUNDLE`.
pub(crate) fn client(environment: &dyn Environment) -> Result<SharedHttpClient, Failure> {
    let mut tls = TlsContext::builder();
    if let Some(path) = environment.path_variable(CA_BUNDLE) {
        let cannot = |why: &dyn std::fmt::Display| {
            Failure::usage(format!("cannot use `{}` of `{CA_BUNDLE}`", path.display())).caused_by(why)
        };
        let pem = environment.read_file(&path).map_err(|error| cannot(&error))?;
        check(&pem).map_err(|why| cannot(&why))?;
        tls = tls.with_trust_store(TrustStore::empty().with_pem_certificate(pem));
    }
    let tls =
        tls.build().map_err(|error| Failure::usage(format!("cannot use `{CA_BUNDLE}`")).caused_by(&error))?;
    let client = Builder::new().build_with_connector_fn(move |settings, components| {
        let mut connector = Connector::builder().proxy_config(ProxyConfig::from_env());
        connector.set_connector_settings(settings.cloned());
        if let Some(components) = components {
            connector.set_sleep_impl(components.sleep_impl());
        }
        connector.tls_provider(Provider::Rustls(CryptoMode::Ring)).tls_context(tls.clone()).build()
    });
    Ok(client)
}
