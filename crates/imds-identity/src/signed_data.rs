//! The CMS (PKCS #7) structure that `rsa2048` and `pkcs7` are (RFC 5652): one signer, the document
//! embedded, no certificates.
//!
//! Only what the service sends is accepted. Fields that no signature covers, such as certificates
//! and unsigned attributes, are refused and not skipped, so that nothing in an accepted structure
//! can mislead another reader of it.

use der::Decode as _;
use der::asn1::ObjectIdentifier;
use x509_cert::name::Name;
use x509_cert::serial_number::SerialNumber;
use x509_cert::time::Time;

use crate::ber::{self, Element};
use crate::key::DigestAlgorithm;
use crate::kind::SignatureKind;
use crate::rejection::Rejection;

const ID_DATA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.7.1");
const ID_SIGNED_DATA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.7.2");
const CONTENT_TYPE: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.3");
const MESSAGE_DIGEST: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.4");
const SIGNING_TIME: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.5");
const SHA_1: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.14.3.2.26");
const SHA_256: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.1");
const SHA_384: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.2");
const SHA_512: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.3");

const INTEGER: u8 = 0x02;
const OCTET_STRING: u8 = 0x04;
const OID: u8 = 0x06;
const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
/// `[0]`, constructed.
const CONTEXT_0: u8 = 0xa0;

/// A signature with the document in it, taken apart but not judged.
pub(crate) struct Signed {
    document: Vec<u8>,
    issuer: Name,
    serial_number: SerialNumber,
    digest_algorithm: DigestAlgorithm,
    attributes: Option<Attributes>,
    signature: Vec<u8>,
}

/// What is signed instead of the document: attributes, one of which is the document's digest (RFC
/// 5652, 5.4).
struct Attributes {
    der: Vec<u8>,
    message_digest: Vec<u8>,
    signing_time: Option<String>,
}

/// What is wrong with a structure.
type Wrong = &'static str;

impl Signed {
    pub(crate) fn parse(kind: SignatureKind, bytes: &[u8]) -> Result<Self, Rejection> {
        let malformed = |what: Wrong| Rejection::malformed(kind, what);
        let der = ber::to_der(bytes).map_err(|error| Rejection::ber(kind, error))?;
        let (document, digest_algorithms, signer) = signed_data(&der).map_err(malformed)?;
        let mut fields = Fields::of(signer, SEQUENCE, "not exactly one signer").map_err(malformed)?;
        version(&mut fields).map_err(malformed)?;
        let (issuer, serial_number) = signer_name(&mut fields).map_err(malformed)?;
        let digest = fields.next(SEQUENCE, "the signer has no digest algorithm").map_err(malformed)?;
        let digest_algorithm = digest_algorithm(kind, digest)?;
        if algorithm_oid(digest_algorithms).ok() != algorithm_oid(digest).ok() {
            return Err(malformed("its digest algorithms do not agree"));
        }
        let attributes = match fields.next_if(CONTEXT_0) {
            Some(set) => Some(attributes(set).map_err(malformed)?),
            None => None,
        };
        let algorithm = fields.next(SEQUENCE, "the signer has no signature algorithm").map_err(malformed)?;
        check_signature_algorithm(kind, algorithm)?;
        let signature = fields.next(OCTET_STRING, "the signer has no signature").map_err(malformed)?;
        fields.end("it has unsigned attributes").map_err(malformed)?;
        Ok(Self {
            document: document.to_vec(),
            issuer,
            serial_number,
            digest_algorithm,
            attributes,
            signature: signature.value.to_vec(),
        })
    }

    pub(crate) fn document(&self) -> &[u8] {
        &self.document
    }

    pub(crate) fn into_document(self) -> Vec<u8> {
        self.document
    }

    pub(crate) fn issuer(&self) -> &Name {
        &self.issuer
    }

    pub(crate) fn serial_number(&self) -> &SerialNumber {
        &self.serial_number
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

/// The elements of a constructed element, one after the other.
struct Fields<'a> {
    rest: &'a [u8],
}

impl<'a> Fields<'a> {
    fn of(element: Element<'a>, tag: u8, wrong: Wrong) -> Result<Self, Wrong> {
        if element.tag == tag { Ok(Self { rest: element.value }) } else { Err(wrong) }
    }

