//! Any bytes in a file of the token store: a record or none, and never a panic.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if imds::fuzzing::record(bytes) {
        // A record that was cut is none.
        assert!(!imds::fuzzing::record(&bytes[..bytes.len() - 1]));
    }
});
