//! The instance identity document in one call, with its signature verified.

use std::error::Error as _;

use imds::{AsyncClient, Certificate, Client, EmptyEnvironment, ErrorKind, Rejection};
use imds_testkit::{Answer, FaultServer};

const SIGNATURE: &str = "/latest/dynamic/instance-identity/rsa2048";

#[test]
fn both_clients_verify_what_the_emulator_signed() {
    let emulator = crate::emulator().set("instance-id", "i-00000000000000042").start().unwrap();
    let certificate =
        || Certificate::parse(emulator.service().certificates().unwrap().rsa2048.as_bytes()).unwrap();
    let builder = || Client::builder().environment(EmptyEnvironment).endpoint(emulator.endpoint()).no_store();
    let blocking = builder().identity_certificate(certificate()).build().unwrap();
    let identity = blocking.verified_identity().unwrap();
    assert_eq!(
        (identity.region(), identity.certificate().fingerprint()),
        ("us-east-1", certificate().fingerprint())
    );
    assert_eq!(identity.document(), &blocking.identity_document().unwrap());
    let document = blocking.get("dynamic/instance-identity/document").unwrap();
    assert_eq!(identity.bytes(), document.bytes());
    assert!(identity.signing_time().is_some());

    let tasks: AsyncClient = builder().identity_certificate(certificate()).build_async().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let again = runtime.block_on(tasks.verified_identity()).unwrap();
    assert_eq!(again.bytes(), identity.bytes());

    // AWS's own certificate of the Region did not make it.
    let error = builder().build().unwrap().verified_identity().unwrap_err();
    assert_eq!((error.kind(), error.is_retryable()), (ErrorKind::Untrusted, false));
    assert!(matches!(
        error.source().unwrap().downcast_ref::<Rejection>(),
        Some(Rejection::WrongCertificate { .. })
    ));
}

#[test]
fn what_is_no_signature_is_not_believed_and_absence_is_absence() {
    let server = FaultServer::start();
    let imds = Client::builder()
        .environment(EmptyEnvironment)
        .endpoint(server.endpoint())
        .no_store()
        .build()
        .unwrap();
    for (answer, kind) in [
        (Answer::ok("AAAA"), ErrorKind::Untrusted),
        (Answer::ok(""), ErrorKind::Untrusted),
        (Answer::ok("{\"region\": \"us-east-1\"}"), ErrorKind::Untrusted),
        (Answer::status(404), ErrorKind::NotFound),
        (Answer::status(403), ErrorKind::Forbidden),
    ] {
        server.at(SIGNATURE, answer);
        let error = imds.verified_identity().unwrap_err();
        assert_eq!((error.kind(), error.path().unwrap().as_str()), (kind, SIGNATURE), "{error}");
    }
}
