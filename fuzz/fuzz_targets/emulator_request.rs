//! Any bytes that a client may send to the emulator: no panic, no hang, bounded memory, and whole
//! answers that do not depend on how the bytes were cut into packets. `fuzz/run` runs it.
#![no_main]

use std::sync::LazyLock;

use imds_emulator::{Clock, Emulator, Profile, Service};
use libfuzzer_sys::fuzz_target;

/// Where a seed says this, the service that is asked reads a session token of its own.
const TOKEN: &[u8] = b"TOKEN";
/// What every token of Nitro and of Xen begins with, in base64url, and how long tokens are.
const TOKEN_STARTS: [&[u8]; 2] = [b"AQAEA", b"AQAAA"];
const TOKEN_LENGTH: usize = 56;

struct Target {
    service: Service,
    token: Vec<u8>,
}

static TARGETS: LazyLock<Vec<Target>> = LazyLock::new(|| {
    let target = |profile| {
        let clock = Clock::stepped("2026-01-15T10:00:00Z".parse().expect("a time"));
        let builder = Emulator::builder().profile(profile).clock(clock).record_limit(64);
        let service = builder.build().expect("the built-in instance can be");
        let put = b"PUT /latest/api/token HTTP/1.1\r\nX-aws-ec2-metadata-token-ttl-seconds: 21600\r\n\r\n";
        let answer = service.answer_bytes(put);
        let token = answer[answer.len() - TOKEN_LENGTH..].to_vec();
        Target { service, token }
    };
    Profile::ALL.into_iter().map(target).collect()
});

fuzz_target!(|bytes: &[u8]| {
    for Target { service, token } in TARGETS.iter() {
        let bytes = replaced(bytes, token);
        let whole = masked(service.answer_bytes(&bytes));
        assert!(whole.is_empty() || whole.starts_with(b"HTTP/1."));
        // An answer is at most a page or a value for each request, and a request has at least 16
        // bytes.
        assert!(whole.len() <= (bytes.len() / 16 + 1) * 20_000);
        assert!(service.requests(0).len() <= 64);
        // What came so far is never answered otherwise than with what came later at hand: a service
        // that did so would have its clients disagree about where a request ends.
        let part = masked(service.answer_bytes(&bytes[..bytes.len() / 2]));
        assert!(whole.starts_with(&part), "half of the bytes have another answer");
    }
});

fn replaced(bytes: &[u8], token: &[u8]) -> Vec<u8> {
    match bytes.windows(TOKEN.len()).position(|window| window == TOKEN) {
        Some(at) => [&bytes[..at], token, &bytes[at + TOKEN.len()..]].concat(),
        None => bytes.to_vec(),
    }
}

/// The answers with every session token blanked, since no two tokens are the same. A Snowball's
/// have no mark but their length, so there a body of that length is one.
fn masked(mut answers: Vec<u8>) -> Vec<u8> {
    let mut at = 0;
    while let Some(end) = answers[at..].windows(4).position(|window| window == b"\r\n\r\n") {
        let body = at + end + 4;
        let is_token = TOKEN_STARTS.iter().any(|start| answers[body..].starts_with(start))
            || answers[body..].starts_with(b"MDA");
        if is_token && answers.len() >= body + TOKEN_LENGTH {
            answers[body..body + TOKEN_LENGTH].fill(b'.');
        }
        at = body;
    }
    answers
}
