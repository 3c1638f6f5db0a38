//! Any text as an instance file in TOML or JSON, a snapshot, or another mock's configuration: no
//! panic, and what is accepted can be served and saved.
#![no_main]

use imds_emulator::{Clock, Emulator, Timestamp};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let text = String::from_utf8_lossy(bytes);
    let _ = imds_emulator::import_aemm(&text).map_err(|error| error.to_string());
    for json in [false, true] {
        let Ok(described) = imds_emulator::fuzzing::instance(&text, json) else { continue };
        let clock = Clock::stepped(Timestamp::from_seconds(1_900_000_000));
        let Ok(service) = Emulator::builder().described(described).clock(clock).build() else { continue };
        let get = b"GET /latest/meta-data/ HTTP/1.1\r\nHost: a\r\n\r\n";
        assert!(service.answer_bytes(get).starts_with(b"HTTP/1."));
        assert!(service.leaves().iter().all(|(path, _)| path.starts_with("/latest/")));
    }
});
