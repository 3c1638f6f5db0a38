//! The HTTP client of the AWS SDK: behind a proxy and with the certificate authorities that the
//! environment names, as the AWS CLI. The metadata service is never asked through it.

use aws_sdk_autoscaling::config::SharedHttpClient;
use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext};
use aws_smithy_http_client::{Builder, Connector};
use imds::Environment;

use crate::failure::Failure;

/// Names a file of certificate authorities, in PEM (AWS SDKs and Tools Reference Guide).
const CA_BUNDLE: &str = "AWS_CA_BUNDLE";

/// A client by `HTTPS_PROXY`, `HTTP_PROXY`, `NO_PROXY` and `AWS_CA_BUNDLE`.
pub(crate) fn client(environment: &dyn Environment) -> Result<SharedHttpClient, Failure> {
    let tls = match environment.path_variable(CA_BUNDLE) {
        Some(path) => {
            let cannot = |why: &dyn std::fmt::Display| {
                Failure::usage(format!("cannot use `{}` of `{CA_BUNDLE}`", path.display())).caused_by(why)
            };
            let pem = environment.read_file(&path).map_err(|error| cannot(&error))?;
            imds_sdk_settings::trusting(pem).map_err(|why| cannot(&why))?
        }
        None => TlsContext::default(),
    };
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
