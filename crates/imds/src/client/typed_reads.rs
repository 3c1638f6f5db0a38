//! What the service holds, beyond one value at a path: listings, trees, documents, and the values that belong together.

use std::collections::BTreeMap;

use imds_model::{MetadataPath, PathError, catalogue, well_known};

use crate::client::blocking::Client;
use crate::client::documents::{
    self, Credentials, IamInfo, IdentityCredentialsInfo, IdentityDocument, MaintenanceEvent,
    RebalanceRecommendation, SpotInstanceAction,
};
use crate::client::interface::Interface;
use crate::client::walk::{Entry, Walk, as_directory, entries};
use crate::error::{Error, ErrorKind};

/// A launch key of the instance.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PublicKey {
    /// Place in the launch request, counted from 0.
    pub index: String,
    /// Name of the key pair.
    pub name: String,
    /// The key, as a line of `authorized_keys`.
    pub openssh_key: String,
}

/// Everything below a schema version that the service may hold but the version does not show.
///
/// ```
/// let hidden: Vec<_> = imds::hidden_by("2021-03-23").map(|category| category.path()).collect();
/// assert!(hidden.contains(&"meta-data/autoscaling/target-lifecycle-state"));
/// ```
pub fn hidden_by(version: &str) -> impl Iterator<Item = imds_model::Category> {
    catalogue::hidden_by(version)
}

impl Client {
    /// What a directory lists.
    ///
    /// ```
    /// # let emulator = imds_emulator::Emulator::builder().start()?;
    /// # let imds = imds::Client::builder().endpoint(emulator.endpoint()).no_store().build()?;
    /// let keys = imds.list("public-keys")?;
    /// assert_eq!(keys[0].name, "0=my-key");
    /// assert_eq!(keys[0].path.as_str(), "/latest/meta-data/public-keys/0/");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As for [`get`](Self::get); and [`ErrorKind::Protocol`] where the listing names what cannot be.
    pub fn list<P>(&self, path: P) -> Result<Vec<Entry>, Error>
    where
        P: TryInto<MetadataPath>,
        PathError: From<P::Error>,
    {
        let path = path.try_into().map_err(PathError::from)?;
        self.listing(path)
    }

    /// Every value below a path, read by a few threads within the request rate_limit, each exactly once.
    ///
    /// ```
    /// # let emulator = imds_emulator::Emulator::builder().start()?;
    /// # let imds = imds::Client::builder().endpoint(emulator.endpoint()).no_store().build()?;
    /// let mut zones = 0;
    /// for leaf in imds.walk("placement")?.filter(|entry| entry.is_directory || entry.name.starts_with("availability")) {
    ///     let leaf = leaf?;
    ///     zones += 1;
    ///     println!("{} = {}", leaf.path(), leaf.text()?);
    /// }
    /// assert_eq!(zones, 2);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Path`] where the text is no path. What goes wrong on the way comes out of the iteration.
    pub fn walk<P>(&self, path: P) -> Result<Walk, Error>
    where
        P: TryInto<MetadataPath>,
        PathError: From<P::Error>,
    {
        Ok(Walk::new(self.clone(), path.try_into().map_err(PathError::from)?))
    }

    /// The instance identity document.
    ///
    /// # Errors
    /// As for [`get`](Self::get); and [`ErrorKind::Protocol`] where the value is not such a document, as for every
    /// document below.
    pub fn identity_document(&self) -> Result<IdentityDocument, Error> {
        documents::parse(&self.get(MetadataPath::from_static(well_known::IDENTITY_DOCUMENT))?)
    }

    /// Which instance profile is attached; `None` where none is.
    ///
    /// # Errors
    /// As for [`identity_document`](Self::identity_document), a 404 aside.
    pub fn iam_info(&self) -> Result<Option<IamInfo>, Error> {
        self.optional_document("iam/info")
    }

    /// The name of the role whose credentials the instance has; `None` where there is no role.
    ///
    /// # Errors
    /// As for [`get`](Self::get), a 404 aside.
    pub fn role_name(&self) -> Result<Option<String>, Error> {
        let listed = absent(self.list("iam/security-credentials/"))?;
        Ok(listed.and_then(|entries| entries.into_iter().next()).map(|entry| entry.name))
    }

    /// Temporary credentials of a role by its name, as [`role_name`](Self::role_name) gives it.
    ///
    /// # Errors
    /// As for [`identity_document`](Self::identity_document); and where the service says why it has none.
    pub fn role_credentials(&self, role: &str) -> Result<Credentials, Error> {
        let directory = MetadataPath::from_static("/latest/meta-data/iam/security-credentials/");
        documents::credentials(&self.get(directory.child(role)?)?)
    }

    /// What the credentials of the instance's own identity role are for.
    ///
    /// # Errors
    /// As for [`identity_document`](Self::identity_document), a 404 aside.
    pub fn identity_credentials_info(&self) -> Result<Option<IdentityCredentialsInfo>, Error> {
        self.optional_document("identity-credentials/ec2/info")
    }

