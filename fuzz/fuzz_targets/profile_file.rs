//! Any text of a profile file: no panic, and no more lines left out than there are.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let text = String::from_utf8_lossy(bytes);
    for is_config in [true, false] {
        for name in ["default", "web"] {
            let left_out = imds::fuzzing::profile(&text, is_config, name);
            assert!(left_out <= text.lines().count());
        }
    }
});