    fn next(&mut self, tag: u8, wrong: Wrong) -> Result<Element<'a>, Wrong> {
        self.next_if(tag).ok_or(wrong)
    }

    fn next_if(&mut self, tag: u8) -> Option<Element<'a>> {
        let (element, rest) = ber::first(self.rest)?;
        (element.tag == tag).then(|| {
            self.rest = rest;
            element
        })
    }

    /// The only element, of this tag.
    fn only(mut self, tag: u8, wrong: Wrong) -> Result<Element<'a>, Wrong> {
        let element = self.next(tag, wrong)?;
        self.end(wrong)?;
        Ok(element)
    }

    fn end(&self, wrong: Wrong) -> Result<(), Wrong> {
        if self.rest.is_empty() { Ok(()) } else { Err(wrong) }
    }
}

/// The document, the one digest algorithm, and the one signer of `ContentInfo` with `SignedData`.
fn signed_data(der: &[u8]) -> Result<(&[u8], Element<'_>, Element<'_>), Wrong> {
    const NO_CMS: Wrong = "not a CMS structure";
    const NO_SIGNED_DATA: Wrong = "not CMS signed data";
    let (outer, _) = ber::first(der).ok_or(NO_CMS)?;
    let mut outer = Fields::of(outer, SEQUENCE, NO_CMS)?;
    let content_type = outer.next(OID, NO_CMS)?;
    let content = outer.next(CONTEXT_0, NO_CMS)?;
    outer.end(NO_CMS)?;
    if oid(content_type) != Some(ID_SIGNED_DATA) {
        return Err(NO_SIGNED_DATA);
    }
    let content = Fields { rest: content.value }.only(SEQUENCE, NO_SIGNED_DATA)?;
    let mut data = Fields { rest: content.value };
    version(&mut data)?;
    let algorithms = data.next(SET, NO_SIGNED_DATA)?;
    let algorithm = Fields { rest: algorithms.value }.only(SEQUENCE, "not exactly one digest algorithm")?;
    let document = document(data.next(SEQUENCE, NO_SIGNED_DATA)?)?;
    let signers = data.next(SET, "it holds certificates or revocation lists, which AWS does not send")?;
    data.end(NO_SIGNED_DATA)?;
    let signer = Fields { rest: signers.value }.only(SEQUENCE, "not exactly one signer")?;
    Ok((document, algorithm, signer))
}

/// Version 1: the signer is named by issuer and serial number (RFC 5652, 5.1 and 5.3).
fn version(fields: &mut Fields<'_>) -> Result<(), Wrong> {
    const WRONG: Wrong = "its version is not 1";
    let version = fields.next(INTEGER, WRONG)?;
    if version.value == [1] { Ok(()) } else { Err(WRONG) }
}

fn document(element: Element<'_>) -> Result<&[u8], Wrong> {
    const NONE: Wrong = "no document inside";
    let mut content = Fields { rest: element.value };
    if oid(content.next(OID, NONE)?) != Some(ID_DATA) {
        return Err("its content is not a document");
    }
    let explicit = content.next(CONTEXT_0, NONE)?;
    content.end(NONE)?;
    Ok(Fields { rest: explicit.value }.only(OCTET_STRING, NONE)?.value)
}

fn signer_name(fields: &mut Fields<'_>) -> Result<(Name, SerialNumber), Wrong> {
    const WRONG: Wrong = "the signer is not named by issuer and serial number";
    let mut names = Fields { rest: fields.next(SEQUENCE, WRONG)?.value };
    let issuer = Name::from_der(names.next(SEQUENCE, WRONG)?.whole).map_err(|_| WRONG)?;
    let serial = SerialNumber::from_der(names.next(INTEGER, WRONG)?.whole).map_err(|_| WRONG)?;
    names.end(WRONG)?;
    Ok((issuer, serial))
}

fn oid(element: Element<'_>) -> Option<ObjectIdentifier> {
    ObjectIdentifier::from_der(element.whole).ok()
}

