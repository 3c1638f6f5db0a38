//! The bytes that a caller sends on one connection, joined into request headers.

use super::event::Segment;
use super::request::{self, Body, HEADER_LIMIT, Head, Parsed, RequestKind, Unparsed};

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
    /// In or before the line with a chunk's size.
    ChunkSize,
    /// In a chunk, with this many bytes to go, the end of its line included.
    Chunk(u64),
    /// Behind the last chunk.
    Trailers,
    /// Nowhere: what follows counts again when it begins like a request.
    Lost,
}

/// Joins one connection's segments.
#[derive(Debug)]
pub(crate) struct RequestStream {
    place: Place,
    /// Offset of the next byte.
    next: u32,
    /// Bytes of a header, of a chunk's size or of trailers that are not whole yet.
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
        let unfinished = !std::mem::take(&mut self.header).is_empty() && self.place == Place::Header;
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
                Place::Chunk(left) => {
                    let skipped = usize::try_from(left).unwrap_or(usize::MAX).min(bytes.len());
                    bytes = &bytes[skipped..];
                    let left = left - skipped as u64;
                    self.place = if left == 0 { Place::ChunkSize } else { Place::Chunk(left) };
                }
                Place::ChunkSize | Place::Trailers => {
                    let before = self.header.len();
                    self.header.extend_from_slice(bytes);
                    let read = if self.place == Place::ChunkSize {
                        chunk_size(&self.header)
                    } else {
                        trailers(&self.header)
                    };
                    let (length, place) = match read {
                        Ok(httparse::Status::Complete(read)) => read,
                        Ok(httparse::Status::Partial) if self.header.len() < HEADER_LIMIT => return,
                        Ok(httparse::Status::Partial) | Err(()) => (self.header.len(), Place::Lost),
                    };
                    bytes = &bytes[length.saturating_sub(before)..];
                    self.header.clear();
                    self.place = place;
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
                                Body::Length(0) => Place::Header,
                                Body::Length(length) => Place::Body(length),
                                Body::Chunked => Place::ChunkSize,
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
            Place::Chunk(left) if left >= u64::from(count) => {
                let left = left - u64::from(count);
                self.place = if left == 0 { Place::ChunkSize } else { Place::Chunk(left) };
            }
            Place::Lost | Place::Unknown => {}
            Place::Header | Place::Body(_) | Place::ChunkSize | Place::Chunk(_) | Place::Trailers => {
                self.header.clear();
                self.place = Place::Lost;
                found(Found::Unreadable(Unreadable::BytesMissing));
            }
        }
    }
}

/// The length of the line with a chunk's size, and what comes behind it.
fn chunk_size(bytes: &[u8]) -> Result<httparse::Status<(usize, Place)>, ()> {
    Ok(match httparse::parse_chunk_size(bytes).map_err(drop)? {
        httparse::Status::Complete((length, 0)) => httparse::Status::Complete((length, Place::Trailers)),
        httparse::Status::Complete((length, size)) => {
            httparse::Status::Complete((length, Place::Chunk(size.saturating_add(2))))
        }
        httparse::Status::Partial => httparse::Status::Partial,
    })
}

