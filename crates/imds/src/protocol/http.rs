//! HTTP/1.1 as the service speaks it, without I/O: encodes a request and decodes an answer.

use std::fmt;

use imds_model::header;
use zeroize::Zeroizing;

/// Largest head of an answer, in bytes. The service's own are under 400.
const HEAD_LIMIT: usize = 16 * 1024;
/// Most header lines of an answer.
const HEADER_LIMIT: usize = 64;
/// Most bytes that are read of the body of an answer that is no value: enough for a message. The
/// status of such an answer counts, however long its body is.
const ERROR_BODY_LIMIT: usize = 8 * 1024;
/// Largest chunk-size line or trailer section, in bytes.
const CHUNK_LINE_LIMIT: usize = 4096;

/// The bytes of one request.
///
/// `Connection: keep-alive` is asked for by name: the service closes after each answer to a client
/// that does not.
pub(crate) fn request(method: &str, target: &str, authority: &str, headers: &[(&str, &str)]) -> Vec<u8> {
    // Larger than any request to the service: a vector that grows leaves copies of the token.
    let mut bytes = Vec::with_capacity(512);
    let mut put = |text: &str| bytes.extend_from_slice(text.as_bytes());
    for part in [method, " ", target, " HTTP/1.1\r\nHost: ", authority] {
        put(part);
    }
    put("\r\nAccept: */*\r\nConnection: keep-alive\r\nUser-Agent: imds/");
    put(env!("CARGO_PKG_VERSION"));
    for (name, value) in headers {
        for part in ["\r\n", name, ": ", value] {
            put(part);
        }
    }
    if method == "PUT" {
        put("\r\nContent-Length: 0");
    }
    put("\r\n\r\n");
    bytes
}

/// A complete answer. `Debug` leaves the body out: it may hold secrets.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// The value of the token TTL header.
    pub(crate) ttl: Option<String>,
    pub(crate) retry_after: Option<String>,
    pub(crate) content_type: Option<String>,
    pub(crate) body: Vec<u8>,
    /// Whether the connection can carry another request.
    pub(crate) reusable: bool,
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answer")
            .field("status", &self.status)
            .field("content_type", &self.content_type)
            .field("body_length", &self.body.len())
            .finish_non_exhaustive()
    }
}

/// Why bytes are no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CodecError {
    /// Not HTTP, or HTTP that contradicts itself.
    Malformed(&'static str),
    /// The body is larger than the limit.
    TooLarge,
    /// The connection ended before the answer did.
    Truncated,
    /// The connection ended before the answer began.
    Nothing,
}

/// Decodes an answer from received bytes.
#[derive(Debug)]
pub(crate) struct Decoder {
    body_limit: usize,
    /// A value is handed out as it comes, and may be of any length; other bodies have their limit.
    streaming: bool,
    buffer: Zeroizing<Vec<u8>>,
    phase: Phase,
    answer: Option<Answer>,
}

#[derive(Debug)]
enum Phase {
    Head,
    /// A body of this length is missing.
    Fixed(usize),
    Chunks(Chunk),
    /// The body ends with the connection.
    ToEnd,
    Complete,
}

#[derive(Debug)]
enum Chunk {
    Size,
    Data(usize),
    /// The line end behind a chunk's data.
    End,
    Trailer,
}

impl Decoder {
    pub(crate) fn new(body_limit: usize) -> Self {
        Self { body_limit, streaming: false, buffer: Zeroizing::default(), phase: Phase::Head, answer: None }
    }

    /// For an answer whose body is taken by [`drain`](Self::drain) while it comes, where it is a
    /// value.
    pub(crate) fn streaming(body_limit: usize) -> Self {
        Self { streaming: true, ..Self::new(body_limit) }
    }

    /// The head, without a body, of an answer that is to be streamed and has begun.
    pub(crate) fn opened(&self) -> Option<Answer> {
        let answer = self.answer.as_ref().filter(|answer| self.streaming && answer.status == 200)?;
        Some(Answer {
            status: answer.status,
            ttl: answer.ttl.clone(),
            retry_after: None,
            content_type: answer.content_type.clone(),
            body: Vec::new(),
            reusable: false,
        })
    }

