//! Reads beyond one value at a path: documents, listings, and the values that belong together.
//!
//! Each read is written once, as an async function over [`Reader`]. The blocking client's reader is
//! ready at once, so that [`now`] is all that it needs of a runtime.

use std::collections::BTreeMap;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use imds_model::{Category, MetadataPath, catalogue, well_known};
use serde::de::DeserializeOwned;

use crate::client::blocking::{Client, present};
use crate::client::documents::{
    self, Credentials, IamInfo, IdentityCredentialsInfo, IdentityDocument, MaintenanceEvent,
    RebalanceRecommendation, SpotInstanceAction,
};
#[cfg(feature = "identity")]
use crate::client::identity::VerifiedIdentity;
use crate::client::interface::Interface;
use crate::client::response::Response;
use crate::client::walk::{Entry, entries};
use crate::error::{Error, ErrorKind};
use crate::protocol::retry;
use crate::protocol::shared::Shared;

/// A launch key of the instance.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PublicKey {
    /// Position in the launch request, counted from 0.
    pub index: String,
    /// Name of the key pair.
    pub name: String,
    /// The key, as a line of `authorized_keys`.
    pub openssh_key: String,
}

/// The instance's role with its temporary credentials.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RoleCredentials {
    /// Name of the role.
    pub role: String,
    /// Its credentials.
    pub credentials: Credentials,
}

/// Returns every category that the service may hold but a schema version does not show.
///
/// ```
/// let hidden: Vec<_> = imds::hidden_by("2021-03-23").map(|category| category.path()).collect();
/// assert!(hidden.contains(&"meta-data/autoscaling/target-lifecycle-state"));
/// ```
pub fn hidden_by(version: &str) -> impl Iterator<Item = Category> {
    catalogue::hidden_by(version)
}

/// What a typed read needs of a client.
trait Reader: Sync + Sized {
    fn read(&self, path: MetadataPath) -> impl Future<Output = Result<Response, Error>> + Send;

    /// Returns a reader whose reads share one deadline.
    fn within_deadline(&self) -> Self;

    fn shared(&self) -> &Shared;

    /// Pauses after a number of answers that were not what they should be.
    fn pause(&self, failures: u32) -> impl Future<Output = ()> + Send;

    /// Reads every value below a path. An entry that disappeared after it was listed is left out.
    fn read_tree(&self, root: &'static str) -> impl Future<Output = Result<Vec<Response>, Error>> + Send;
}

impl Reader for Client {
    fn read(&self, path: MetadataPath) -> impl Future<Output = Result<Response, Error>> + Send {
        std::future::ready(self.get(path))
    }

    fn within_deadline(&self) -> Self {
        self.within_deadline()
    }

    fn shared(&self) -> &Shared {
        self.shared()
    }

    fn pause(&self, failures: u32) -> impl Future<Output = ()> + Send {
        std::thread::sleep(retry::pause(failures + 1, self.shared().clock.random()));
        std::future::ready(())
    }

    fn read_tree(&self, root: &'static str) -> impl Future<Output = Result<Vec<Response>, Error>> + Send {
        let read = || {
            let leaves = self.walk(root)?.into_iter();
            leaves.map(present).filter_map(Result::transpose).collect()
        };
        std::future::ready(read())
    }
}

#[cfg(feature = "tokio")]
impl Reader for crate::client::tokio::AsyncClient {
    fn read(&self, path: MetadataPath) -> impl Future<Output = Result<Response, Error>> + Send {
        self.get(path)
    }

    fn within_deadline(&self) -> Self {
        self.within_deadline()
    }

    fn shared(&self) -> &Shared {
        self.shared()
    }

    fn pause(&self, failures: u32) -> impl Future<Output = ()> + Send {
        ::tokio::time::sleep(retry::pause(failures + 1, self.shared().clock.random()))
    }

