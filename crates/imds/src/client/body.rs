//! A streaming value, read on the calling thread.

use std::fmt;
use std::io::{self, Read};
use std::sync::Arc;

use imds_model::MetadataPath;

use crate::driver::blocking::{Connection, Driver};
use crate::error::{Error, ErrorKind};
use crate::protocol::body_stream::{BodyStream, Next};

/// The bytes of a value, streaming and of any length: a few kilobytes are held at a time, and no
/// limit applies.
///
/// What is said of a call holds up to the answer's head: a session token that is refused is
/// renewed, and what can be repeated is repeated. From there on nothing is, since bytes may have
/// been handed out: an answer that stalls for longer than the read timeout, or ends early, is an
/// error, here and each time that is read again. The deadline of a call does not apply to how long
/// reading takes. A body that was read to its end gives its connection back; until it is, or is
/// dropped, it counts as one of the client's requests in flight.
///
/// ```
/// # let emulator = imds_emulator::Emulator::builder().start()?;
/// # let imds = imds::Client::builder().endpoint(emulator.endpoint()).no_store().build()?;
/// # let mut file = Vec::new();
/// if let Some(mut body) = imds.open_user_data()? {
///     let length = std::io::copy(&mut body, &mut file)?;
///     println!("{length} bytes");
/// }
/// # assert!(file.starts_with(b"{"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Body {
    stream: BodyStream,
    driver: Arc<Driver>,
    connection: Option<Connection>,
    buffer: Vec<u8>,
    content_type: Option<String>,
    /// What was received and is not yet read.
    piece: Vec<u8>,
    read: usize,
}

impl Body {
    pub(crate) fn new(
        stream: BodyStream,
        driver: Arc<Driver>,
        connection: Option<Connection>,
        content_type: Option<String>,
    ) -> Self {
        let (buffer, piece) = (Vec::new(), Vec::new());
        Self { stream, driver, connection, buffer, content_type, piece, read: 0 }
    }

    /// The path that was asked for.
    #[must_use]
    pub fn path(&self) -> &MetadataPath {
        self.stream.path()
    }

    /// The `Content-Type` of the answer.
    #[must_use]
    pub fn content_type(&self) -> Option<&str> {
        self.content_type.as_deref()
    }

    /// The next piece; `None` at the end.
    fn next(&mut self) -> Result<Option<Vec<u8>>, Error> {
        loop {
            let next = self.stream.next();
            match next {
                Ok(Next::Piece(piece)) => return Ok(Some(piece)),
                Ok(Next::Receive) => {
                    let timeout = self.stream.shared().settings.read_timeout;
                    let received = self.driver.receive(&mut self.connection, &mut self.buffer, timeout);
                    self.stream.received(received);
                }
                Ok(Next::End { reusable }) => {
                    self.over(reusable);
                    return Ok(None);
                }
                Err(error) => {
                    self.over(false);
                    return Err(error);
                }
            }
        }
    }

    fn over(&mut self, reusable: bool) {
        self.driver.release(self.stream.shared(), &mut self.connection, reusable);
        self.stream.over();
    }
}

impl Read for Body {
    /// The error inside is the library's own: `error.get_ref()` gives it.
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.read == self.piece.len() && !buffer.is_empty() {
            self.piece = self.next().map_err(io_error)?.unwrap_or_default();
            self.read = 0;
        }
        let left = self.piece.get(self.read..).unwrap_or_default();
        let length = left.len().min(buffer.len());
        for (to, from) in buffer.iter_mut().zip(left) {
            *to = *from;
        }
        self.read += length;
        Ok(length)
    }
}

fn io_error(error: Error) -> io::Error {
    let kind = match error.kind() {
        ErrorKind::Unreachable => io::ErrorKind::TimedOut,
        _ => io::ErrorKind::InvalidData,
    };
    io::Error::new(kind, error)
}

impl Drop for Body {
    fn drop(&mut self) {
        // The connection first, so that the next request in line does not find four.
        self.over(false);
    }
}

impl fmt::Debug for Body {
    /// Without a byte of the value, which may be a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Body").field("path", self.stream.path()).finish_non_exhaustive()
    }
}
