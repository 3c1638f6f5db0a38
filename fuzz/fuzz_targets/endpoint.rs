//! Any text as an endpoint: no panic, and the normal form of a normal form is itself.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let text = String::from_utf8_lossy(bytes);
    let Some(normal) = imds::fuzzing::endpoint(&text) else { return };
    assert!(
        normal.starts_with("http://") && normal.bytes().all(|byte| byte.is_ascii_graphic()),
        "{normal:?}"
    );
    assert_eq!(imds::fuzzing::endpoint(&normal).as_ref(), Some(&normal));
});
