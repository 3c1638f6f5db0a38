//! Any text as a scenario file, and as an event of the control API: no panic, and what is accepted
//! can happen.
#![no_main]

use std::time::Duration;

use imds_emulator::{Clock, Emulator, EventText, Timestamp};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let text = String::from_utf8_lossy(bytes);
    let _ = EventText::from_json(&text).and_then(|event| event.event());
    let Ok(events) = imds_emulator::parse_scenario(&text) else { return };
    let clock = Clock::stepped(Timestamp::from_seconds(1_900_000_000));
    let mut builder = Emulator::builder().clock(clock).record_limit(8);
    for (after, event) in events {
        builder = builder.event(after, event);
    }
    let Ok(service) = builder.build() else { return };
    let get = b"GET /latest/meta-data/ HTTP/1.1\r\nHost: a\r\n\r\n";
    for _ in 0..3 {
        let _ = service.answer_bytes(get);
        service.step(Duration::from_secs(3_600));
    }
    assert!(service.timeline().windows(2).all(|pair| pair[0].0 <= pair[1].0));
});