    /// Temporary credentials of the instance's own identity role, to which no policy is attached.
    ///
    /// # Errors
    /// As for [`role_credentials`](Self::role_credentials).
    pub fn identity_credentials(&self) -> Result<Credentials, Error> {
        documents::credentials(&self.get("identity-credentials/ec2/security-credentials/ec2-instance")?)
    }

    /// The pending interruption of a Spot Instance; `None` while there is none.
    ///
    /// # Errors
    /// As for [`identity_document`](Self::identity_document), a 404 aside.
    pub fn spot_instance_action(&self) -> Result<Option<SpotInstanceAction>, Error> {
        self.optional_document("spot/instance-action")
    }

    /// The rebalance recommendation of a Spot Instance; `None` while there is none.
    ///
    /// # Errors
    /// As for [`identity_document`](Self::identity_document), a 404 aside.
    pub fn rebalance_recommendation(&self) -> Result<Option<RebalanceRecommendation>, Error> {
        self.optional_document("events/recommendations/rebalance")
    }

    /// Maintenance events to come.
    ///
    /// # Errors
    /// As for [`identity_document`](Self::identity_document), a 404 aside.
    pub fn scheduled_maintenance(&self) -> Result<Vec<MaintenanceEvent>, Error> {
        Ok(self.optional_document("events/maintenance/scheduled")?.unwrap_or_default())
    }

    /// Maintenance events that are over.
    ///
    /// # Errors
    /// As for [`identity_document`](Self::identity_document), a 404 aside.
    pub fn maintenance_history(&self) -> Result<Vec<MaintenanceEvent>, Error> {
        Ok(self.optional_document("events/maintenance/history")?.unwrap_or_default())
    }

    /// The attached network interfaces, by their device numbers.
    ///
    /// # Errors
    /// As for [`get`](Self::get), for any of the values.
    pub fn interfaces(&self) -> Result<Vec<Interface>, Error> {
        let mut interfaces: BTreeMap<String, Interface> = BTreeMap::new();
        for leaf in self.walk("network/interfaces/macs/")? {
            let Some(leaf) = absent(leaf)? else { continue };
            let Some(found) = catalogue::find(leaf.path()) else { continue };
            let Some((_, mac)) = found.labels.first() else { continue };
            interfaces
                .entry((*mac).to_owned())
                .or_insert_with(|| Interface::new(mac))
                .fill(found.category, &leaf)?;
        }
        let mut interfaces: Vec<_> = interfaces.into_values().collect();
        interfaces.sort_by_key(|interface| (interface.network_card, interface.device_number));
        Ok(interfaces)
    }

    /// The instance's tags; empty where the metadata options do not allow them.
    ///
    /// # Errors
    /// As for [`get`](Self::get), for any of the values, a 404 aside.
    pub fn tags(&self) -> Result<BTreeMap<String, String>, Error> {
        self.texts("tags/instance/")
    }

    /// The mapped block devices by their virtual names.
    ///
    /// # Errors
    /// As for [`get`](Self::get), for any of the values, a 404 aside.
    pub fn block_devices(&self) -> Result<BTreeMap<String, String>, Error> {
        self.texts("block-device-mapping/")
    }

    /// The launch keys, all of them.
    ///
    /// # Errors
    /// As for [`get`](Self::get), for any of the values, a 404 aside.
    pub fn public_keys(&self) -> Result<Vec<PublicKey>, Error> {
        let mut keys = Vec::new();
        for entry in absent(self.list("public-keys/"))?.unwrap_or_default() {
            let (index, name) = entry.name.split_once('=').unwrap_or((&entry.name, ""));
            if let Some(key) = absent(self.get(entry.path.child("openssh-key")?))? {
                let openssh_key = key.text()?.trim_end().to_owned();
                keys.push(PublicKey { index: index.to_owned(), name: name.to_owned(), openssh_key });
            }
        }
        Ok(keys)
    }

    fn listing(&self, path: MetadataPath) -> Result<Vec<Entry>, Error> {
        entries(&self.get(as_directory(path))?)
    }

    /// The values of a directory by their names.
    fn texts(&self, directory: &'static str) -> Result<BTreeMap<String, String>, Error> {
        let mut texts = BTreeMap::new();
        for entry in absent(self.list(directory))?.unwrap_or_default() {
            // One that has gone since it was listed is no longer one of them.
            if let Some(value) = absent(self.get(entry.path))? {
                texts.insert(entry.name, value.text()?.to_owned());
            }
        }
        Ok(texts)
    }

    fn optional_document<T: serde::de::DeserializeOwned>(
        &self,
        path: &'static str,
    ) -> Result<Option<T>, Error> {
        absent(self.get(path))?.as_ref().map(documents::parse).transpose()
    }
}

/// `None` in place of a 404.
fn absent<T>(result: Result<T, Error>) -> Result<Option<T>, Error> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}
