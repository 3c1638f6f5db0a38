//! The bytes that a caller sends on one connection, joined into request headers.

use super::event::Segment;
use super::request::{self, HEADER_LIMIT, Head, Parsed, RequestKind, Unparsed};

/// What a segment brought.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// A whole header.
    Request(Head),
    /// Bytes that cannot be read as a request, and why.
    Unreadable(Unreadable),
}

/// Why bytes cannot be read as a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Unreadable {
    /// They are no HTTP.
    NotHttp,
    /// Some of them are missing: an event was lost, or the connection is older than the tracer.
    BytesMissing,
    /// The header is longer than what is joined.
    TooLong,
    /// The connection ended in the middle of a header.
    Unfinished,
}

/// Where in the stream the reader is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// Before the first byte that was seen, at an offset nobody knows.
    Unknown,
    /// In or before a header.
    Header,
    /// In a body, with this many bytes to go.
    Body(u64),
    /// Nowhere: what follows counts again when it begins like a request.
    Lost,
}

/// Joins one connection's segments.
#[derive(Debug)]
pub(crate) struct RequestStream {
    place: Place,
    /// Offset of the next byte.
    next: u32,
    /// Bytes of a header that is not whole yet.
    header: Vec<u8>,
}

impl RequestStream {
    pub(crate) const fn new() -> Self {
        Self { place: Place::Unknown, next: 0, header: Vec::new() }
    }

    /// Takes a segment; `found` is given every request that it completes, in order.
    pub(crate) fn push(&mut self, segment: &Segment, mut found: impl FnMut(Found)) {
        if self.place == Place::Unknown {
            let begins = request::begins_request(&segment.bytes);
            self.place = if segment.from_start || begins { Place::Header } else { Place::Lost };
            self.next = if segment.from_start { 0 } else { segment.offset };
        }
        // The stream's offsets wrap around: what lies up to half of them ahead is ahead.
        let ahead = segment.offset.wrapping_sub(self.next);
        let (skipped, missing) = if ahead < 1 << 31 { (0, ahead) } else { (ahead.wrapping_neg(), 0) };
        if skipped >= segment.length && skipped > 0 {
            // Sent again: all of it is known.
            return;
        }
        if missing > 0 {
            self.miss(missing, &mut found);
        }
        let known = usize::try_from(skipped).unwrap_or(usize::MAX);
        let fresh = segment.bytes.get(known..).unwrap_or_default();
        self.next = segment.offset.wrapping_add(segment.length);
        self.take(fresh, &mut found);
        let unseen = u64::from(segment.length).saturating_sub(segment.bytes.len() as u64);
        if unseen > 0 {
            self.miss(u32::try_from(unseen).unwrap_or(u32::MAX), &mut found);
        }
    }

    /// The connection ended: reports a header that is not whole.
    pub(crate) fn end(&mut self) -> Option<Found> {
        let unfinished = !std::mem::take(&mut self.header).is_empty();
        unfinished.then_some(Found::Unreadable(Unreadable::Unfinished))
    }

    fn take(&mut self, mut bytes: &[u8], found: &mut impl FnMut(Found)) {
        while !bytes.is_empty() {
            match self.place {
                Place::Body(left) => {
                    let skipped = usize::try_from(left).unwrap_or(usize::MAX).min(bytes.len());
                    bytes = &bytes[skipped..];
                    let left = left - skipped as u64;
                    self.place = if left == 0 { Place::Header } else { Place::Body(left) };
                }
                Place::Unknown | Place::Lost => {
                    if !request::begins_request(bytes) {
                        return;
                    }
                    self.place = Place::Header;
                }
                Place::Header => {
                    let before = self.header.len();
                    self.header.extend_from_slice(bytes);
                    match request::parse(&self.header) {
                        Ok(Parsed { head, length, body }) => {
                            // What is behind the header is in these bytes, as it was not whole
                            // before them.
                            bytes = &bytes[length.saturating_sub(before)..];
                            self.header.clear();
                            self.place = match body {
                                Some(0) => Place::Header,
                                Some(length) => Place::Body(length),
                                None => Place::Lost,
                            };
                            found(Found::Request(head));
                        }
                        Err(Unparsed::Partial) => return,
                        Err(Unparsed::NotHttp) => {
                            let long = self.header.len() >= HEADER_LIMIT;
                            let why = if long { Unreadable::TooLong } else { Unreadable::NotHttp };
                            self.header.clear();
                            self.place = Place::Lost;
                            found(Found::Unreadable(why));
                            return;
                        }
                    }
                }
            }
        }
    }

    /// Bytes that were sent and not seen.
    fn miss(&mut self, count: u32, found: &mut impl FnMut(Found)) {
        match self.place {
            Place::Body(left) if left >= u64::from(count) => {
                let left = left - u64::from(count);
                self.place = if left == 0 { Place::Header } else { Place::Body(left) };
            }
            Place::Lost | Place::Unknown => {}
            Place::Header | Place::Body(_) => {
                self.header.clear();
                self.place = Place::Lost;
                found(Found::Unreadable(Unreadable::BytesMissing));
            }
        }
    }
}

/// A request that could not be read, in the form of one that could.
pub(crate) fn unreadable_head() -> Head {
    Head {
        kind: RequestKind::Unreadable,
        method: String::new(),
        path: String::new(),
        user_agent: None,
        cloud: None,
    }
}