/// The length of the trailers, and what comes behind them.
fn trailers(bytes: &[u8]) -> Result<httparse::Status<(usize, Place)>, ()> {
    let mut headers = [httparse::EMPTY_HEADER; 16];
    Ok(match httparse::parse_headers(bytes, &mut headers).map_err(drop)? {
        httparse::Status::Complete((length, _)) => httparse::Status::Complete((length, Place::Header)),
        httparse::Status::Partial => httparse::Status::Partial,
    })
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

#[cfg(test)]
mod tests {
    use super::*;

    fn segment(offset: u32, text: &str) -> Segment {
        Segment {
            offset,
            length: u32::try_from(text.len()).unwrap(),
            bytes: text.as_bytes().to_vec(),
            from_start: true,
        }
    }

    /// What the segments bring: `kind path` of each request, or why it cannot be read.
    fn read(segments: &[Segment]) -> Vec<String> {
        let mut stream = RequestStream::new();
        let mut found = Vec::new();
        for segment in segments {
            stream.push(segment, |request| found.push(request));
        }
        found.extend(stream.end());
        found
            .into_iter()
            .map(|found| match found {
                Found::Request(head) => format!("{:?} {}", head.kind, head.path),
                Found::Unreadable(why) => format!("{why:?}"),
            })
            .collect()
    }

    const GET: &str = "GET /latest/a HTTP/1.1\r\nX-aws-ec2-metadata-token: x\r\n\r\n";

    #[test]
    fn cut_at_any_byte() {
        for cut in 1..GET.len() {
            let at = u32::try_from(cut).unwrap();
            let segments = [segment(0, &GET[..cut]), segment(at, &GET[cut..])];
            assert_eq!(read(&segments), ["V2 /latest/a"], "{cut}");
        }
    }

    #[test]
    fn bytes_that_are_sent_again_count_once() {
        let length = u32::try_from(GET.len()).unwrap();
        let segments = [
            segment(0, &GET[..20]),
            segment(0, &GET[..20]),
            // Merged with what comes next, as a retransmission may be.
            segment(10, &GET[10..]),
            segment(0, GET),
            segment(length, GET),
        ];
        assert_eq!(read(&segments), ["V2 /latest/a", "V2 /latest/a"]);
    }

    #[test]
    fn several_requests_and_bodies() {
        let put = "PUT /latest/b HTTP/1.1\r\nContent-Length: 5\r\n\r\nGET /";
        let both = format!("{put}{GET}{put}");
        assert_eq!(read(&[segment(0, &both)]), ["V1 /latest/b", "V2 /latest/a", "V1 /latest/b"]);
    }

    #[test]
    fn chunked_bodies_cut_at_any_byte() {
        let put = "PUT /latest/c HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n";
        for body in [
            "0\r\n\r\n",
            "5\r\nGET /\r\n0\r\n\r\n",
            // What looks like a request is one chunk; sizes have extensions, and trailers follow.
            "18;a=b\r\nGET /secret HTTP/1.1\r\n\r\n\r\n00\r\nX: y\r\n\r\n",
        ] {
            let text = format!("{put}{body}{GET}");
            for cut in 1..text.len() {
                let at = u32::try_from(cut).unwrap();
                let segments = [segment(0, &text[..cut]), segment(at, &text[cut..])];
                assert_eq!(read(&segments), ["V1 /latest/c", "V2 /latest/a"], "{body:?} {cut}");
            }
            let bytes: Vec<Segment> =
                (0..text.len()).map(|at| segment(u32::try_from(at).unwrap(), &text[at..=at])).collect();
            assert_eq!(read(&bytes), ["V1 /latest/c", "V2 /latest/a"], "{body:?}");
        }
        // A body that breaks off is no request, nor is what follows no chunk.
        assert_eq!(read(&[segment(0, &format!("{put}5\r\nGE"))]), ["V1 /latest/c"]);
        assert_eq!(read(&[segment(0, &format!("{put}x\r\n{GET}"))]), ["V1 /latest/c"]);
        // Bytes of a chunk may be missing, those of its size not.
        let start = format!("{put}fa0\r\n");
        let at = u32::try_from(start.len()).unwrap() + 4_000;
        let rest = format!("\r\n0\r\n\r\n{GET}");
        assert_eq!(read(&[segment(0, &start), segment(at, &rest)]), ["V1 /latest/c", "V2 /latest/a"]);
        assert_eq!(read(&[segment(0, put), segment(at, &rest)]), ["V1 /latest/c", "BytesMissing"]);
    }

    #[test]
    fn missing_bytes_are_said_once_and_the_next_request_is_read() {
        let segments = [segment(0, &GET[..10]), segment(20, &GET[20..]), segment(500, GET)];
        assert_eq!(read(&segments), ["BytesMissing", "V2 /latest/a"]);
        // Bytes of a body may be missing.
        let put = "PUT /latest/b HTTP/1.1\r\nContent-Length: 500\r\n\r\n";
        let after = u32::try_from(put.len()).unwrap() + 500;
        assert_eq!(read(&[segment(0, put), segment(after, GET)]), ["V1 /latest/b", "V2 /latest/a"]);
        // A packet that was larger than what is copied of it.
        let large = Segment { length: 9_000, ..segment(0, &GET[..30]) };
        assert_eq!(read(&[large, segment(9_000, GET)]), ["BytesMissing", "V2 /latest/a"]);
    }

    #[test]
    fn a_stream_whose_beginning_was_not_seen() {
        let unseen = |offset, text: &str| Segment { from_start: false, ..segment(offset, text) };
        let middle = [unseen(u32::MAX - 3, "HTTP/1.1\r\n\r\n"), unseen(8, GET), unseen(100, "junk")];
        assert_eq!(read(&middle), ["V2 /latest/a", "BytesMissing"]);
        // The offsets wrap around.
        let start = u32::MAX - 10;
        let wrapped = [unseen(start, &GET[..20]), unseen(start.wrapping_add(20), &GET[20..])];
        assert_eq!(read(&wrapped), ["V2 /latest/a"]);
    }

    #[test]
    fn what_is_no_request() {
        assert_eq!(read(&[segment(0, "\x16\x03\x01junk\r\n\r\n"), segment(13, "more")]), ["NotHttp"]);
        assert_eq!(read(&[segment(0, "GET /latest/ HTT")]), ["Unfinished"]);
        let long = format!("GET / HTTP/1.1\r\nX: {}", "x".repeat(HEADER_LIMIT));
        assert_eq!(read(&[segment(0, &long)]), ["TooLong"]);
        let mut stream = RequestStream::new();
        stream.push(&segment(0, ""), |found| panic!("{found:?}"));
        assert_eq!(stream.end(), None);
    }
}