    /// What has come of the body since this was last asked.
    pub(crate) fn drain(&mut self) -> Vec<u8> {
        self.answer.as_mut().map(|answer| std::mem::take(&mut answer.body)).unwrap_or_default()
    }

    /// Bytes that are held, used or not.
    #[cfg(test)]
    pub(crate) fn held(&self) -> usize {
        self.buffer.capacity() + self.answer.as_ref().map_or(0, |answer| answer.body.capacity())
    }

    /// Whether any byte has come yet.
    pub(crate) fn has_begun(&self) -> bool {
        self.answer.is_some() || !self.buffer.is_empty()
    }

    /// Takes bytes that came; the answer, once it is complete.
    pub(crate) fn receive(&mut self, bytes: &[u8]) -> Result<Option<Answer>, CodecError> {
        self.buffer.extend_from_slice(bytes);
        while self.advance()? {}
        Ok(self.take_if_complete())
    }

    /// Takes the end of the connection; the answer, where that completes it.
    pub(crate) fn finish(&mut self) -> Result<Answer, CodecError> {
        if matches!(self.phase, Phase::ToEnd) {
            self.phase = Phase::Complete;
        }
        if self.answer.as_ref().is_some_and(|answer| answer.status != 200) {
            self.cut();
        }
        let begun = self.has_begun();
        self.take_if_complete().ok_or(if begun { CodecError::Truncated } else { CodecError::Nothing })
    }

    /// Ends an answer that is no value: what is left of its body does not matter.
    fn cut(&mut self) {
        if let Some(answer) = &mut self.answer {
            answer.reusable = false;
        }
        self.phase = Phase::Complete;
    }

    /// Returns whether the body of an answer that is no value has more than is read of it.
    fn is_long_error(&self, more: usize) -> bool {
        self.answer.as_ref().is_some_and(|answer| {
            answer.status != 200 && answer.body.len().saturating_add(more) > ERROR_BODY_LIMIT
        })
    }

    fn take_if_complete(&mut self) -> Option<Answer> {
        if !matches!(self.phase, Phase::Complete) {
            return None;
        }
        let mut answer = self.answer.take()?;
        // Bytes behind the answer belong to no request of ours: the connection is not to be trusted
        // further.
        answer.reusable &= self.buffer.is_empty();
        Some(answer)
    }

    /// Takes one step; whether another may follow without more bytes.
    fn advance(&mut self) -> Result<bool, CodecError> {
        if !matches!(self.phase, Phase::Head | Phase::Complete) && self.is_long_error(self.buffer.len()) {
            self.cut();
        }
        match &mut self.phase {
            Phase::Head => self.head(),
            Phase::Fixed(missing) => {
                let take = (*missing).min(self.buffer.len());
                let left = *missing - take;
                self.move_to_body(take)?;
                self.phase = if left == 0 { Phase::Complete } else { Phase::Fixed(left) };
                Ok(false)
            }
            Phase::ToEnd => {
                self.move_to_body(self.buffer.len())?;
                Ok(false)
            }
            Phase::Chunks(_) => self.chunk(),
            Phase::Complete => Ok(false),
        }
    }

    fn move_to_body(&mut self, length: usize) -> Result<(), CodecError> {
        let Some(answer) = &mut self.answer else { return Err(CodecError::Malformed("body without a head")) };
        if answer.status == 200 && answer.body.len() + length > self.body_limit {
            return Err(CodecError::TooLarge);
        }
        answer.body.extend(self.buffer.drain(..length));
        Ok(())
    }

