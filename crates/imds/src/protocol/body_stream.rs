//! A body as it comes, without I/O: what a driver receives goes in, pieces come out, and nothing
//! else is held.

use std::fmt;
use std::io;
use std::sync::Arc;

use imds_model::MetadataPath;

use crate::error::Error;
use crate::protocol::classify;
use crate::protocol::http::CodecError;
use crate::protocol::outcome::{Failure, RemainingBody};
use crate::protocol::shared::Shared;

/// What a reader has next.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// A piece of the body; never empty.
    Piece(Vec<u8>),
    /// Something has to be received first.
    Receive,
    /// That was all of it; whether the connection can carry another request.
    End { reusable: bool },
}

pub(crate) struct BodyStream {
    path: MetadataPath,
    shared: Arc<Shared>,
    rest: Option<RemainingBody>,
    piece: Vec<u8>,
    /// Whether enough has come to know that it is no web page.
    judged: bool,
    state: State,
}

enum State {
    Open,
    Complete { reusable: bool },
    Failed(Error),
}

impl BodyStream {
    /// A body that came in one piece with its head, or what comes after the head.
    pub(crate) fn new(
        shared: Arc<Shared>,
        path: MetadataPath,
        whole: Vec<u8>,
        rest: Option<RemainingBody>,
    ) -> Self {
        let state = if rest.is_some() { State::Open } else { State::Complete { reusable: false } };
        let mut stream = Self { path, shared, rest, piece: whole, judged: false, state };
        if let Some(rest) = &mut stream.rest {
            stream.piece = rest.decoder.drain();
        }
        stream.judge();
        stream
    }

    pub(crate) const fn path(&self) -> &MetadataPath {
        &self.path
    }

    pub(crate) fn shared(&self) -> &Shared {
        &self.shared
    }

    /// # Errors
    /// Why nothing more comes, again each time: an end that is none must not look like one.
    pub(crate) fn next(&mut self) -> Result<Next, Error> {
        if self.judged && !self.piece.is_empty() {
            return Ok(Next::Piece(std::mem::take(&mut self.piece)));
        }
        match &self.state {
            State::Open => Ok(Next::Receive),
            State::Complete { reusable } => Ok(Next::End { reusable: *reusable }),
            State::Failed(error) => Err(error.clone()),
        }
    }

    /// Takes what was received; no bytes are the end of the connection.
    pub(crate) fn received(&mut self, received: io::Result<&[u8]>) {
        let Some(rest) = &mut self.rest else { return };
        let decoded = match received {
            Ok([]) => rest.decoder.finish().map(Some).map_err(undecodable),
            Ok(bytes) => rest.decoder.receive(bytes).map_err(undecodable),
            Err(error) => Err(match error.kind() {
                io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock => Failure::Stalled,
                _ => Failure::Lost(error),
            }),
        };
        match decoded {
            Ok(None) => self.piece.append(&mut rest.decoder.drain()),
            Ok(Some(mut answer)) => {
                self.piece.append(&mut answer.body);
                self.state = State::Complete { reusable: answer.reusable };
            }
            Err(failure) => {
                let subject = format!("`{}`", self.path);
                let error = classify::no_answer(&self.shared, &subject, rest.endpoint, failure);
                self.state = State::Failed(error.path_context(&self.path));
            }
        }
        self.judge();
    }

    /// Refuses a web page, once its begin has come.
    fn judge(&mut self) {
        let path = self.path.as_str();
        if self.judged || matches!(self.state, State::Open) && classify::may_become_page(path, &self.piece) {
            return;
        }
        self.judged = true;
        if classify::is_page(path, &self.piece) {
            self.piece.clear();
            self.state = State::Failed(classify::page(&format!("`{}`", self.path)).path_context(&self.path));
        }
    }

    /// Another request may have this one's turn. Not before the connection was given back or
    /// dropped.
    pub(crate) fn over(&mut self) {
        self.rest = None;
    }

    /// Bytes that are held, used or not.
    #[cfg(test)]
    fn held(&self) -> usize {
        self.piece.capacity() + self.rest.as_ref().map_or(0, |rest| rest.decoder.held())
    }
}

fn undecodable(error: CodecError) -> Failure {
    match error {
        CodecError::Nothing | CodecError::Truncated => Failure::Truncated,
        CodecError::TooLarge => Failure::TooLarge,
        CodecError::Malformed(reason) => Failure::Malformed(reason),
    }
}

