//! Documents signed by a test CA (`tests/data/make.sh`): each way of being wrong has its own
//! rejection.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use imds_identity::SignatureKind::{Pkcs7, Rsa2048, Signature};
use imds_identity::{Certificate, CertificateError, Trust};
use proptest::prelude::*;

use crate::{certificate, data, judge, refusal};

fn bytes(name: &str) -> Vec<u8> {
    let text: Vec<u8> = data(name).into_iter().filter(|byte| *byte != b'\n').collect();
    STANDARD.decode(text).unwrap()
}

fn text(bytes: &[u8]) -> Vec<u8> {
    STANDARD.encode(bytes).into_bytes()
}

fn position(haystack: &[u8], needle: &[u8]) -> usize {
    haystack.windows(needle.len()).position(|window| window == needle).unwrap()
}

#[test]
fn good_ones_verify() {
    let document = data("made/document");
    for (kind, signature, pem) in [
        (Rsa2048, "made/rsa2048", "made/rsa2048.pem"),
        (Rsa2048, "made/rsa2048-definite", "made/rsa2048.pem"),
        (Rsa2048, "made/rsa2048-without-attributes", "made/rsa2048.pem"),
        (Signature, "made/signature", "made/rsa1024.pem"),
        (Pkcs7, "made/pkcs7", "made/dsa.pem"),
        (Pkcs7, "made/rsa2048", "made/rsa2048.pem"),
    ] {
        let certificate = certificate(pem);
        let verified =
            judge(kind, &data(signature), Some(&document), Trust::Certificate(&certificate)).unwrap();
        assert_eq!(verified.document(), document, "{signature}");
        assert_eq!(verified.region(), "us-west-2");
        assert_eq!(verified.certificate(), &certificate);
    }
}

#[test]
fn pem_lines_around_the_signature_are_fine() {
    let mut text = b"-----BEGIN PKCS7-----\n".to_vec();
    text.extend(data("made/rsa2048"));
    text.extend(b"-----END PKCS7-----\n");
    let certificate = certificate("made/rsa2048.pem");
    let verified = judge(Rsa2048, &text, None, Trust::Certificate(&certificate)).unwrap();
    assert_eq!(verified.document(), data("made/document"));
}

#[test]
fn a_flipped_byte_in_the_document() {
    let mut document = data("made/document");
    let last = document.len() - 2;
    document[last] ^= 1;
    for (kind, signature, pem, message) in [
        (
            Rsa2048,
            "made/rsa2048",
            "made/rsa2048.pem",
            "the document was altered: it is not the one that `rsa2048` carries",
        ),
        (
            Pkcs7,
            "made/pkcs7",
            "made/dsa.pem",
            "the document was altered: it is not the one that `pkcs7` carries",
        ),
        (
            Signature,
            "made/signature",
            "made/rsa1024.pem",
            "the document was altered: `signature` is a good signature of another document",
        ),
    ] {
        let certificate = certificate(pem);
        assert_eq!(
            refusal(kind, &data(signature), Some(&document), Trust::Certificate(&certificate)),
            ("altered-document", message.to_owned())
        );
    }
}

#[test]
fn white_space_that_an_editor_added_is_named() {
    let mut document = data("made/document");
    document.push(b'\n');
    let certificate = certificate("made/rsa2048.pem");
    assert_eq!(
        refusal(Rsa2048, &data("made/rsa2048"), Some(&document), Trust::Certificate(&certificate)).1,
        "the document was altered: it is the one that `rsa2048` carries but for white space at its end"
    );
}

#[test]
fn a_flipped_byte_in_the_document_inside() {
    for (kind, name, pem) in [
        (Rsa2048, "made/rsa2048", "made/rsa2048.pem"),
        (Rsa2048, "made/rsa2048-without-attributes", "made/rsa2048.pem"),
        (Pkcs7, "made/pkcs7", "made/dsa.pem"),
    ] {
        let mut signature = bytes(name);
        let at = position(&signature, b"us-west-2");
        signature[at] = b'v';
        let certificate = certificate(pem);
        assert_eq!(
            refusal(kind, &text(&signature), None, Trust::Certificate(&certificate)),
            (
                "altered-document",
                format!("the document was altered: `{kind}` is a good signature of another document")
            ),
            "{name}"
        );
    }
}

#[test]
fn a_flipped_byte_in_the_signature() {
    let document = data("made/document");
    for (kind, name, pem, expected) in [
        (Rsa2048, "made/rsa2048", "made/rsa2048.pem", ("altered-signature", "`rsa2048` was altered")),
        (Pkcs7, "made/pkcs7", "made/dsa.pem", ("altered-signature", "`pkcs7` was altered")),
        (
            Signature,
            "made/signature",
            "made/rsa1024.pem",
            ("signature-mismatch", "`signature` was altered, or made with the key of another certificate"),
        ),
    ] {
        let mut signature = bytes(name);
        // In CMS the signature's own bytes come last, before the ends of the indefinite lengths.
        let end = signature.iter().rposition(|byte| *byte != 0).unwrap();
        signature[end - 4] ^= 0x10;
        let certificate = certificate(pem);
        let (name, message) =
            refusal(kind, &text(&signature), Some(&document), Trust::Certificate(&certificate));
        assert_eq!((name, message.as_str()), expected);
    }
}

