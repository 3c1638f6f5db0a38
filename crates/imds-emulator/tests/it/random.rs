//! Any request to the control API: always an answer, and the emulator goes on.
//!
//! `IMDS_RANDOM_RUNS` sets the number of requests, 300 by default; a failure names its seed, and
//! `IMDS_RANDOM_SEED` runs that one alone.

use std::io::{Read as _, Write as _};

use fastrand::Rng;
use imds_emulator::Emulator;

use crate::raw::{connect, status};

const METHODS: [&str; 7] = ["GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "\u{1}"];

const PATHS: [&str; 12] = [
    "/",
    "/v1/state",
    "/v1/tree",
    "/v1/requests",
    "/v1/requests?after=18446744073709551615",
    "/v1/events",
    "/v1/events",
    "/v1/events",
    "/v1/clock",
    "/v1/assert",
    "/v1/certificates",
    "/openapi.json",
];

/// What the bodies are made of: valid ones, and pieces of them.
const PIECES: [&str; 26] = [
    r#"{"event":"set","path":"/latest/meta-data/x","value":"y"}"#,
    r#"{"event":"unset","path":"/latest/meta-data/mac"}"#,
    r#"{"event":"spot-interruption","in":"2m"}"#,
    r#"{"event":"fault","kind":"delay","path":"/latest/*","for":"1s"}"#,
    r#"{"step":"90s"}"#,
    r#"{"step":"1e999d"}"#,
    r#"{"assertion":"v1 == 1"}"#,
    r#"{"assertion":"((((((((((((((((v1"}"#,
    r#"{"event":"#,
    r#""set""#,
    r#","path":"#,
    r#","value":"#,
    r#","in":"#,
    r#""-1s""#,
    r#""9999999999d""#,
    r#""\ud800""#,
    r#""..""#,
    "{",
    "}",
    "[",
    "null",
    "1e309",
    "true",
    "\u{0}",
    "\u{1f980}",
    "",
];

fn body(rng: &mut Rng) -> Vec<u8> {
    match rng.u8(0..4) {
        0 => rng.choice(PIECES).unwrap_or_default().as_bytes().to_vec(),
        1 => (0..rng.usize(0..200)).map(|_| rng.u8(..)).collect(),
        2 => rng.choice(["[", "{\"a\":", "\""]).unwrap_or_default().repeat(rng.usize(0..5_000)).into_bytes(),
        _ => (0..rng.usize(0..12)).flat_map(|_| rng.choice(PIECES)).collect::<String>().into_bytes(),
    }
}

fn request(rng: &mut Rng, host: &str) -> Vec<u8> {
    let (method, path) = (rng.choice(METHODS).unwrap_or_default(), rng.choice(PATHS).unwrap_or_default());
    let body = body(rng);
    let length = if rng.u8(0..8) == 0 { rng.usize(0..100_000) } else { body.len() };
    let kind = rng.choice(["application/json", "text/plain", ""]).unwrap_or_default();
    let head = format!(
        "{method} {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n\
         Connection: close\r\n\r\n"
    );
    let mut bytes = [head.into_bytes(), body].concat();
    for _ in 0..rng.usize(0..3) {
        let at = rng.usize(0..bytes.len());
        bytes[at] = rng.u8(..);
    }
    bytes
}

fn number(name: &str) -> Option<u64> {
    #[allow(clippy::disallowed_methods, reason = "the gate asks for more runs than a person waits for")]
    std::env::var(name).ok()?.parse().ok()
}

#[test]
fn any_request_to_the_control_api_is_answered_and_the_emulator_goes_on() {
    let seeds = number("IMDS_RANDOM_SEED")
        .map_or(0..number("IMDS_RANDOM_RUNS").unwrap_or(300), |seed| seed..seed + 1);
    let emulator = Emulator::builder().control("127.0.0.1:0".parse().unwrap()).start().unwrap();
    let address = emulator.control_address().unwrap();
    for seed in seeds {
        let mut rng = Rng::with_seed(seed);
        let mut stream = connect(address);
        // The API may answer and close before it has read everything.
        let _ = stream.write_all(&request(&mut rng, &address.to_string()));
        let _ = stream.shutdown(std::net::Shutdown::Write);
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        let answer = String::from_utf8_lossy(&answer);
        let code = status(&answer);
        assert!(answer.is_empty() || (200..600).contains(&code), "seed {seed}: {answer:?}");
        assert_ne!(code, 500, "seed {seed}: {answer:?}");
    }
    // Whatever was set up meanwhile, the control API and the port of the service still answer.
    let mut stream = connect(address);
    let reset = format!("GET /v1/state HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(reset.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert_eq!(status(&answer), 200, "{answer}");
}
