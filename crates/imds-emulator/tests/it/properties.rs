//! Whatever bytes come in, the server answers or closes, and goes on.

use std::io::{Read as _, Write as _};

use imds_emulator::{Emulator, Profile};
use proptest::prelude::*;

use crate::raw::{connect, get, status};

/// Heads that are almost right, and noise.
fn bytes() -> impl Strategy<Value = Vec<u8>> {
    let method = prop::sample::select(vec!["GET", "PUT", "HEAD", "OPTIONS", "POST", "get", "", "P\u{1}T"]);
    let target = prop_oneof![
        "(/(latest|1\\.0|meta-data|iam|%2e%2e|\\.\\.|api|token|mac)){0,5}/?",
        "[ -~]{0,40}",
        Just("http://169.254.169.254/latest/meta-data/".to_owned()),
    ];
    let header = prop_oneof![
        "X-aws-ec2-metadata-token(-ttl-seconds)?: ?[0-9a-zA-Z=_-]{0,60}",
        "(Content-Length|Transfer-Encoding|Expect|Connection|X-Forwarded-For): ?(chunked|[0-9]{0,20}|keep-alive|100-continue)",
        "[ -~]{0,40}",
    ];
    let request =
        (method, target, prop::collection::vec(header, 0..6), prop::collection::vec(any::<u8>(), 0..40))
            .prop_map(|(method, target, headers, body)| {
                let mut bytes = format!("{method} {target} HTTP/1.1\r\n").into_bytes();
                for header in headers {
                    bytes.extend_from_slice(header.as_bytes());
                    bytes.extend_from_slice(b"\r\n");
                }
                bytes.extend_from_slice(b"\r\n");
                bytes.extend(body);
                bytes
            });
    prop_oneof![3 => request, 1 => prop::collection::vec(any::<u8>(), 0..300)]
}

#[test]
fn any_bytes_get_whole_answers() {
    for profile in Profile::ALL {
        let service = Emulator::builder().profile(profile).record_limit(16).build().unwrap();
        let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig::with_cases(700));
        runner
            .run(&prop::collection::vec(bytes(), 1..4), |parts| {
                let answers = service.answer_bytes(&parts.concat());
                prop_assert!(answers.is_empty() || answers.starts_with(b"HTTP/1."));
                prop_assert!(service.requests(0).len() <= 16, "what is kept is bounded");
                Ok(())
            })
            .unwrap();
    }
}

#[test]
fn any_bytes_are_answered_or_closed() {
    let emulator = Emulator::builder().start().unwrap();
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig::with_cases(500));
    runner
        .run(&bytes(), |bytes| {
            let mut stream = connect(emulator.address());
            // The server may have closed already: what counts is that it ends the connection
            // without being stuck.
            let _ = stream.write_all(&bytes);
            let _ = stream.shutdown(std::net::Shutdown::Write);
            let mut answer = Vec::new();
            let read = stream.read_to_end(&mut answer);
            let timed_out = read.is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock);
            prop_assert!(!timed_out, "the connection hung");
            prop_assert!(answer.is_empty() || answer.starts_with(b"HTTP/1.1 "), "{answer:?}");
            Ok(())
        })
        .unwrap();
    assert_eq!(status(&get(&emulator, "/latest/meta-data/mac", "")), 200);
}
