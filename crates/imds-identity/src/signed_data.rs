//! The CMS (PKCS #7) structure that `rsa2048` and `pkcs7` are: one signer, the document embedded,
//! no certificates.

use cms::cert::IssuerAndSerialNumber;
use cms::content_info::ContentInfo;
use cms::signed_data::{SignedData, SignerIdentifier, SignerInfo};
use der::asn1::{ObjectIdentifier, OctetString};
use der::{Decode as _, Encode as _};
use x509_cert::attr::Attribute;
use x509_cert::time::Time;

use crate::ber;
use crate::key::DigestAlgorithm;
use crate::rejection::Rejection;
use crate::verify::SignatureKind;

const ID_DATA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.7.1");
const ID_SIGNED_DATA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.7.2");
const CONTENT_TYPE: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.3");
const MESSAGE_DIGEST: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.4");
const SIGNING_TIME: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.5");
const SHA_1: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.14.3.2.26");
const SHA_256: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.1");
const SHA_384: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.2");
const SHA_512: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.3");

/// A signature with the document in it, taken apart but not judged.
pub(crate) struct Signed {
    document: Vec<u8>,
    signer: IssuerAndSerialNumber,
    digest_algorithm: DigestAlgorithm,
    attributes: Option<Attributes>,
    signature: Vec<u8>,
}

/// What is signed in the document's place: attributes, one of which is the document's digest (RFC
/// 5652, 5.4).
struct Attributes {
    der: Vec<u8>,
    message_digest: Vec<u8>,
    signing_time: Option<String>,
}

impl Signed {
    pub(crate) fn parse(kind: SignatureKind, bytes: &[u8]) -> Result<Self, Rejection> {
        let malformed = |what: &str| Rejection::malformed(kind, what);
        let der = ber::to_der(bytes).map_err(|error| Rejection::ber(kind, error))?;
        let outer = ContentInfo::from_der(&der).map_err(|_| malformed("not a CMS structure"))?;
        if outer.content_type != ID_SIGNED_DATA {
            return Err(malformed("not CMS signed data"));
        }
        let data: SignedData = outer.content.decode_as().map_err(|_| malformed("not CMS signed data"))?;
        let document = data
            .encap_content_info
            .econtent
            .as_ref()
            .and_then(|content| content.decode_as::<OctetString>().ok())
            .ok_or_else(|| malformed("no document inside"))?
            .into_bytes()
            .into_vec();
        let [signer] = data.signer_infos.0.as_slice() else {
            return Err(malformed("not exactly one signer"));
        };
        let SignerIdentifier::IssuerAndSerialNumber(name) = &signer.sid else {
            return Err(malformed("the signer is not named by issuer and serial number"));
        };
        Ok(Self {
            document,
            signer: name.clone(),
            digest_algorithm: digest_algorithm(kind, signer)?,
            attributes: attributes(kind, signer)?,
            signature: signer.signature.as_bytes().to_vec(),
        })
    }

    pub(crate) fn document(&self) -> &[u8] {
        &self.document
    }

    pub(crate) fn into_document(self) -> Vec<u8> {
        self.document
    }

    pub(crate) fn signer(&self) -> &IssuerAndSerialNumber {
        &self.signer
    }

    pub(crate) fn digest_algorithm(&self) -> DigestAlgorithm {
        self.digest_algorithm
    }

    pub(crate) fn signature(&self) -> &[u8] {
        &self.signature
    }

    pub(crate) fn signing_time(&self) -> Option<&str> {
        self.attributes.as_ref()?.signing_time.as_deref()
    }

    /// The bytes that the signature is over.
    pub(crate) fn signed_bytes(&self) -> &[u8] {
        self.attributes.as_ref().map_or(&self.document, |attributes| &attributes.der)
    }

    /// Whether the document inside is the one whose digest the signed attributes hold. Without them
    /// the signature is over the document itself.
    pub(crate) fn is_of_its_document(&self) -> bool {
        self.attributes.as_ref().is_none_or(|attributes| {
            self.digest_algorithm.digest(&self.document) == attributes.message_digest
        })
    }
}

fn digest_algorithm(kind: SignatureKind, signer: &SignerInfo) -> Result<DigestAlgorithm, Rejection> {
    match signer.digest_alg.oid {
        SHA_1 if kind == SignatureKind::Pkcs7 => Ok(DigestAlgorithm::Sha1),
        SHA_256 => Ok(DigestAlgorithm::Sha256),
        SHA_384 => Ok(DigestAlgorithm::Sha384),
        SHA_512 => Ok(DigestAlgorithm::Sha512),
        other => Err(Rejection::UnsupportedAlgorithm { kind, algorithm: other.to_string() }),
    }
}

fn attributes(kind: SignatureKind, signer: &SignerInfo) -> Result<Option<Attributes>, Rejection> {
    let Some(set) = &signer.signed_attrs else { return Ok(None) };
    let malformed = |what: &str| Rejection::malformed(kind, what);
    let content_type: Option<ObjectIdentifier> = single(set.as_slice(), CONTENT_TYPE);
    if content_type != Some(ID_DATA) {
        return Err(malformed("its signed attributes are not about a document"));
    }
    let digest: OctetString = single(set.as_slice(), MESSAGE_DIGEST)
        .ok_or_else(|| malformed("its signed attributes hold no message digest"))?;
    Ok(Some(Attributes {
        der: set.to_der().map_err(|_| malformed("its signed attributes cannot be encoded"))?,
        message_digest: digest.into_bytes().into_vec(),
        signing_time: single::<Time>(set.as_slice(), SIGNING_TIME)
            .map(|time| time.to_date_time().to_string()),
    }))
}

/// The one value of the one attribute with this identifier (RFC 5652, section 11 allows neither to
/// repeat).
fn single<T>(attributes: &[Attribute], oid: ObjectIdentifier) -> Option<T>
where
    T: for<'a> der::Decode<'a, Error = der::Error> + der::Tagged + for<'a> der::DecodeValue<'a>,
{
    let mut matching = attributes.iter().filter(|attribute| attribute.oid == oid);
    let attribute = matching.next().filter(|_| matching.next().is_none())?;
    match attribute.values.as_slice() {
        [value] => T::from_der(&value.to_der().ok()?).ok(),
        _ => None,
    }
}