/// The identifier of an `AlgorithmIdentifier`, whose parameters are NULL or absent.
fn algorithm_oid(element: Element<'_>) -> Result<ObjectIdentifier, Wrong> {
    const WRONG: Wrong = "an algorithm identifier is malformed";
    const NULL: u8 = 0x05;
    let mut fields = Fields { rest: element.value };
    let found = oid(fields.next(OID, WRONG)?).ok_or(WRONG)?;
    if fields.next_if(NULL).is_some_and(|null| !null.value.is_empty()) {
        return Err(WRONG);
    }
    fields.end(WRONG)?;
    Ok(found)
}

fn digest_algorithm(kind: SignatureKind, element: Element<'_>) -> Result<DigestAlgorithm, Rejection> {
    match algorithm_oid(element).map_err(|what| Rejection::malformed(kind, what))? {
        SHA_1 if kind == SignatureKind::Pkcs7 => Ok(DigestAlgorithm::Sha1),
        SHA_256 => Ok(DigestAlgorithm::Sha256),
        SHA_384 => Ok(DigestAlgorithm::Sha384),
        SHA_512 => Ok(DigestAlgorithm::Sha512),
        other => Err(Rejection::UnsupportedAlgorithm { kind, algorithm: other.to_string() }),
    }
}

/// The signature algorithm is not signed. The key and the digest decide what is verified; the name
/// must be one that fits them.
fn check_signature_algorithm(kind: SignatureKind, element: Element<'_>) -> Result<(), Rejection> {
    const KNOWN: [&str; 8] = [
        // rsaEncryption, and RSA with SHA-1, SHA-256, SHA-384, SHA-512.
        "1.2.840.113549.1.1.1",
        "1.2.840.113549.1.1.5",
        "1.2.840.113549.1.1.11",
        "1.2.840.113549.1.1.12",
        "1.2.840.113549.1.1.13",
        // DSA, and DSA with SHA-1 and SHA-256.
        "1.2.840.10040.4.1",
        "1.2.840.10040.4.3",
        "2.16.840.1.101.3.4.3.2",
    ];
    let found = algorithm_oid(element).map_err(|what| Rejection::malformed(kind, what))?.to_string();
    if KNOWN.contains(&found.as_str()) {
        return Ok(());
    }
    Err(Rejection::UnsupportedAlgorithm { kind, algorithm: found })
}

/// The signed attributes, as the SET OF in DER that the signature is over.
fn attributes(element: Element<'_>) -> Result<Attributes, Wrong> {
    const WRONG: Wrong = "its signed attributes are malformed";
    let mut fields = Fields { rest: element.value };
    let mut set = Vec::new();
    while !fields.rest.is_empty() {
        set.push(fields.next(SEQUENCE, WRONG)?);
    }
    if single(&set, CONTENT_TYPE)?.and_then(oid) != Some(ID_DATA) {
        return Err("its signed attributes are not about a document");
    }
    let digest = single(&set, MESSAGE_DIGEST)?.filter(|value| value.tag == OCTET_STRING);
    let message_digest = digest.ok_or("its signed attributes hold no message digest")?.value.to_vec();
    let signing_time = single(&set, SIGNING_TIME)?
        .map(|value| Time::from_der(value.whole).map(|time| time.to_date_time().to_string()))
        .transpose()
        .map_err(|_| WRONG)?;
    // DER orders a SET OF by the encodings of its elements (X.690, 11.6).
    let mut encodings: Vec<&[u8]> = set.iter().map(|attribute| attribute.whole).collect();
    encodings.sort_unstable();
    Ok(Attributes { der: ber::encode(SET, &encodings.concat()), message_digest, signing_time })
}

/// The one value of the one attribute with this identifier (RFC 5652, section 11 allows neither to
/// repeat).
fn single<'a>(set: &[Element<'a>], wanted: ObjectIdentifier) -> Result<Option<Element<'a>>, Wrong> {
    const WRONG: Wrong = "a signed attribute is malformed or repeated";
    let mut found = None;
    for attribute in set {
        let mut fields = Fields { rest: attribute.value };
        let is_wanted = oid(fields.next(OID, WRONG)?) == Some(wanted);
        let values = fields.next(SET, WRONG)?;
        fields.end(WRONG)?;
        if is_wanted {
            let (value, rest) = ber::first(values.value).ok_or(WRONG)?;
            if !rest.is_empty() || found.replace(value).is_some() {
                return Err(WRONG);
            }
        }
    }
    Ok(found)
}