#[test]
fn a_flipped_byte_in_the_signed_digest_is_not_blamed_on_the_document() {
    let mut signature = bytes("made/rsa2048");
    // The message digest attribute: OID 1.2.840.113549.1.9.4, SET, OCTET STRING of 32 bytes.
    let at =
        position(&signature, &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x04, 0x31, 0x22, 0x04, 0x20]);
    signature[at + 20] ^= 1;
    let certificate = certificate("made/rsa2048.pem");
    assert_eq!(
        refusal(Rsa2048, &text(&signature), None, Trust::Certificate(&certificate)),
        ("altered-signature", "`rsa2048` was altered".to_owned())
    );
}

#[test]
fn a_swapped_certificate() {
    let other = certificate("made/other.pem");
    assert_eq!(
        refusal(Rsa2048, &data("made/rsa2048"), None, Trust::Certificate(&other)),
        (
            "wrong-certificate",
            "`rsa2048` was made with the key of another certificate: serial `1001`, not serial `1002`"
                .to_owned()
        )
    );
    assert_eq!(
        refusal(Rsa2048, &data("made/rsa2048"), None, Trust::Regions),
        (
            "wrong-certificate",
            "`rsa2048` was made with the key of another certificate: serial `1001`, not serial \
             `b64bde5ad00924cc`"
                .to_owned()
        )
    );
    let other = certificate("made/other1024.pem");
    assert_eq!(
        refusal(Signature, &data("made/signature"), Some(&data("made/document")), Trust::Certificate(&other))
            .0,
        "signature-mismatch"
    );
}

#[test]
fn a_truncated_signature() {
    for (kind, name, pem) in [
        (Rsa2048, "made/rsa2048", "made/rsa2048.pem"),
        (Rsa2048, "made/rsa2048-definite", "made/rsa2048.pem"),
        (Pkcs7, "made/pkcs7", "made/dsa.pem"),
        (Signature, "made/signature", "made/rsa1024.pem"),
    ] {
        let (certificate, whole, document) = (certificate(pem), data(name), data("made/document"));
        let whole = whole.trim_ascii_end();
        // `=` at the end may go without loss, so at least four characters go.
        for cut in 4..whole.len() {
            let part = &whole[..whole.len() - cut];
            assert_eq!(
                refusal(kind, part, Some(&document), Trust::Certificate(&certificate)),
                ("truncated-signature", format!("`{kind}` is truncated")),
                "{name} without its last {cut} characters"
            );
        }
    }
}

#[test]
fn what_is_no_signature_at_all() {
    let certificate = certificate("made/rsa2048.pem");
    for (signature, message) in [
        (&b"<html>not found</html>"[..], "`rsa2048` is not base64 text"),
        (&data("made/signature"), "`rsa2048` is malformed: bytes follow its outermost ASN.1 element"),
        (b"MAA=", "`rsa2048` is malformed: not a CMS structure"),
        (&data("made/detached"), "`rsa2048` is malformed: no document inside"),
        (
            &data("made/rsa2048-sha1"),
            "`rsa2048` uses algorithm `1.3.14.3.2.26`, which AWS does not sign documents with",
        ),
    ] {
        let (name, found) = refusal(Rsa2048, signature, None, Trust::Certificate(&certificate));
        if signature == data("made/signature") {
            // Random bytes: whatever they look like, they are malformed.
            assert!(["malformed-signature", "truncated-signature"].contains(&name), "{name}");
        } else {
            assert_eq!(found, message);
        }
    }
}

#[test]
fn certificates_that_cannot_be_used() {
    assert_eq!(Certificate::parse(&data("made/ec.pem")), Err(CertificateError::Key));
    assert_eq!(Certificate::parse(b"hello"), Err(CertificateError::Malformed));
    assert_eq!(Certificate::parse(b""), Err(CertificateError::Malformed));
    assert_eq!(CertificateError::Malformed.to_string(), "not an X.509 certificate in PEM or DER");
    let certificate = certificate("made/rsa2048.pem");
    assert_eq!(Certificate::parse(certificate.der()), Ok(certificate));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// A flip anywhere is refused: never believed, never a panic.
    #[test]
    fn any_flip_is_refused(at in any::<prop::sample::Index>(), bit in 0u8..8) {
        for (kind, name, pem) in
            [(Rsa2048, "made/rsa2048", "made/rsa2048.pem"), (Pkcs7, "made/pkcs7", "made/dsa.pem")]
        {
            let mut signature = bytes(name);
            let at = at.index(signature.len());
            signature[at] ^= 1 << bit;
            let certificate = certificate(pem);
            let result = judge(kind, &text(&signature), None, Trust::Certificate(&certificate));
            if let Ok(verified) = result {
                // Versions and unsigned algorithm names are not covered by the signature; the
                // document always is.
                prop_assert_eq!(verified.document(), data("made/document"));
            }
        }
    }

    #[test]
    fn any_certificate_bytes_end_in_an_answer(at in any::<prop::sample::Index>(), value in any::<u8>()) {
        for pem in ["made/dsa.pem", "made/rsa2048.pem"] {
            let mut der = certificate(pem).der().to_vec();
            let at = at.index(der.len());
            der[at] = value;
            if let Ok(certificate) = Certificate::parse(&der) {
                let _result = judge(Pkcs7, &data("made/pkcs7"), None, Trust::Certificate(&certificate));
            }
        }
    }
}
