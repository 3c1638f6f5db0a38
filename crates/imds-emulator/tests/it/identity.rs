//! The identity document's signatures are verified by the verifier, which knows nothing of the emulator.

use imds_emulator::Emulator;
use imds_identity::{Certificate, Evidence, SignatureKind, Trust, verify};

use crate::raw::{body, get, status};

#[test]
fn every_signature_verifies() {
    let emulator = Emulator::builder().start().unwrap();
    let read = |name: &str| {
        let answer = get(&emulator, &format!("/latest/dynamic/instance-identity/{name}"), "");
        assert_eq!(status(&answer), 200, "{answer}");
        body(&answer).to_owned()
    };
    assert_eq!(read(""), "rsa2048\npkcs7\ndocument\nsignature\n");
    let certificates = emulator.service().certificates().unwrap();
    let now = std::time::UNIX_EPOCH + std::time::Duration::from_secs(4_000_000_000);
    let document = read("document");
    for (kind, name, pem) in [
        (SignatureKind::Signature, "signature", &certificates.signature),
        (SignatureKind::Rsa2048, "rsa2048", &certificates.rsa2048),
        (SignatureKind::Pkcs7, "pkcs7", &certificates.signature),
    ] {
        let certificate = Certificate::parse(pem.as_bytes()).unwrap();
        let signature = read(name);
        assert!(signature.lines().all(|line| line.len() <= 76) && !signature.ends_with('\n'));
        let evidence =
            Evidence { kind, signature: signature.as_bytes(), document: Some(document.as_bytes()) };
        let verified = verify(&evidence, Trust::Certificate(&certificate), now)
            .unwrap_or_else(|rejection| panic!("{name}: {rejection}"));
        assert_eq!((verified.document(), verified.region()), (document.as_bytes(), "us-east-1"));
    }
}

#[test]
fn another_run_signs_with_other_keys() {
    let [one, two] = [(); 2].map(|()| Emulator::builder().start().unwrap());
    let certificate = |emulator: &Emulator| emulator.service().certificates().unwrap().signature;
    assert_ne!(certificate(&one), certificate(&two));
}
