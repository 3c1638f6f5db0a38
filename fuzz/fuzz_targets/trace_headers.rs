//! Any bytes that a caller sends, as `imds-trace` joins them: no panic, and the same requests
//! however they were cut into packets and sent again, as long as their bodies can be read. It
//! compiles the program's own modules.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[allow(dead_code, reason = "the program uses the rest")]
#[path = "../../crates/imds-trace/src/trace/mod.rs"]
mod trace;

use trace::event::{Event, Segment};
use trace::stream::{Found, RequestStream};

/// The requests up to the first bytes that are none.
fn requests(bytes: &[u8], piece: usize, again: bool) -> Vec<Found> {
    let mut stream = RequestStream::new();
    let mut found = Vec::new();
    let mut offset = 0;
    for piece in bytes.chunks(piece) {
        let length = u32::try_from(piece.len()).expect("a packet");
        let segment = Segment { offset, length, bytes: piece.to_vec(), from_start: true };
        stream.push(&segment, |one| found.push(one));
        if again {
            stream.push(&segment, |_| panic!("sent again, found again"));
        }
        offset += length;
    }
    found.extend(stream.end());
    let end = found.iter().position(|one| matches!(one, Found::Unreadable(_))).unwrap_or(found.len());
    found.truncate(end);
    found
}

fuzz_target!(|bytes: &[u8]| {
    let _ = Event::decode(bytes);
    let Some((first, rest)) = bytes.split_first() else { return };
    let piece = usize::from(*first).max(1);
    let (whole, cut) = (requests(rest, 4_096, false), requests(rest, piece, false));
    // Behind chunks that cannot be read the joiner waits for a packet that begins like a request,
    // so there packets decide.
    assert!(whole.iter().zip(&cut).all(|(one, other)| one == other), "{whole:?}\n{cut:?}");
    assert_eq!(requests(rest, piece, true), cut);
});