impl fmt::Debug for BodyStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BodyStream").field("path", &self.path).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;
    use crate::protocol::http::Decoder;

    /// What a driver receives at once.
    const RECEIVE: usize = 4 * 1024;
    /// Sixteen times what a body may be that is read in one piece.
    const LENGTH: usize = 16 * crate::config::settings::BODY_LIMIT;

    fn stream(head: &str) -> BodyStream {
        let mut decoder = Decoder::streaming(crate::config::settings::BODY_LIMIT);
        assert_eq!(decoder.receive(head.as_bytes()), Ok(None));
        let head = decoder.opened().unwrap();
        assert_eq!((head.status, head.body.len()), (200, 0));
        let path = MetadataPath::from_static("/latest/user-data");
        let shared = crate::protocol::call::scripted::shared();
        BodyStream::new(shared, path, Vec::new(), Some(RemainingBody { decoder, _permit: None, endpoint: 0 }))
    }

    /// The pieces of a body that comes as long as it is asked for, and the most that was held on
    /// the way.
    fn read(mut stream: BodyStream, mut receive: impl FnMut() -> Vec<u8>) -> (usize, usize, bool) {
        let (mut length, mut most) = (0, 0);
        loop {
            match stream.next().unwrap() {
                Next::Piece(piece) => length += piece.len(),
                Next::Receive => stream.received(Ok(&receive())),
                Next::End { reusable } => return (length, most, reusable),
            }
            most = most.max(stream.held());
        }
    }

    #[test]
    fn a_large_body_is_never_held_whatever_its_framing() {
        let piece = vec![b'x'; RECEIVE];
        let fixed = stream(&format!("HTTP/1.1 200 OK\r\nContent-Length: {LENGTH}\r\n\r\n"));
        let fixed = read(fixed, || piece.clone());

        let chunk = format!("{:x}\r\n", RECEIVE * 3);
        let mut left = LENGTH / (RECEIVE * 3);
        let mut queue = std::collections::VecDeque::new();
        let chunked = stream("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
        let chunked = read(chunked, || {
            if queue.is_empty() {
                left = left.saturating_sub(1);
                queue.extend(if left > 0 { chunk.bytes().collect() } else { b"0\r\n\r\n".to_vec() });
                queue.extend(if left > 0 { vec![b'x'; RECEIVE * 3] } else { Vec::new() });
                queue.extend(if left > 0 { b"\r\n".to_vec() } else { Vec::new() });
            }
            let take = queue.len().min(RECEIVE);
            queue.drain(..take).collect()
        });

        let mut left = LENGTH / RECEIVE;
        let to_end = stream("HTTP/1.1 200 OK\r\n\r\n");
        let to_end = read(to_end, || {
            left = left.saturating_sub(1);
            if left > 0 { piece.clone() } else { Vec::new() }
        });

        for (framing, (length, most, _)) in [("fixed", fixed), ("chunked", chunked), ("to end", to_end)] {
            assert!(length > LENGTH - 8 * RECEIVE, "{framing}: {length}");
            assert!(most <= 4 * RECEIVE, "{framing}: {most} bytes were held");
        }
        assert_eq!((fixed.0, fixed.2), (LENGTH, true));
        assert!(!to_end.2, "the connection ended with the body");
    }

    #[test]
    fn an_end_that_is_none_is_an_error_each_time() {
        let cut = || {
            let mut cut = stream("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n");
            cut.received(Ok(b"12345"));
            assert_eq!(cut.next().unwrap(), Next::Piece(b"12345".to_vec()));
            assert_eq!(cut.next().unwrap(), Next::Receive);
            cut
        };
        for (received, kind, told) in [
            (Ok(&b""[..]), ErrorKind::Protocol, "ended before its stated length"),
            (
                Err(io::ErrorKind::TimedOut.into()),
                ErrorKind::Unreachable,
                "did not answer in time for `/latest",
            ),
            (Err(io::ErrorKind::ConnectionReset.into()), ErrorKind::Unreachable, "lost the connection to"),
        ] {
            let mut cut = cut();
            cut.received(received);
            for _ in 0..2 {
                let error = cut.next().unwrap_err();
                assert!(error.kind() == kind && error.to_string().contains(told), "{error}");
                assert_eq!(error.path().map(MetadataPath::as_str), Some("/latest/user-data"));
            }
        }
    }
}
