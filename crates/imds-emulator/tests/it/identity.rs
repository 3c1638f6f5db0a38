//! The identity document's signatures are verified by the verifier, which knows nothing of the
//! emulator.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use imds_emulator::{Emulator, Instance};
use imds_identity::{Certificate, Evidence, SignatureKind, Trust, verify};

use crate::raw::{body, get, status};

/// Every signature of an emulator in this Region, each with the key that it is verified with.
fn verified(region: &str) -> Vec<(&'static str, String)> {
    let mut instance = Instance::default();
    instance.placement.region = region.to_owned();
    instance.placement.availability_zone = format!("{region}a");
    instance.placement.availability_zone_id = None;
    if region.starts_with("cn-") {
        instance.services.partition = "aws-cn".to_owned();
    }
    let emulator = Emulator::builder().instance(instance).start().unwrap();
    let certificates = emulator.service().certificates().unwrap();
    let pkcs7 = if region.starts_with("cn-") { &certificates.pkcs7_china } else { &certificates.pkcs7 };
    let read = |name: &str| {
        let answer = get(&emulator, &format!("/latest/dynamic/instance-identity/{name}"), "");
        assert_eq!(status(&answer), 200, "{answer}");
        body(&answer).to_owned()
    };
    assert_eq!(read(""), "rsa2048\npkcs7\ndocument\nsignature\n");
    let now = std::time::UNIX_EPOCH + std::time::Duration::from_secs(4_000_000_000);
    let document = read("document");
    let kinds = [
        (SignatureKind::Signature, "signature", &certificates.signature),
        (SignatureKind::Rsa2048, "rsa2048", &certificates.rsa2048),
        (SignatureKind::Pkcs7, "pkcs7", pkcs7),
    ];
    let verified = kinds.map(|(kind, name, pem)| {
        let certificate = Certificate::parse(pem.as_bytes()).unwrap();
        let signature = read(name);
        assert!(signature.lines().all(|line| line.len() <= 76) && !signature.ends_with('\n'));
        let evidence =
            Evidence { kind, signature: signature.as_bytes(), document: Some(document.as_bytes()) };
        let verified = verify(&evidence, Trust::Certificate(&certificate), now)
            .unwrap_or_else(|rejection| panic!("{name}: {rejection}"));
        assert_eq!((verified.document(), verified.region()), (document.as_bytes(), region));
        (name, certificate.key_description())
    });
    verified.to_vec()
}

#[test]
fn every_signature_verifies_with_a_key_as_awss() {
    let keys = |pkcs7: &str| {
        [("signature", "RSA-1024"), ("rsa2048", "RSA-2048"), ("pkcs7", pkcs7)]
            .map(|(name, key)| (name, key.to_owned()))
            .to_vec()
    };
    assert_eq!(verified("us-east-1"), keys("DSA-1024"));
    assert_eq!(verified("cn-north-1"), keys("RSA-2048"));
}

/// But for the names in it, `pkcs7` and `rsa2048` are made of the parts of a real one, in their
/// order.
#[test]
fn the_parts_are_those_of_a_published_document() {
    let emulator = Emulator::builder().start().unwrap();
    let _ = emulator.service().certificates().unwrap();
    for name in ["pkcs7", "rsa2048"] {
        let ours = body(&get(&emulator, &format!("/latest/dynamic/instance-identity/{name}"), "")).to_owned();
        let path = format!("{}/../imds-identity/tests/data/published/{name}", env!("CARGO_MANIFEST_DIR"));
        let published = std::fs::read_to_string(path).unwrap();
        assert_eq!(identifiers(&ours), identifiers(&published), "{name}");
    }
}

/// The object identifiers in a signature, those of distinguished names aside, and how long the
/// first bytes say it is.
fn identifiers(signature: &str) -> Vec<Vec<u8>> {
    let bytes = STANDARD.decode(signature.replace(char::is_whitespace, "")).unwrap();
    let mut found = vec![bytes[..2].to_vec()];
    // An identifier here is 3 to 9 bytes long and begins with 1.2, 1.3 or 2.16.
    for at in 0..bytes.len() - 11 {
        let length = usize::from(bytes[at + 1]);
        if bytes[at] == 6 && (5..=9).contains(&length) && matches!(bytes[at + 2], 0x2a | 0x2b | 0x60) {
            // With what follows it: `NULL`, or something else.
            let null = usize::from(bytes[at + 2 + length..].starts_with(&[5, 0])) * 2;
            found.push(bytes[at + 2..at + 2 + length + null].to_vec());
        }
    }
    found
}

#[test]
fn another_run_signs_with_other_keys() {
    let [one, two] = [(); 2].map(|()| Emulator::builder().start().unwrap());
    let certificate = |emulator: &Emulator| emulator.service().certificates().unwrap().signature;
    assert_ne!(certificate(&one), certificate(&two));
}
