//! Any bytes that a service may answer: no panic, and the same answer however they were cut into
//! packets, whole or streamed.
#![no_main]

use libfuzzer_sys::fuzz_target;

const LIMIT: usize = 4096;

fuzz_target!(|bytes: &[u8]| {
    let whole = imds::fuzzing::decode(bytes, usize::MAX, LIMIT, false);
    assert!(whole.iter().all(|(status, body)| *status != 200 || body.len() <= LIMIT));
    let bytewise = imds::fuzzing::decode(bytes, 1, LIMIT, false);
    if let (Some((status, body)), Some((again, same))) = (&whole, &bytewise) {
        // The body of an answer that is no value is cut where enough has come.
        assert!(status == again && (*status != 200 || body == same), "the packets decide the answer");
    }
    let streamed = imds::fuzzing::decode(bytes, 7, LIMIT, true);
    if let (Some((200, body)), Some((200, same))) = (&whole, &streamed) {
        assert_eq!(body, same, "streaming changes the value");
    }
});
