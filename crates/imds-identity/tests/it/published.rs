//! Documents of real instances, as published, verify with AWS's own certificates.

use imds_identity::{Evidence, SignatureKind, Trust, verify};

use crate::{data, judge, refusal, year};

const CASES: [(SignatureKind, &str, &str, &str); 3] = [
    (SignatureKind::Rsa2048, "published/document", "published/rsa2048", "2026-02-16T00:38:28Z"),
    (SignatureKind::Signature, "published/document", "published/signature", ""),
    (SignatureKind::Pkcs7, "published/dsa-document", "published/pkcs7", "2026-03-21T06:25:01Z"),
];

#[test]
fn verify_with_the_regions_certificates() {
    for (kind, document, signature, signed) in CASES {
        let (document, signature) = (data(document), data(signature));
        let verified = judge(kind, &signature, Some(&document), Trust::Regions).unwrap();
        assert_eq!(verified.region(), "ap-southeast-2");
        assert_eq!(verified.document(), document);
        assert_eq!(verified.kind(), kind);
        assert_eq!(verified.signing_time().unwrap_or_default(), signed);
    }
}

#[test]
fn the_document_inside_is_enough() {
    for (kind, document, signature, _) in [CASES[0], CASES[2]] {
        let verified = judge(kind, &data(signature), None, Trust::Regions).unwrap();
        assert_eq!(verified.document(), data(document));
    }
    assert_eq!(
        refusal(SignatureKind::Signature, &data("published/signature"), None, Trust::Regions),
        ("no-document", "`signature` carries no document, and none was given".to_owned())
    );
}

#[test]
fn certificates_expire() {
    for (kind, document, signature, message) in [
        (SignatureKind::Rsa2048, "document", "rsa2048", "2195-01-17T15:21:43Z"),
        (SignatureKind::Signature, "document", "signature", "2029-04-28T15:21:43Z"),
        (SignatureKind::Pkcs7, "dsa-document", "pkcs7", "2038-01-05T12:56:12Z"),
    ] {
        let (document, signature) =
            (data(&format!("published/{document}")), data(&format!("published/{signature}")));
        let evidence = Evidence { kind, signature: &signature, document: Some(&document) };
        let rejection = verify(&evidence, Trust::Regions, year(2300)).unwrap_err();
        let year_of = |text: &str| text.rsplit(' ').next().map(|time| time[..4].to_owned());
        assert_eq!(rejection.name(), "expired-certificate");
        assert_eq!(year_of(&rejection.to_string()), year_of(message));
        let rejection = verify(&evidence, Trust::Regions, year(1990)).unwrap_err();
        assert_eq!(rejection.name(), "certificate-not-yet-valid");
    }
}

#[test]
fn every_flipped_byte_of_the_document_is_found() {
    let (document, signature) = (data("published/document"), data("published/signature"));
    for at in (0..document.len()).step_by(7) {
        let mut altered = document.clone();
        altered[at] ^= 0x01;
        let (name, message) = refusal(SignatureKind::Signature, &signature, Some(&altered), Trust::Regions);
        // Where the flip makes the document unreadable, or the Region another, that is what is
        // said.
        match name {
            "altered-document" => assert_eq!(
                message,
                "the document was altered: `signature` is a good signature of another document"
            ),
            "not-a-document" => assert_eq!(message, "the document is not JSON with a `region`"),
            "unknown-region" => {
                assert!(message.starts_with("no AWS certificate is known for Region `"), "{message}");
            }
            other => panic!("byte {at}: {other}: {message}"),
        }
    }
}

#[test]
fn another_region_claimed_is_found_out() {
    let document = String::from_utf8(data("published/document")).unwrap();
    let signature = data("published/signature");
    let claim = |region: &str| document.replace("\"ap-southeast-2\"", &format!("\"{region}\"")).into_bytes();
    assert_eq!(
        refusal(SignatureKind::Signature, &signature, Some(&claim("af-south-1")), Trust::Regions).1,
        "`signature` was made with the key of another certificate: AWS's for Region `ap-northeast-1` and \
         perhaps others, not serial `aba67d9891acdbc7`"
    );
    assert_eq!(
        refusal(SignatureKind::Signature, &signature, Some(&claim("moon-east-1")), Trust::Regions),
        ("unknown-region", "no AWS certificate is known for Region `moon-east-1`".to_owned())
    );
    let given = claim("us-east-1");
    assert_eq!(
        refusal(SignatureKind::Rsa2048, &data("published/rsa2048"), Some(&given), Trust::Regions),
        ("altered-document", "the document was altered: it is not the one that `rsa2048` carries".to_owned())
    );
}
