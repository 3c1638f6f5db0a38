//! Endpoint URLs of the environment and the profile: one that is set to nothing is not set, as in
//! botocore. The SDK takes it for a URL and panics.

use aws_types::SdkConfig;
use aws_types::service_config::{LoadServiceConfig, ServiceConfigKey};

/// Returns the configuration with endpoint URLs that are set to nothing left out.
#[must_use]
pub fn without_empty_endpoints(config: SdkConfig) -> SdkConfig {
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

#[cfg(test)]
mod tests {
    use super::*;

    /// A profile that gives the service and all services these URLs.
    #[derive(Clone, Debug)]
    struct Profile(Option<&'static str>);

    impl LoadServiceConfig for Profile {
        fn load_config(&self, _: ServiceConfigKey<'_>) -> Option<String> {
            self.0.map(str::to_owned)
        }
    }

    fn endpoint(service: Option<&'static str>, all: Option<&'static str>) -> Option<String> {
        let mut config = SdkConfig::builder().service_config(Profile(service));
        config.set_endpoint_url(all.map(str::to_owned));
        let key = ServiceConfigKey::builder()
            .service_id("Auto Scaling")
            .env("AWS_ENDPOINT_URL")
            .profile("endpoint_url")
            .build()
            .unwrap();
        without_empty_endpoints(config.build()).service_config()?.load_config(key)
    }

    #[test]
    fn an_endpoint_url_that_is_set_to_nothing_is_not_set() {
        let (own, all) = ("http://own", "http://all");
        assert_eq!(endpoint(Some(own), Some(all)).as_deref(), Some(own));
        assert_eq!(endpoint(None, Some(all)).as_deref(), Some(all));
        for nothing in ["", " ", "\n"] {
            assert_eq!(endpoint(Some(nothing), Some(all)).as_deref(), Some(all));
            assert_eq!(endpoint(Some(nothing), Some(nothing)), None);
            assert_eq!(endpoint(None, Some(nothing)), None);
        }
        assert_eq!(endpoint(None, None), None);
    }
}
