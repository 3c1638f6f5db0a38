//! No input ends the process, and none of it is called clean without having been read.

use std::io::Write as _;

use imds_lint::check::{self, Settings};
use imds_lint::extract::kind::Kind;
use imds_lint::fix::{Style, apply};

use crate::corpus;

/// A linear congruential generator (Numerical Recipes), so that a failure can be run again.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % bound.max(1)
    }
}

/// Every edit must lie within the file and on the borders of characters.
fn check_all(name: &str, bytes: &[u8]) {
    for style in [Style::Imds, Style::Curl] {
        let checked = check::check(name, bytes, Settings { style });
        for finding in &checked.findings {
            let text = checked.text.get(finding.span.clone());
            assert!(text.is_some() || checked.text.is_empty(), "{name}: {finding:?}");
            for edit in &finding.edits {
                assert!(checked.text.get(edit.span.clone()).is_some(), "{name}: {edit:?}");
            }
        }
        let groups: Vec<_> = checked.findings.iter().map(|finding| finding.edits.as_slice()).collect();
        let _ = apply::apply(&checked.text, &apply::choose(&groups));
    }
}

#[test]
fn damaged_snippets_of_every_kind_are_survived() {
    let pieces: [&[u8]; 16] = [
        b"'",
        b"\"",
        b"`",
        b"$(",
        b"${",
        b")",
        b"}",
        b"\\",
        b"\n",
        b"<<EOF\n",
        b"\xff",
        b"\0",
        "é".as_bytes(),
        b"{{",
        b"|",
        b": ",
    ];
    let mut random = Random(1);
    for snippet in corpus::snippets() {
        let text = snippet.text.as_bytes();
        for _ in 0..12 {
            let mut damaged = text.to_vec();
            for _ in 0..=random.below(3) {
                let at = random.below(damaged.len() + 1);
                match random.below(3) {
                    0 => damaged.truncate(at),
                    1 => {
                        let piece = pieces[random.below(pieces.len())];
                        damaged.splice(at..at, piece.iter().copied());
                    }
                    _ => {
                        let end = (at + random.below(20)).min(damaged.len());
                        damaged.drain(at..end);
                    }
                }
            }
            check_all(&snippet.name, &damaged);
        }
    }
}

const KINDS: [&str; 14] = [
    "x.sh",
    "x.sh.tftpl",
    "x.ps1",
    "x.py",
    "x.js",
    "x.go",
    "x.rb",
    "x.java",
    "Dockerfile",
    "x.tf",
    "x.yaml",
    "x.json",
    "requirements.txt",
    "pom.xml",
];

#[test]
fn nesting_length_and_repetition_without_end_are_refused_or_read_but_never_fatal() {
    let address = "http://169.254.169.254/latest/";
    let openings = ["$(", "(", "[", "{", "{a: ", "- ", "if a; then ", "\"${", "`", "<<A\n", "a{\n", "!", "-"];
    for name in KINDS {
        for opening in openings {
            for count in [200, 3_000] {
                let text = format!("{address}\n{}{address}", opening.repeat(count));
                check_all(name, text.as_bytes());
            }
        }
    }
}

#[test]
fn an_address_in_what_could_not_be_parsed_is_reported() {
    let unread = |name: &str, text: &str| {
        check::check(name, text.as_bytes(), Settings::default())
            .unread
            .into_iter()
            .map(|unread| unread.reason)
            .collect::<Vec<_>>()
    };
    let deep = format!("x=169.254.169.254\n{}", "$(".repeat(1_000));
    assert_eq!(unread("x.sh", &deep), ["nested more than 400 deep"]);
    assert_eq!(
        unread("x.sh", "case x in\n curl http://169.254.169.254/\n"),
        ["could not be parsed as shell"]
    );
    assert_eq!(unread("x.json", "{\"a\": \"169.254.169.254\" \"b\" ]"), ["could not be parsed as JSON"]);
    assert_eq!(unread("x.yaml", "a: [169.254.169.254\nb: }\n"), ["could not be parsed as YAML"]);
    assert_eq!(unread("x.sh", "echo hello"), [""; 0]);
    let large = format!("curl http://169.254.169.254/\n{}", "#".repeat(5 << 20));
    assert_eq!(unread("x.sh", &large), ["larger than 4194304 bytes"]);
    let utf16: Vec<u8> = [0xfeff_u16]
        .into_iter()
        .chain("irm http://169.254.169.254/".encode_utf16())
        .flat_map(u16::to_le_bytes)
        .collect();
    let checked = check::check("x.ps1", &utf16, Settings::default());
    assert_eq!(checked.unread.len(), 1, "{checked:?}");
}

#[test]
fn gzip_is_expanded_within_bounds_and_what_is_inside_is_found() {
    let compress = |text: &[u8]| {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    };
    let script = b"#!/bin/sh\ncurl -sf -m 2 http://169.254.169.254/latest/meta-data/instance-id\n";
    let checked = check::check("user-data", &compress(script), Settings::default());
    let found: Vec<_> =
        checked.findings.iter().map(|finding| (finding.rule().id, finding.inner_line)).collect();
    assert_eq!(found, [("imdsv1-request", Some(2))]);
    let mut large = script.to_vec();
    large.resize(64 << 20, b'#');
    let bomb = compress(&large);
    let checked = check::check("user-data", &bomb, Settings::default());
    assert_eq!(checked.unread[0].reason, "gzip data expands to more than 1048576 bytes");
    let nested = compress(&compress(script));
    let checked = check::check("user-data", &nested, Settings::default());
    assert_eq!(checked.unread.len(), 1, "{checked:?}");
}

#[test]
fn every_kind_has_a_reader() {
    // A kind that nothing reads would be clean whatever it says.
    let v1 = |kind: Kind, text: &str| {
        !check::check_as(kind, text.as_bytes(), Settings::default()).findings.is_empty()
    };
    assert!(v1(Kind::Python, "import requests\nrequests.get('http://169.254.169.254/latest/')"));
    assert!(v1(Kind::JavaScript, "fetch('http://169.254.169.254/latest/')"));
    assert!(v1(Kind::PowerShell, "irm http://169.254.169.254/latest/"));
    assert!(v1(
        Kind::Java,
        "class A { void f() { new URL(\"http://169.254.169.254/latest/\").openStream(); } }"
    ));
    assert!(v1(Kind::Ruby, "Net::HTTP.get(URI('http://169.254.169.254/latest/'))"));
    assert!(v1(Kind::Go, "package a\nfunc f() { http.Get(\"http://169.254.169.254/latest/\") }"));
}