    fn head(&mut self) -> Result<bool, CodecError> {
        let mut headers = [httparse::EMPTY_HEADER; HEADER_LIMIT];
        let mut head = httparse::Response::new(&mut headers);
        let length = match head.parse(&self.buffer) {
            Ok(httparse::Status::Complete(length)) => length,
            Ok(httparse::Status::Partial) if self.buffer.len() <= HEAD_LIMIT => return Ok(false),
            Ok(httparse::Status::Partial) => return Err(CodecError::Malformed("head too large")),
            Err(httparse::Error::TooManyHeaders) => {
                return Err(CodecError::Malformed("too many header lines"));
            }
            Err(_) => return Err(CodecError::Malformed("not HTTP/1")),
        };
        let status = head.code.unwrap_or_default();
        if (100..200).contains(&status) && status != 101 {
            // An interim answer: the real one follows.
            self.buffer.drain(..length);
            return Ok(true);
        }
        if self.streaming && status == 200 {
            self.body_limit = usize::MAX;
        }
        if status == 200 {
            only_values(head.headers)?;
        }
        let framing = Framing::of(head.version == Some(1), head.headers)?;
        let text =
            |name: &str| value(head.headers, name).map(|value| String::from_utf8_lossy(value).into_owned());
        self.answer = Some(Answer {
            status,
            ttl: text(header::TOKEN_TTL),
            retry_after: text("Retry-After"),
            content_type: text("Content-Type"),
            body: Vec::new(),
            reusable: framing.reusable,
        });
        self.buffer.drain(..length);
        self.phase = if matches!(status, 204 | 304) { Phase::Complete } else { framing.phase };
        match self.phase {
            Phase::Fixed(length) if self.is_long_error(length) => {
                self.cut();
                Ok(false)
            }
            Phase::Fixed(length) if status == 200 && length > self.body_limit => Err(CodecError::TooLarge),
            Phase::Complete => Ok(false),
            _ => Ok(true),
        }
    }

    fn chunk(&mut self) -> Result<bool, CodecError> {
        let status = self.answer.as_ref().map_or(200, |answer| answer.status);
        let Phase::Chunks(chunk) = &mut self.phase else { return Ok(false) };
        match chunk {
            Chunk::Size => {
                let Some(line) = take_line(&mut self.buffer)? else { return Ok(false) };
                let digits = line.split(|byte| *byte == b';').next().unwrap_or_default();
                let digits = std::str::from_utf8(digits).unwrap_or_default().trim();
                // `from_str_radix` would take a sign.
                let fits = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
                let size = fits.then(|| usize::from_str_radix(digits, 16).unwrap_or(usize::MAX));
                *chunk = match size {
                    None => return Err(CodecError::Malformed("bad chunk size")),
                    Some(0) => Chunk::Trailer,
                    Some(size) if status != 200 && size > ERROR_BODY_LIMIT => {
                        self.cut();
                        return Ok(false);
                    }
                    Some(size) if status == 200 && size > self.body_limit => {
                        return Err(CodecError::TooLarge);
                    }
                    Some(size) => Chunk::Data(size),
                };
                Ok(true)
            }
            Chunk::Data(missing) => {
                let take = (*missing).min(self.buffer.len());
                let left = *missing - take;
                *chunk = if left == 0 { Chunk::End } else { Chunk::Data(left) };
                self.move_to_body(take)?;
                Ok(left == 0)
            }
            Chunk::End => match take_line(&mut self.buffer)? {
                None => Ok(false),
                Some(line) if line.is_empty() => {
                    *chunk = Chunk::Size;
                    Ok(true)
                }
                Some(_) => Err(CodecError::Malformed("chunk longer than its size")),
            },
            Chunk::Trailer => match take_line(&mut self.buffer)? {
                None => Ok(false),
                Some(line) if line.is_empty() => {
                    self.phase = Phase::Complete;
                    Ok(false)
                }
                Some(_) => Ok(true),
            },
        }
    }
}

/// How the body is delimited, and whether the connection outlives it (RFC 9112, sections 6.3 and
/// 9.3).
struct Framing {
    phase: Phase,
    reusable: bool,
}

