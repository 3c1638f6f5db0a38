//! The instance's Region.

use aws_config::meta::region::{ProvideRegion, future};
use aws_types::region::Region;
use imds::AsyncClient;

/// Provides the Region of the instance to the AWS SDK.
#[derive(Clone, Debug)]
pub struct ImdsRegion {
    client: AsyncClient,
}

impl ImdsRegion {
    /// Returns a provider that reads with this client.
    #[must_use]
    pub fn new(client: AsyncClient) -> Self {
        Self { client }
    }

    /// Returns the Region.
    ///
    /// # Errors
    /// Returns an error if the service cannot be read, or if its value is not a Region's name.
    pub async fn region(&self) -> Result<Region, imds::Error> {
        let response = self.client.get("placement/region").await?;
        Ok(Region::new(response.text()?.trim_end().to_owned()))
    }
}

impl ProvideRegion for ImdsRegion {
    /// Returns the Region, or `None` if it cannot be read, which is logged: the trait has no place
    /// for an error.
    fn region(&self) -> future::ProvideRegion<'_> {
        future::ProvideRegion::new(async {
            let region = ImdsRegion::region(self).await;
            region.inspect_err(|error| tracing::warn!("cannot read the Region: {error}")).ok()
        })
    }
}
