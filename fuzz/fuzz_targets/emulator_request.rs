//! Any bytes that a client may send to the emulator: no panic, no hang, bounded memory, whole answers.
//!
//! `cargo fuzz run --sanitizer none emulator_request -- -max_total_time=60` (stable Rust; sanitizers need nightly).
#![no_main]

use std::sync::LazyLock;

use imds_emulator::{Emulator, Service};
use libfuzzer_sys::fuzz_target;

static SERVICE: LazyLock<Service> =
    LazyLock::new(|| Emulator::builder().record_limit(64).build().expect("the built-in instance can be"));

fuzz_target!(|bytes: &[u8]| {
    let answers = SERVICE.answer_bytes(bytes);
    assert!(answers.is_empty() || answers.starts_with(b"HTTP/1.1 "));
    // An answer is at most a page or a value for each request, and a request has at least 16 bytes.
    assert!(answers.len() <= (bytes.len() / 16 + 1) * 20_000);
    assert!(SERVICE.requests(0).len() <= 64);
});