    async fn read_tree(&self, root: &'static str) -> Result<Vec<Response>, Error> {
        let mut walk = self.walk(root)?;
        let mut leaves = Vec::new();
        while let Some(leaf) = walk.next().await {
            leaves.extend(present(leaf)?);
        }
        Ok(leaves)
    }
}

/// Returns the result of a read by the blocking client, whose reader is always ready.
fn now<T>(read: impl Future<Output = T>) -> T {
    let mut read = pin!(read);
    loop {
        if let Poll::Ready(result) = read.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            return result;
        }
    }
}

/// Gives both clients a method for each read, with the same documentation and the same code.
macro_rules! reads {
    ($($(#[$documentation:meta])* fn $name:ident($($argument:ident: $kind:ty)?) -> $output:ty;)*) => {
        impl Client {
            $(
                $(#[$documentation])*
                pub fn $name(&self $(, $argument: $kind)?) -> Result<$output, Error> {
                    now($name(self $(, $argument)?))
                }
            )*
        }

        #[cfg(feature = "tokio")]
        impl crate::client::tokio::AsyncClient {
            $(
                $(#[$documentation])*
                pub async fn $name(&self $(, $argument: $kind)?) -> Result<$output, Error> {
                    $name(self $(, $argument)?).await
                }
            )*
        }
    };
}

reads! {
    /// Returns the instance identity document.
    ///
    /// # Errors
    /// Returns an error as [`get`](Self::get) does, and
    /// [`ErrorKind::Protocol`](crate::ErrorKind::Protocol) if the value is not such a document.
    fn identity_document() -> IdentityDocument;

    /// Returns the instance identity document if its `rsa2048` signature is good: made with AWS's
    /// key for the Region that the document names, or with that of
    /// [`ClientBuilder::identity_certificate`](crate::ClientBuilder::identity_certificate).
    ///
    /// # Errors
    /// Returns an error as [`get`](Self::get) does, and
    /// [`ErrorKind::Untrusted`](crate::ErrorKind::Untrusted) if the signature is not good; its
    /// source is a [`Rejection`](crate::Rejection).
    #[cfg(feature = "identity")]
    fn verified_identity() -> VerifiedIdentity;

    /// Returns which instance profile is attached, or `None` if none is.
    ///
    /// # Errors
    /// Returns an error as [`identity_document`](Self::identity_document) does, except for a 404.
    fn iam_info() -> Option<IamInfo>;

    /// Returns the name of the role whose credentials the instance has, or `None` if there is none.
    ///
    /// # Errors
    /// Returns an error as [`get`](Self::get) does, except for a 404.
    fn role_name() -> Option<String>;

    /// Returns the instance's role and its temporary credentials, or `None` if there is no role.
    ///
    /// The role is the one that `AWS_EC2_INSTANCE_PROFILE_NAME` or the profile key
    /// `ec2_instance_profile_name` names, or the one that the service lists. The path
    /// `iam/security-credentials-extended/` is read first, as by the AWS SDKs, and the older one if
    /// it does not exist.
    ///
    /// # Errors
    /// Returns an error as [`role_credentials`](Self::role_credentials) does.
    fn instance_credentials() -> Option<RoleCredentials>;

    /// Returns temporary credentials of a role, by the name that [`role_name`](Self::role_name)
    /// returns. A document that is cut or half written is read again.
    ///
    /// # Errors
    /// Returns an error as [`identity_document`](Self::identity_document) does, and if the service
    /// says why it has no credentials.
    fn role_credentials(role: &str) -> Credentials;

    /// Returns what the credentials of the instance's own identity role are for.
    ///
    /// # Errors
    /// Returns an error as [`identity_document`](Self::identity_document) does, except for a 404.
    fn identity_credentials_info() -> Option<IdentityCredentialsInfo>;

    /// Returns temporary credentials of the instance's own identity role, which no policy is
    /// attached to.
    ///
    /// # Errors
    /// Returns an error as [`role_credentials`](Self::role_credentials) does.
    fn identity_credentials() -> Credentials;

    /// Returns the pending interruption of a Spot Instance, or `None` while there is none.
    ///
    /// # Errors
    /// Returns an error as [`identity_document`](Self::identity_document) does, except for a 404.
    fn spot_instance_action() -> Option<SpotInstanceAction>;

    /// Returns the rebalance recommendation of a Spot Instance, or `None` while there is none.
    ///
    /// # Errors
    /// Returns an error as [`identity_document`](Self::identity_document) does, except for a 404.
    fn rebalance_recommendation() -> Option<RebalanceRecommendation>;

    /// Returns the maintenance events that are scheduled.
    ///
    /// # Errors
    /// Returns an error as [`identity_document`](Self::identity_document) does, except for a 404.
    fn scheduled_maintenance() -> Vec<MaintenanceEvent>;

    /// Returns the maintenance events that are over.
    ///
    /// # Errors
    /// Returns an error as [`identity_document`](Self::identity_document) does, except for a 404.
    fn maintenance_history() -> Vec<MaintenanceEvent>;

    /// Returns the attached network interfaces, sorted by their device numbers.
    ///
    /// # Errors
    /// Returns an error as [`get`](Self::get) does, for any of the values, except for a 404.
    fn interfaces() -> Vec<Interface>;

    /// Returns the instance's tags: none if the metadata options do not allow them.
    ///
    /// # Errors
    /// Returns an error as [`get`](Self::get) does, for any of the values, except for a 404.
    fn tags() -> BTreeMap<String, String>;

    /// Returns the mapped block devices by their virtual names.
    ///
    /// # Errors
    /// Returns an error as [`get`](Self::get) does, for any of the values, except for a 404.
    fn block_devices() -> BTreeMap<String, String>;

    /// Returns all launch keys.
    ///
    /// # Errors
    /// Returns an error as [`get`](Self::get) does, for any of the values, except for a 404.
    fn public_keys() -> Vec<PublicKey>;
}

async fn identity_document(reader: &impl Reader) -> Result<IdentityDocument, Error> {
    documents::parse(&reader.read(MetadataPath::from_static(well_known::IDENTITY_DOCUMENT)).await?)
}

#[cfg(feature = "identity")]
async fn verified_identity(reader: &impl Reader) -> Result<VerifiedIdentity, Error> {
    let signature = reader.read(crate::client::identity::SIGNATURE_PATH).await?;
    VerifiedIdentity::of(reader.shared(), &signature)
}

async fn iam_info(reader: &impl Reader) -> Result<Option<IamInfo>, Error> {
    document(reader, "iam/info").await
}

/// The directories that list the role, newest first.
const ROLE_DIRECTORIES: [MetadataPath; 2] = [
    MetadataPath::from_static("/latest/meta-data/iam/security-credentials-extended/"),
    MetadataPath::from_static("/latest/meta-data/iam/security-credentials/"),
];

async fn role_name(reader: &impl Reader) -> Result<Option<String>, Error> {
    if let Some(role) = &reader.shared().settings.role {
        return Ok(Some(role.clone()));
    }
    let reader = &reader.within_deadline();
    for directory in ROLE_DIRECTORIES {
        let mut failures = 0;
        // An empty listing is worth another request: the role may just be arriving.
        while let Some(listing) = present(reader.read(directory.clone()).await)? {
            if let Some(role) = entries(&listing)?.into_iter().next() {
                return Ok(Some(role.name));
            }
            failures += 1;
            if failures >= reader.shared().settings.attempts {
                break;
            }
            reader.pause(failures).await;
        }
    }
    Ok(None)
}

async fn role_credentials(reader: &impl Reader, role: &str) -> Result<Credentials, Error> {
    let reader = &reader.within_deadline();
    let [extended, plain] = ROLE_DIRECTORIES;
    match whole_credentials(reader, extended.child(role)?).await {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            whole_credentials(reader, plain.child(role)?).await
        }
        other => other,
    }
}

async fn instance_credentials(reader: &impl Reader) -> Result<Option<RoleCredentials>, Error> {
    let reader = &reader.within_deadline();
    let mut is_first = true;
    loop {
        let Some(role) = role_name(reader).await? else { return Ok(None) };
        match role_credentials(reader, &role).await {
            Ok(credentials) => return Ok(Some(RoleCredentials { role, credentials })),
            // The role changed after it was listed.
            Err(error) if error.kind() == ErrorKind::NotFound && is_first => is_first = false,
            Err(error) => return Err(error),
        }
    }
}

/// Reads a credentials document, again if it is not whole.
async fn whole_credentials(reader: &impl Reader, path: MetadataPath) -> Result<Credentials, Error> {
    let mut failures = 0;
    loop {
        let response = reader.read(path.clone()).await?;
        let read = documents::credentials(&response);
        failures += 1;
        let is_broken = read.as_ref().is_err_and(Error::is_retryable);
        if !is_broken || failures >= reader.shared().settings.attempts {
            return read;
        }
        reader.pause(failures).await;
    }
}

async fn identity_credentials_info(reader: &impl Reader) -> Result<Option<IdentityCredentialsInfo>, Error> {
    document(reader, "identity-credentials/ec2/info").await
}

async fn identity_credentials(reader: &impl Reader) -> Result<Credentials, Error> {
    let path = "identity-credentials/ec2/security-credentials/ec2-instance".try_into()?;
    whole_credentials(&reader.within_deadline(), path).await
}

async fn spot_instance_action(reader: &impl Reader) -> Result<Option<SpotInstanceAction>, Error> {
    document(reader, "spot/instance-action").await
}

async fn rebalance_recommendation(reader: &impl Reader) -> Result<Option<RebalanceRecommendation>, Error> {
    document(reader, "events/recommendations/rebalance").await
}

async fn scheduled_maintenance(reader: &impl Reader) -> Result<Vec<MaintenanceEvent>, Error> {
    Ok(document(reader, "events/maintenance/scheduled").await?.unwrap_or_default())
}

async fn maintenance_history(reader: &impl Reader) -> Result<Vec<MaintenanceEvent>, Error> {
    Ok(document(reader, "events/maintenance/history").await?.unwrap_or_default())
}

async fn interfaces(reader: &impl Reader) -> Result<Vec<Interface>, Error> {
    let mut interfaces: BTreeMap<String, Interface> = BTreeMap::new();
    for leaf in reader.read_tree("network/interfaces/macs/").await? {
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

async fn tags(reader: &impl Reader) -> Result<BTreeMap<String, String>, Error> {
    texts(reader, "tags/instance/").await
}

async fn block_devices(reader: &impl Reader) -> Result<BTreeMap<String, String>, Error> {
    texts(reader, "block-device-mapping/").await
}

async fn public_keys(reader: &impl Reader) -> Result<Vec<PublicKey>, Error> {
    let (reader, mut keys) = (&reader.within_deadline(), Vec::new());
    for entry in list(reader, "public-keys/".try_into()?).await? {
        let (index, name) = entry.name.split_once('=').unwrap_or((&entry.name, ""));
        if let Some(key) = present(reader.read(entry.path.child("openssh-key")?).await)? {
            let openssh_key = key.text()?.trim_end().to_owned();
            keys.push(PublicKey { index: index.to_owned(), name: name.to_owned(), openssh_key });
        }
    }
    Ok(keys)
}

/// Returns the entries of a directory: none if it does not exist.
async fn list(reader: &impl Reader, directory: MetadataPath) -> Result<Vec<Entry>, Error> {
    present(reader.read(directory).await)?.as_ref().map_or(Ok(Vec::new()), entries)
}

/// Returns the values of a directory by their names.
async fn texts(reader: &impl Reader, directory: &'static str) -> Result<BTreeMap<String, String>, Error> {
    let (reader, mut texts) = (&reader.within_deadline(), BTreeMap::new());
    for entry in list(reader, directory.try_into()?).await? {
        // An entry that disappeared after it was listed is no longer one of them.
        if let Some(value) = present(reader.read(entry.path).await)? {
            texts.insert(entry.name, value.text()?.to_owned());
        }
    }
    Ok(texts)
}

/// Returns the document at a path, or `None` if there is none.
async fn document<T: DeserializeOwned>(reader: &impl Reader, path: &'static str) -> Result<Option<T>, Error> {
    present(reader.read(path.try_into()?).await)?.as_ref().map(documents::parse).transpose()
}
