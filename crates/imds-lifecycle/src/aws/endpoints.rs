//! Endpoint URLs of the environment and the profile: one that is set to nothing is not set, as in
//! botocore. The SDK takes it for a URL and panics.

use aws_config::SdkConfig;
use aws_types::service_config::{LoadServiceConfig, ServiceConfigKey};

/// Returns the configuration with endpoint URLs that are set to nothing left out.
pub(crate) fn without_empty(config: SdkConfig) -> SdkConfig {
    let found = Found(config.clone());
    config.into_builder().service_config(found).build()
}

#[derive(Debug)]
struct Found(SdkConfig);

impl LoadServiceConfig for Found {
    fn load_config(&self, key: ServiceConfigKey<'_>) -> Option<String> {
        let is_endpoint = key.env() == "AWS_ENDPOINT_URL";
        let found = self.0.service_config()?.load_config(key);
        if !is_endpoint {
            return found;
        }
        let is_set = |url: &String| !url.trim().is_empty();
        // The one for all services comes after the service's own.
        found.filter(is_set).or_else(|| self.0.endpoint_url().map(str::to_owned).filter(is_set))
    }
}
