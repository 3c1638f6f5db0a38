//! The HTTP clients: one that goes by the proxy and the certificates that the environment names,
//! and one that goes straight, for what is asked of this very machine.

use std::path::{Path, PathBuf};

use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext};
use aws_smithy_http_client::{Builder, Connector};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_types::os_shim_internal::Env;

use crate::error::Error;

/// The client of AWS. `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY` are obeyed, as by
/// every AWS tool, and `AWS_CA_BUNDLE` or `ca_bundle` of the profile replaces the certificates of
/// the system.
///
/// # Errors
///
/// Returns an error if the certificates cannot be used.
pub fn client(env: &Env, ca_bundle: Option<&str>) -> Result<SharedHttpClient, Error> {
    let named = env.get("AWS_CA_BUNDLE").ok().filter(|path| !path.is_empty());
    let bundle = named.or(ca_bundle.map(str::to_owned)).map(PathBuf::from);
    let context = bundle.as_deref().map(trust).transpose()?;
    Ok(built(ProxyConfig::from_env, context))
}

/// The client of the instance's and the container's own credentials: those never go by a proxy.
pub fn direct() -> SharedHttpClient {
    built(ProxyConfig::disabled, None)
}

fn built(
    proxy: impl Fn() -> ProxyConfig + Send + Sync + 'static,
    context: Option<TlsContext>,
) -> SharedHttpClient {
    Builder::new().build_with_connector_fn(move |settings, components| {
        let mut builder =
            Connector::builder().proxy_config(proxy()).tls_provider(Provider::Rustls(CryptoMode::Ring));
        if let Some(context) = &context {
            builder = builder.tls_context(context.clone());
        }
        if let Some(settings) = settings {
            builder = builder.connector_settings(settings.clone());
        }
        builder.set_sleep_impl(components.and_then(|components| components.sleep_impl()));
        builder.build()
    })
}

/// Reads the certificates of a file; each must be one that TLS can use.
fn trust(path: &Path) -> Result<TlsContext, Error> {
    let pem = std::fs::read(path).map_err(|source| Error::unusable("read", path, &source))?;
    imds_sdk_settings::trusting(pem)
        .map_err(|why| Error::Input(format!("CA bundle `{}`: {why}", path.display())))
}
