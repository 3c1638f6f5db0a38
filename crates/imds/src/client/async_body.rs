//! A value that is streamed in a task.

use std::fmt;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use imds_model::MetadataPath;
use tokio::io::{AsyncRead, ReadBuf};

use crate::driver::tokio::{Connection, Driver};
use crate::error::Error;
use crate::protocol::body_stream::{BodyStream, Next};

/// [`Body`](crate::Body) for tasks, with the same rules: read it by [`chunk`](Self::chunk) or as an
/// [`AsyncRead`].
///
/// ```
/// # let emulator = imds_emulator::Emulator::builder().start()?;
/// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
/// # let builder = imds::AsyncClient::builder().endpoint(emulator.endpoint()).no_store();
/// # let imds = builder.build_async()?;
/// let mut length = 0;
/// if let Some(mut body) = imds.open_user_data().await? {
///     while let Some(chunk) = body.chunk().await? {
///         length += chunk.len();
///     }
/// }
/// # assert!(length > 0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct AsyncBody {
    path: MetadataPath,
    content_type: Option<String>,
    state: State,
    /// What a chunk held beyond the buffer of an [`AsyncRead`].
    left: Vec<u8>,
}

/// Either at rest or within one read. A future that is dropped leaves its read here for the next.
enum State {
    Idle(Box<Reading>),
    Busy(Pin<Box<dyn Future<Output = (Box<Reading>, Chunk)> + Send>>),
    /// Taken by the step that is under way.
    Moving,
}

type Chunk = Result<Option<Vec<u8>>, Error>;

/// The response under way with its connection.
struct Reading {
    stream: BodyStream,
    driver: Arc<Driver>,
    connection: Option<Connection>,
    buffer: Vec<u8>,
}

impl AsyncBody {
    pub(crate) fn new(
        stream: BodyStream,
        driver: Arc<Driver>,
        connection: Option<Connection>,
        content_type: Option<String>,
    ) -> Self {
        let path = stream.path().clone();
        let reading = Reading { stream, driver, connection, buffer: Vec::new() };
        Self { path, content_type, state: State::Idle(Box::new(reading)), left: Vec::new() }
    }

    /// Returns the requested path.
    #[must_use]
    pub fn path(&self) -> &MetadataPath {
        &self.path
    }

    /// Returns the `Content-Type` of the response.
    #[must_use]
    pub fn content_type(&self) -> Option<&str> {
        self.content_type.as_deref()
    }

    /// Returns the next bytes, a few kilobytes at most, or `None` at the end. Nothing is lost if
    /// the future is dropped before it is ready.
    ///
    /// # Errors
    /// Returns an error if the response stalls or ends early, and the same error at each later
    /// call.
    pub async fn chunk(&mut self) -> Result<Option<Vec<u8>>, Error> {
        if !self.left.is_empty() {
            return Ok(Some(std::mem::take(&mut self.left)));
        }
        poll_fn(|context| self.poll_chunk(context)).await
    }

    fn poll_chunk(&mut self, context: &mut Context<'_>) -> Poll<Chunk> {
        loop {
            match std::mem::replace(&mut self.state, State::Moving) {
                State::Idle(mut reading) => {
                    self.state = State::Busy(Box::pin(async move {
                        let chunk = reading.chunk().await;
                        (reading, chunk)
                    }));
                }
                State::Busy(mut busy) => {
                    let Poll::Ready((reading, chunk)) = busy.as_mut().poll(context) else {
                        self.state = State::Busy(busy);
                        return Poll::Pending;
                    };
                    self.state = State::Idle(reading);
                    return Poll::Ready(chunk);
                }
                // Only a panic within a step leaves this behind.
                State::Moving => return Poll::Ready(Ok(None)),
            }
        }
    }
}

impl AsyncRead for AsyncBody {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.left.is_empty() {
            match ready!(self.poll_chunk(context)) {
                Ok(chunk) => self.left = chunk.unwrap_or_default(),
                Err(error) => return Poll::Ready(Err(io::Error::other(error))),
            }
        }
        let length = self.left.len().min(buffer.remaining());
        let later = self.left.split_off(length);
        buffer.put_slice(&self.left);
        self.left = later;
        Poll::Ready(Ok(()))
    }
}

impl Reading {
    async fn chunk(&mut self) -> Chunk {
        loop {
            let next = self.stream.next();
            match next {
                Ok(Next::Piece(piece)) => return Ok(Some(piece)),
                Ok(Next::Receive) => {
                    let timeout = self.stream.shared().settings.read_timeout;
                    let received = self.driver.receive(&mut self.connection, &mut self.buffer, timeout).await;
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

impl Drop for Reading {
    fn drop(&mut self) {
        // The connection first, so that the request with the next permit does not find four.
        self.over(false);
    }
}

impl fmt::Debug for AsyncBody {
    /// Shows no byte of the value, which may be a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AsyncBody").field("path", &self.path).finish_non_exhaustive()
    }
}
