//! `imds identity`: the document, and its verification, from files and from the service.

use std::path::PathBuf;

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
    let emulator = crate::emulator()
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
    assert_eq!(value["result"], "valid");
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
            vec![("--rsa2048", rsa2048.clone()), ("--certificate", data("made/expired.pem"))],
            "error: the signature is good, but its certificate expired at 2021-01-01T00:00:00Z\n",
        ),
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
        (value["valid"].as_bool(), value["result"].as_str()),
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

/// What an emulator serves, in files, with the certificates of its run.
struct Signed {
    world: TestEnvironment,
}

impl Signed {
    fn new() -> Self {
        let (world, emulator) = (world(), crate::emulator().start().unwrap());
        // First, since this makes the keys, however long that takes on a busy machine.
        let certificates = emulator.service().certificates().unwrap();
        for name in ["document", "rsa2048", "signature", "pkcs7"] {
            let path = format!("dynamic/instance-identity/{name}");
            // The end of a signature may look like a session token.
            let output = world.get(&path, &emulator.endpoint()).prints_secrets().run().exits_with(0);
            std::fs::write(world.root().join(name), output.stdout_bytes()).unwrap();
        }
        std::fs::write(world.root().join("rsa2048.pem"), certificates.rsa2048).unwrap();
        std::fs::write(world.root().join("signature.pem"), certificates.signature).unwrap();
        std::fs::write(world.root().join("pkcs7.pem"), certificates.pkcs7).unwrap();
        Self { world }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.world.root().join(name)
    }

    /// A copy of a file with one byte flipped; of a signature, the byte is one of what its base64
    /// says.
    fn flipped(&self, name: &str) -> PathBuf {
        let mut bytes = std::fs::read(self.file(name)).unwrap();
        let at = match name {
            "document" => bytes.len() - 10,
            // The last lines of CMS hold the signature's own bytes.
            _ => bytes.len() - 40,
        };
        bytes[at] = if bytes[at] == b'B' { b'C' } else { b'B' };
        let path = self.file(&format!("{name}.flipped"));
        std::fs::write(&path, bytes).unwrap();
        path
    }

    fn verify(
        &self,
        kind: &str,
        signature: PathBuf,
        document: PathBuf,
        certificate: PathBuf,
    ) -> Invocation<'_> {
        let option = format!("--{kind}");
        verify(&self.world, &[(&option, signature), ("--document", document), ("--certificate", certificate)])
    }
}

#[test]
fn the_emulators_documents_verify_with_its_certificate_and_every_fault_is_named() {
    let (signed, other) = (Signed::new(), Signed::new());
    for kind in ["rsa2048", "signature", "pkcs7"] {
        let pem = format!("{kind}.pem");
        let (signature, document, certificate) =
            (signed.file(kind), signed.file("document"), signed.file(&pem));
        let good =
            signed.verify(kind, signature.clone(), document.clone(), certificate.clone()).run().exits_with(0);
        assert!(good.stdout().starts_with(&format!("valid: `{kind}` of Region us-east-1\n")), "{good}");

        let refused = |signature: PathBuf, document: PathBuf, certificate: PathBuf, message: &str| {
            let _ = signed.verify(kind, signature, document, certificate).run().fails_with(1).says(message);
        };
        refused(
            signature.clone(),
            signed.flipped("document"),
            certificate.clone(),
            "error: the document was altered: ",
        );
        refused(
            signed.flipped(kind),
            document.clone(),
            certificate.clone(),
            &format!("error: `{kind}` was altered"),
        );
        let mut cut = std::fs::read(&signature).unwrap();
        cut.truncate(cut.len() / 2);
        std::fs::write(signed.file("cut"), cut).unwrap();
        refused(
            signed.file("cut"),
            document.clone(),
            certificate,
            &format!("error: `{kind}` is truncated\n"),
        );
        let swapped = match kind {
            // A bare signature does not name its certificate.
            "signature" => "error: `signature` was altered, or made with the key of another certificate\n",
            _ => "was made with the key of another certificate: serial `",
        };
        refused(signature, document, other.file(&pem), swapped);
    }
}

/// With the certificates that the control API shows: by `imds`, and by OpenSSL with the commands of
/// the EC2 User Guide ("Verify the identity document").
#[test]
fn imds_and_openssl_verify_what_a_running_emulator_signs() {
    let script = "set -e
        curl -sf \"http://$IMDS_EMULATOR_CONTROL/v1/certificates\" >all
        for kind in authority rsa2048 signature pkcs7; do jq -r .$kind all >$kind.pem; done
        identity=dynamic/instance-identity
        imds get $identity/document >document
        for kind in rsa2048 signature pkcs7; do
            imds identity verify --kind $kind --certificate $kind.pem | grep -E '^(valid|certificate)' | cut -d, -f1
            openssl verify -CAfile authority.pem $kind.pem
        done
        for kind in rsa2048 pkcs7; do
            { echo '-----BEGIN PKCS7-----'; imds get $identity/$kind; echo; echo '-----END PKCS7-----'; } >$kind
            for tool in smime cms; do
                openssl $tool -verify -in $kind -inform PEM -certfile $kind.pem -noverify -out $kind.document 2>$kind.said
                cmp document $kind.document && echo \"openssl $tool: $kind: $(head -n 1 $kind.said)\"
                openssl $tool -verify -in $kind -inform PEM -certfile $kind.pem -CAfile authority.pem -purpose any \\
                    -out $kind.document 2>$kind.said
            done
        done
        imds get $identity/signature | base64 -d >signature.bytes
        openssl x509 -in signature.pem -pubkey -noout >signature.key
        openssl dgst -sha256 -verify signature.key -signature signature.bytes document";
    let world = world();
    let output = world
        .imds(["emulate", "--", "sh", "-c", &format!("cd '{}'; {script}", world.root().display())])
        .disabled()
        .run()
        .exits_with(0);
    let expected = "valid: `rsa2048` of Region us-east-1
certificate: RSA-2048
rsa2048.pem: OK
valid: `signature` of Region us-east-1
certificate: RSA-1024
signature.pem: OK
valid: `pkcs7` of Region us-east-1
certificate: DSA-1024
pkcs7.pem: OK
openssl smime: rsa2048: Verification successful
openssl cms: rsa2048: CMS Verification successful
openssl smime: pkcs7: Verification successful
openssl cms: pkcs7: CMS Verification successful
Verified OK
";
    assert_eq!(output.stdout(), expected, "{output}");
}
