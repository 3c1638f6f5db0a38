//! `imds identity`: the document, and the verdict on it, from files and from the service.

use std::path::PathBuf;

use imds_emulator::Emulator;
use imds_testkit::{FaultServer, Invocation, TestEnvironment};
use serde_json::Value;

use crate::world;

/// A file of the identity crate's test data.
fn data(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../imds-identity/tests/data").join(name)
}

/// `imds identity verify` on files only: it needs no service, and must not look for one.
fn verify<'w>(world: &'w TestEnvironment, files: &[(&str, PathBuf)]) -> Invocation<'w> {
    let command = world.imds(["identity", "verify"]).disabled();
    files.iter().fold(command, |command, (option, file)| command.arg(option).arg(file))
}

#[test]
fn show_prints_the_document_byte_for_byte() {
    let emulator = Emulator::builder()
        .set("/latest/dynamic/instance-identity/document", "{\n  \"a\" : 1\n}")
        .start()
        .unwrap();
    for arguments in [&["identity"][..], &["identity", "show"]] {
        let output = world().imds(arguments).endpoint(&emulator.endpoint()).run().exits_with(0);
        assert_eq!(output.stdout(), "{\n  \"a\" : 1\n}");
    }
}

#[test]
fn published_documents_verify_without_a_service() {
    let world = world();
    for (option, signature, document) in [
        ("--rsa2048", "published/rsa2048", "published/document"),
        ("--signature", "published/signature", "published/document"),
        ("--pkcs7", "published/pkcs7", "published/dsa-document"),
    ] {
        let files = [(option, data(signature)), ("--document", data(document))];
        let output = verify(&world, &files).run().exits_with(0);
        let kind = option.trim_start_matches('-');
        assert!(
            output.stdout().starts_with(&format!("valid: `{kind}` of Region ap-southeast-2\n")),
            "{output}"
        );
    }
    let output =
        verify(&world, &[("--rsa2048", data("published/rsa2048"))]).arg("--output=json").run().exits_with(0);
    let value: Value = serde_json::from_str(output.stdout()).unwrap();
    assert_eq!(value["verdict"], "valid");
    assert_eq!(value["document"]["instanceId"], "i-0c5541936caf78c12");
    assert_eq!(value["signingTime"], "2026-02-16T00:38:28Z");
    assert_eq!(value["certificate"]["key"], "RSA-2048");
}

#[test]
fn each_fault_has_its_own_message() {
    let world = world();
    let write = |name: &str, bytes: &[u8]| {
        let path = world.root().join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    };
    let document = std::fs::read_to_string(data("made/document")).unwrap();
    let altered = write("altered", document.replace("us-west-2", "us-west-1").as_bytes());
    let ended = write("ended", format!("{document}\n").as_bytes());
    let signature = std::fs::read(data("made/rsa2048")).unwrap();
    let truncated = write("truncated", &signature[..400]);
    let own = data("made/rsa2048.pem");
    let rsa2048 = data("made/rsa2048");
    for (files, message) in [
        (
            vec![("--rsa2048", rsa2048.clone()), ("--certificate", own.clone()), ("--document", altered)],
            "error: the document was altered: it is not the one that `rsa2048` carries\n",
        ),
        (
            vec![("--rsa2048", rsa2048.clone()), ("--certificate", own.clone()), ("--document", ended)],
            "hint: `imds identity show > FILE` writes the document as it was signed\n",
        ),
        (vec![("--rsa2048", truncated), ("--certificate", own)], "error: `rsa2048` is truncated\n"),
        (
            vec![("--rsa2048", rsa2048.clone()), ("--certificate", data("made/other.pem"))],
            "error: `rsa2048` was made with the key of another certificate: serial `1001`, not serial `1002`\n",
        ),
        (
            vec![("--rsa2048", rsa2048)],
            "error: `rsa2048` was made with the key of another certificate: serial `1001`, not serial `b64bde5ad00924cc`\n",
        ),
    ] {
        let _ = verify(&world, &files).run().fails_with(1).says(message);
    }
}

#[test]
fn refusals_in_json() {
    let world = world();
    let files = [("--rsa2048", data("made/rsa2048")), ("--certificate", data("made/other.pem"))];
    let output = verify(&world, &files).arg("--output=json").run().exits_with(1);
    let value: Value = serde_json::from_str(output.stdout()).unwrap();
    assert_eq!(
        (value["valid"].as_bool(), value["verdict"].as_str()),
        (Some(false), Some("wrong-certificate"))
    );
    assert_eq!(output.stderr(), "");
}

#[test]
fn wrong_uses_are_told_before_anything_is_asked() {
    let world = world();
    let document = ("--document", data("made/document"));
    let _ = verify(&world, std::slice::from_ref(&document))
        .run()
        .fails_with(2)
        .says("error: `--document` comes without a signature\n");
    let _ = verify(&world, &[("--signature", data("made/signature"))]).run().fails_with(2).says("--document");
    let _ =
        verify(&world, &[("--rsa2048", data("nowhere"))]).run().fails_with(2).says("error: cannot read `");
    let _ = verify(&world, &[("--rsa2048", data("made/rsa2048")), ("--certificate", data("made/ec.pem"))])
        .run()
        .fails_with(2)
        .says("caused by: the certificate's key is neither RSA (1024 bits or more) nor DSA\n");
}

#[test]
fn document_and_signature_are_read_from_the_service() {
    let server = FaultServer::start();
    let read = |name: &str| std::fs::read(data(name)).unwrap();
    let path = |name: &str| format!("/latest/dynamic/instance-identity/{name}");
    server.at(&path("document"), imds_testkit::Behaviour::Serve(read("published/document")));
    for kind in ["rsa2048", "signature"] {
        server.at(&path(kind), imds_testkit::Behaviour::Serve(read(&format!("published/{kind}"))));
        let output = world()
            .imds(["identity", "verify", "--kind", kind])
            .endpoint(&server.endpoint())
            .run()
            .exits_with(0);
        assert!(
            output.stdout().starts_with(&format!("valid: `{kind}` of Region ap-southeast-2\n")),
            "{output}"
        );
    }
}
