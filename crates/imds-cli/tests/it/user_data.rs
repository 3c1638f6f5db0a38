//! `imds user-data`: bytes as they are, unwrapped, and part by part.

use std::io::Write as _;

use base64::Engine as _;

use crate::world;

const SCRIPT: &[u8] = b"#!/bin/sh\necho secret-of-user-data\n";

fn run(data: &[u8], arguments: &[&str]) -> imds_testkit::CommandOutput {
    let emulator = crate::emulator().set("user-data", data).start().unwrap();
    world().imds(["user-data"].iter().chain(arguments)).endpoint(&emulator.endpoint()).run()
}

fn gzip(data: &[u8]) -> Vec<u8> {
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    packer.write_all(data).unwrap();
    packer.finish().unwrap()
}

#[test]
fn byte_for_byte_and_unwrapped() {
    let bytes: Vec<u8> = (0..=255).chain([10, 10]).collect();
    let _ = run(&bytes, &[]).prints(&bytes);
    let packed = base64::engine::general_purpose::STANDARD.encode(gzip(SCRIPT));
    let _ = run(packed.as_bytes(), &[]).prints(&packed);
    let _ = run(packed.as_bytes(), &["--decode"]).prints(SCRIPT);
    let _ = run(&gzip(SCRIPT)[..20], &["--decode"]).fails_with(1).says("the user data are broken gzip");
}

#[test]
fn nothing_given_is_not_an_empty_value() {
    let emulator = crate::emulator().unset("user-data").start().unwrap();
    let out = world().imds(["user-data"]).endpoint(&emulator.endpoint()).run();
    let _ = out.fails_with(3).says("error: the instance was launched without user data\n");
    let _ = run(b"", &[]).prints("");
}

#[test]
fn parts_are_listed_and_extracted() {
    let document = "Content-Type: multipart/mixed; boundary=B\nMIME-Version: 1.0\n\n--B\nContent-Type: text/cloud-config\n\
        Content-Disposition: attachment; filename=\"cloud.yaml\"\n\n#cloud-config\n--B\nContent-Type: text/x-shellscript\n\n\
        #!/bin/sh\n--B--\n";
    let packed = gzip(document.as_bytes());
    let _ = run(&packed, &["--part"])
        .prints("1\ttext/cloud-config\t13\tcloud.yaml\n2\ttext/x-shellscript\t9\t-\n");
    for part in ["1", "cloud.yaml", "text/cloud-config"] {
        let _ = run(&packed, &["--part", part]).prints("#cloud-config");
    }
    let _ = run(&packed, &["--part", "3"]).fails_with(3).says("the user data have no part `3`");
    let _ = run(SCRIPT, &["--part"]).fails_with(1).says("has no MIME parts");
}