impl Framing {
    fn of(is_http_11: bool, headers: &[httparse::Header<'_>]) -> Result<Self, CodecError> {
        let connection = |token: &str| has_token(headers, "Connection", token);
        let persistent = if is_http_11 { !connection("close") } else { connection("keep-alive") };
        let length = content_length(headers)?;
        if value(headers, "Transfer-Encoding").is_some() {
            // `gzip, chunked` is a compressed body in chunks, and HTTP/1.0 has no chunks.
            let chunked = is_http_11 && is_exactly(headers, "Transfer-Encoding", "chunked");
            return match (chunked, length) {
                (_, Some(_)) => Err(CodecError::Malformed("both Content-Length and Transfer-Encoding")),
                (true, None) => Ok(Self { phase: Phase::Chunks(Chunk::Size), reusable: persistent }),
                (false, None) => Err(CodecError::Malformed("unknown Transfer-Encoding")),
            };
        }
        Ok(match length {
            Some(0) => Self { phase: Phase::Complete, reusable: persistent },
            Some(length) => Self { phase: Phase::Fixed(length), reusable: persistent },
            None => Self { phase: Phase::ToEnd, reusable: false },
        })
    }
}

/// Refuses the head of a 200 that the service never sends. A captive portal or a proxy answers 200
/// with a page of its own (DataDog/dd-agent#316), and some compress what they pass on.
fn only_values(headers: &[httparse::Header<'_>]) -> Result<(), CodecError> {
    for header in headers.iter().filter(|header| header.name.eq_ignore_ascii_case("Content-Type")) {
        let is_page = |media_type: &[u8]| {
            let media_type = media_type.split(|byte| *byte == b';').next().unwrap_or_default().trim_ascii();
            [&b"text/html"[..], b"application/xhtml+xml"]
                .iter()
                .any(|page| media_type.eq_ignore_ascii_case(page))
        };
        if header.value.split(|byte| *byte == b',').any(is_page) {
            return Err(CodecError::Malformed("it is a web page, as a proxy or a captive portal sends"));
        }
    }
    let is_encoded = |header: &&httparse::Header<'_>| {
        let value = header.value.trim_ascii();
        header.name.eq_ignore_ascii_case("Content-Encoding")
            && !value.is_empty()
            && !value.eq_ignore_ascii_case(b"identity")
    };
    if headers.iter().any(|header| is_encoded(&header)) {
        return Err(CodecError::Malformed("it has a `Content-Encoding`, which the service never uses"));
    }
    Ok(())
}

fn content_length(headers: &[httparse::Header<'_>]) -> Result<Option<usize>, CodecError> {
    let mut length = None;
    for header in headers.iter().filter(|header| header.name.eq_ignore_ascii_case("Content-Length")) {
        let text = std::str::from_utf8(header.value).unwrap_or_default().trim();
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let parsed = digits.then(|| text.parse::<usize>().unwrap_or(usize::MAX));
        match (parsed, length) {
            (None, _) => return Err(CodecError::Malformed("bad Content-Length")),
            (Some(new), Some(old)) if new != old => return Err(CodecError::Malformed("two Content-Lengths")),
            (Some(new), _) => length = Some(new),
        }
    }
    Ok(length)
}

fn value<'a>(headers: &[httparse::Header<'a>], name: &str) -> Option<&'a [u8]> {
    headers.iter().find(|header| header.name.eq_ignore_ascii_case(name)).map(|header| header.value)
}

