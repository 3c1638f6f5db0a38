//! What can be asked of the service, and the one way in which it is: blocking or in a task.

use std::time::Duration;

use imds::{AsyncClient, Client, Clock as _, ErrorKind, MetadataPath, Response, SystemClock};
use imds_identity::{Certificate, Evidence, Rejection, SignatureKind, Trust, Verified, verify};
use imds_model::well_known;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use crate::documents::Document;
use crate::reply::Reply;

/// The argument of a request.
#[derive(FromPyObject)]
pub(crate) enum Argument {
    #[pyo3(transparent)]
    One(String),
    #[pyo3(transparent)]
    Bytes(Vec<u8>),
    #[pyo3(transparent)]
    Many(Vec<String>),
}

/// Something to ask.
pub(crate) enum Request {
    Text(String),
    Bytes(String),
    Texts(Vec<String>),
    List(String),
    Document(Document),
    Tags,
    BlockDevices,
    Interfaces,
    PublicKeys,
    RoleName,
    UserData,
    Identity(SignatureKind, Option<Box<Certificate>>),
}

/// Why there is no reply.
#[derive(Debug)]
pub(crate) enum Failure {
    Imds(imds::Error),
    Rejected(Rejection),
}

impl From<imds::Error> for Failure {
    fn from(error: imds::Error) -> Self {
        Self::Imds(error)
    }
}

impl From<imds::PathError> for Failure {
    fn from(error: imds::PathError) -> Self {
        Self::Imds(error.into())
    }
}

impl Request {
    /// Returns the request of this name.
    ///
    /// # Errors
    /// Returns a `ValueError` if there is none, or its argument cannot be.
    pub(crate) fn parse(name: &str, argument: Option<Argument>) -> PyResult<Self> {
        Ok(match (name, argument) {
            ("text", Some(Argument::One(path))) => Self::Text(path),
            ("bytes", Some(Argument::One(path))) => Self::Bytes(path),
            ("texts", Some(Argument::Many(paths))) => Self::Texts(paths),
            ("list", Some(Argument::One(path))) => Self::List(path),
            ("tags", None) => Self::Tags,
            ("block-devices", None) => Self::BlockDevices,
            ("interfaces", None) => Self::Interfaces,
            ("public-keys", None) => Self::PublicKeys,
            ("role-name", None) => Self::RoleName,
            ("user-data", None) => Self::UserData,
            ("identity", None) => Self::Identity(SignatureKind::Rsa2048, None),
            ("identity", Some(Argument::Bytes(certificate))) => {
                let certificate = Certificate::parse(&certificate).map_err(|error| {
                    PyValueError::new_err(format!("the certificate cannot be used: {error}"))
                })?;
                Self::Identity(SignatureKind::Rsa2048, Some(Box::new(certificate)))
            }
            (name, argument) => {
                let role = match argument {
                    Some(Argument::One(role)) => Some(role),
                    _ => None,
                };
                let wrong = || PyValueError::new_err(format!("`{name}` cannot be asked for so"));
                Self::Document(Document::parse(name, role).ok_or_else(wrong)?)
            }
        })
    }
}

/// A request, blocking where nothing follows `client`, in a task where `.await` does.
macro_rules! perform {
    ($client:ident, $request:ident, $deadline:ident, $($wait:tt)*) => {
        Ok(match $request {
            Request::Text(path) => Reply::Text($client.get(path)$($wait)*?.text()?.to_owned()),
            Request::Bytes(path) => Reply::Bytes($client.get(path)$($wait)*?.into_bytes()),
            Request::Texts(paths) => {
                let client = $client.with_timeout($deadline);
                let mut texts = Vec::new();
                for path in paths {
                    texts.push(text(client.get(path)$($wait)*)?);
                }
                Reply::OptionalTexts(texts)
            }
            Request::List(path) => Reply::Entries($client.list(path)$($wait)*?),
            Request::Tags => Reply::Texts($client.tags()$($wait)*?),
            Request::BlockDevices => Reply::Texts($client.block_devices()$($wait)*?),
            Request::Interfaces => Reply::Interfaces($client.interfaces()$($wait)*?),
            Request::PublicKeys => Reply::PublicKeys($client.public_keys()$($wait)*?),
            Request::RoleName => Reply::OptionalText($client.role_name()$($wait)*?),
            Request::UserData => Reply::OptionalBytes($client.user_data()$($wait)*?),
            Request::Identity(kind, certificate) => {
                let client = $client.with_timeout($deadline);
                let signature = client.get(signature_path(kind)?)$($wait)*?;
                let document = client.get(MetadataPath::from_static(well_known::IDENTITY_DOCUMENT))$($wait)*?;
                Reply::Verified(Box::new(verified(kind, &signature, &document, certificate.as_deref())?))
            }
            Request::Document(document) => Reply::Document(match document {
                Document::Identity => $client.identity_document()$($wait)*?.into(),
                Document::IamInfo => $client.iam_info()$($wait)*?.into(),
                Document::InstanceCredentials => $client.instance_credentials()$($wait)*?.into(),
                Document::RoleCredentials(role) => $client.role_credentials(&role)$($wait)*?.into(),
                Document::IdentityCredentials => $client.identity_credentials()$($wait)*?.into(),
                Document::IdentityCredentialsInfo => $client.identity_credentials_info()$($wait)*?.into(),
                Document::SpotInstanceAction => $client.spot_instance_action()$($wait)*?.into(),
                Document::Rebalance => $client.rebalance_recommendation()$($wait)*?.into(),
                Document::ScheduledMaintenance => $client.scheduled_maintenance()$($wait)*?.into(),
                Document::MaintenanceHistory => $client.maintenance_history()$($wait)*?.into(),
            }),
        })
    };
}

/// Returns the reply to a request, and blocks until it is there.
pub(crate) fn blocking(client: &Client, request: Request, deadline: Duration) -> Result<Reply, Failure> {
    perform!(client, request, deadline,)
}

/// Returns the reply to a request.
pub(crate) async fn task(
    client: &AsyncClient,
    request: Request,
    deadline: Duration,
) -> Result<Reply, Failure> {
    perform!(client, request, deadline, .await)
}

/// Returns the text of a value, or `None` for a 404.
fn text(result: Result<Response, imds::Error>) -> Result<Option<String>, Failure> {
    match result {
        Ok(response) => Ok(Some(response.text()?.to_owned())),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn signature_path(kind: SignatureKind) -> Result<MetadataPath, Failure> {
    Ok(MetadataPath::from_static("/latest/dynamic/instance-identity/").join(kind.name())?)
}

fn verified(
    kind: SignatureKind,
    signature: &Response,
    document: &Response,
    certificate: Option<&Certificate>,
) -> Result<Verified, Failure> {
    let evidence = Evidence { kind, signature: signature.bytes(), document: Some(document.bytes()) };
    let trust = certificate.map_or(Trust::Regions, Trust::Certificate);
    verify(&evidence, trust, SystemClock.wall()).map_err(Failure::Rejected)
}