/// Whether any header of this name lists the token.
fn has_token(headers: &[httparse::Header<'_>], name: &str, token: &str) -> bool {
    let named = headers.iter().filter(|header| header.name.eq_ignore_ascii_case(name));
    named
        .flat_map(|header| header.value.split(|byte| *byte == b','))
        .any(|word| word.trim_ascii().eq_ignore_ascii_case(token.as_bytes()))
}

/// Returns whether the headers of this name list the token, once, and nothing else.
fn is_exactly(headers: &[httparse::Header<'_>], name: &str, token: &str) -> bool {
    let mut named = headers.iter().filter(|header| header.name.eq_ignore_ascii_case(name));
    named.next().is_some_and(|header| header.value.trim_ascii().eq_ignore_ascii_case(token.as_bytes()))
        && named.next().is_none()
}

/// Takes a line without its end off the front, where a whole one is there.
fn take_line(buffer: &mut Vec<u8>) -> Result<Option<Vec<u8>>, CodecError> {
    let Some(end) = buffer.iter().position(|byte| *byte == b'\n') else {
        let too_long = buffer.len() > CHUNK_LINE_LIMIT;
        return if too_long { Err(CodecError::Malformed("chunk line too long")) } else { Ok(None) };
    };
    let mut line: Vec<u8> = buffer.drain(..=end).collect();
    line.pop();
    if line.last() == Some(&b'\r') {
        line.pop();
    }
    Ok(Some(line))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Feeds the bytes in pieces of one size, then the end of the connection.
    fn decode(bytes: &[u8], piece: usize, limit: usize) -> Result<Answer, CodecError> {
        let mut decoder = Decoder::new(limit);
        for piece in bytes.chunks(piece.max(1)) {
            if let Some(answer) = decoder.receive(piece)? {
                return Ok(answer);
            }
        }
        decoder.finish()
    }

    #[test]
    fn a_request_is_these_bytes() {
        let bytes = request("PUT", "/latest/api/token", "169.254.169.254", &[(header::TOKEN_TTL, "21600")]);
        let expected = format!(
            "PUT /latest/api/token HTTP/1.1\r\nHost: 169.254.169.254\r\nAccept: */*\r\nConnection: keep-alive\r\n\
             User-Agent: imds/{}\r\nX-Aws-Ec2-Metadata-Token-Ttl-Seconds: 21600\r\nContent-Length: 0\r\n\r\n",
            env!("CARGO_PKG_VERSION")
        );
        assert_eq!(String::from_utf8(bytes).unwrap(), expected);
    }

    #[test]
    fn every_framing_gives_the_same_body_however_it_is_cut() {
        for (bytes, reusable) in [
            (&b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"[..], true),
            (b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\nconnection: Close\r\n\r\nhello", false),
            (b"HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello", false),
            (b"HTTP/1.0 200 OK\r\nContent-Length: 5\r\nConnection: keep-alive\r\n\r\nhello", true),
            (b"HTTP/1.0 200 OK\r\n\r\nhello", false),
            (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3;x=y\r\nllo\r\n0\r\nT: x\r\n\r\n", true),
            (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", true),
            (b"HTTP/1.1 200\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nhello", true),
        ] {
            for piece in 1..=bytes.len() {
                let answer = decode(bytes, piece, 5).unwrap();
                assert_eq!((answer.status, &answer.body[..], answer.reusable), (200, &b"hello"[..], reusable));
            }
        }
    }

    #[test]
    fn what_is_no_answer() {
        let malformed = CodecError::Malformed;
        for (bytes, error) in [
            (&b""[..], CodecError::Nothing),
            (b"HTTP/1.1 200 OK\r\nContent-Le", CodecError::Truncated),
            (b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nhello", CodecError::Truncated),
            (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", CodecError::Truncated),
            (b"HTTP/1.1 200 OK\r\nContent-Length: 65\r\n\r\n", CodecError::TooLarge),
            (b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999999\r\n\r\n", CodecError::TooLarge),
            (
                b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffffffff\r\n",
                CodecError::TooLarge,
            ),
            (b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", malformed("bad Content-Length")),
            (
                b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
                malformed("two Content-Lengths"),
            ),
            (
                b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
                malformed("both Content-Length and Transfer-Encoding"),
            ),
            (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n", malformed("unknown Transfer-Encoding")),
            (
                b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n+5\r\nhello\r\n",
                malformed("bad chunk size"),
            ),
            (
                b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhello\r\n",
                malformed("chunk longer than its size"),
            ),
            (b"SSH-2.0-OpenSSH_9\r\n", malformed("not HTTP/1")),
        ] {
            assert_eq!(decode(bytes, usize::MAX, 64).unwrap_err(), error, "{}", bytes.escape_ascii());
        }
        let endless = [&b"HTTP/1.1 200 OK\r\nX: "[..], &vec![b'x'; 20_000]].concat();
        assert_eq!(decode(&endless, 1000, 64).unwrap_err(), malformed("head too large"));
        let growing = [&b"HTTP/1.0 200 OK\r\n\r\n"[..], &[b'x'; 65]].concat();
        assert_eq!(decode(&growing, 10, 64).unwrap_err(), CodecError::TooLarge);
    }

    #[test]
    fn a_200_that_the_service_never_sends_is_no_value() {
        let page = CodecError::Malformed("it is a web page, as a proxy or a captive portal sends");
        let encoded = CodecError::Malformed("it has a `Content-Encoding`, which the service never uses");
        let framing = CodecError::Malformed("unknown Transfer-Encoding");
        for (head, error) in [
            ("HTTP/1.1 200 OK\r\nContent-Type: text/html", page),
            ("HTTP/1.0 200 OK\r\ncontent-type:  TEXT/HTML;charset=utf-8", page),
            ("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Type: text/html", page),
            ("HTTP/1.1 200 OK\r\nContent-Type: text/plain, text/html", page),
            ("HTTP/1.1 200 OK\r\nContent-Type: application/xhtml+xml", page),
            ("HTTP/1.1 200 OK\r\nContent-Encoding: gzip", encoded),
            ("HTTP/1.1 200 OK\r\ncontent-encoding: BR", encoded),
            ("HTTP/1.1 200 OK\r\nContent-Encoding: identity, gzip", encoded),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked", framing),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, gzip", framing),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, chunked", framing),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\nTransfer-Encoding: chunked", framing),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: identity", framing),
            ("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked", framing),
        ] {
            let bytes = format!("{head}\r\n\r\n5\r\nhello\r\n0\r\n\r\n");
            for piece in [1, 7, usize::MAX] {
                assert_eq!(decode(bytes.as_bytes(), piece, 64).unwrap_err(), error, "{head}");
            }
            let mut decoder = Decoder::streaming(64);
            assert_eq!(decoder.receive(bytes.as_bytes()).unwrap_err(), error, "{head}");
            assert!(decoder.opened().is_none());
        }
        for head in [
            "Content-Type: text/plain",
            "Content-Encoding: identity",
            "X: y",
            "Content-Type: application/octet-stream",
        ] {
            let bytes = format!("HTTP/1.1 200 OK\r\n{head}\r\nContent-Length: 5\r\n\r\nhello");
            assert_eq!(decode(bytes.as_bytes(), usize::MAX, 64).unwrap().body, b"hello", "{head}");
        }
    }

    #[test]
    fn the_status_of_an_error_counts_whatever_its_body_is() {
        let long = "x".repeat(100_000);
        for (status, head, body) in [
            (404, "Content-Length: 100000", long.as_str()),
            (503, "X: y", long.as_str()),
            (503, "Transfer-Encoding: chunked", &*format!("186a0\r\n{long}\r\n0\r\n\r\n")),
            (
                404,
                "Transfer-Encoding: chunked",
                &*format!("{}0\r\n\r\n", "400\r\n".to_owned() + &"x".repeat(1024) + "\r\n").repeat(30),
            ),
            (404, "Content-Length: 99999999999999999999", ""),
            (404, "Content-Length: 100", "cut"),
            (500, "Transfer-Encoding: chunked", "5\r\nhe"),
            (403, "Content-Type: text/html\r\nContent-Encoding: gzip\r\nContent-Length: 2", "\u{1f}x"),
        ] {
            let bytes = format!("HTTP/1.1 {status} X\r\n{head}\r\n\r\n{body}");
            for piece in [1, 4096, usize::MAX] {
                let answer = decode(bytes.as_bytes(), piece, 64).unwrap();
                assert_eq!(answer.status, status, "{head}");
                assert!(answer.body.len() <= ERROR_BODY_LIMIT, "{head}: {}", answer.body.len());
            }
        }
    }

    #[test]
    fn bytes_behind_an_answer_end_the_connection() {
        let answer = decode(b"HTTP/1.1 204 No Content\r\n\r\nHTTP/1.1", usize::MAX, 64).unwrap();
        assert!(!answer.reusable);
    }

    proptest! {
        #[test]
        fn any_bytes_are_an_answer_or_an_error(bytes in any::<Vec<u8>>(), piece in 1_usize..64) {
            let _ = decode(&bytes, piece, 64);
            let _ = decode(&[b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", &bytes[..]].concat(), piece, 64);
            let _ = decode(&[b"HTTP/1.1 200 OK\r\nX: y\r\n", &bytes[..]].concat(), piece, 64);
        }

        #[test]
        fn any_body_in_any_chunks_comes_through(body in proptest::collection::vec(any::<u8>(), 0..300), chunk in 1_usize..40, piece in 1_usize..40) {
            let mut bytes = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
            for chunk in body.chunks(chunk) {
                bytes.extend(format!("{:x}\r\n", chunk.len()).bytes().chain(chunk.iter().copied()).chain(*b"\r\n"));
            }
            bytes.extend(b"0\r\n\r\n");
            prop_assert_eq!(decode(&bytes, piece, 300).unwrap().body, body);
        }
    }
}
