//! A value that is read as it comes, in a task.

use std::fmt;
use std::sync::Arc;

use imds_model::MetadataPath;

use crate::driver::tokio::{Connection, Driver};
use crate::error::Error;
use crate::protocol::body_stream::{BodyStream, Next};

/// [`Body`](crate::Body) for tasks, by [`chunk`](Self::chunk): the same rules.
///
/// ```
/// # let emulator = imds_emulator::Emulator::builder().start()?;
/// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
/// # let imds = imds::AsyncClient::builder().endpoint(emulator.endpoint()).no_store().build_async()?;
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
    stream: BodyStream,
    driver: Arc<Driver>,
    connection: Option<Connection>,
    buffer: Vec<u8>,
    content_type: Option<String>,
}

impl AsyncBody {
    pub(crate) fn new(
        stream: BodyStream,
        driver: Arc<Driver>,
        connection: Option<Connection>,
        content_type: Option<String>,
    ) -> Self {
        Self { stream, driver, connection, buffer: Vec::new(), content_type }
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

    /// The next bytes, as many as have come, a few kilobytes at most; `None` at the end. Nothing is lost where the future
    /// is dropped before it is ready.
    ///
    /// # Errors
    /// Where the answer stalls or ends early, here and each time that is asked again.
    pub async fn chunk(&mut self) -> Result<Option<Vec<u8>>, Error> {
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
        self.driver.release(&mut self.connection, reusable);
        self.stream.over();
    }
}

impl Drop for AsyncBody {
    fn drop(&mut self) {
        // The connection first, so that whoever has the next turn does not find four.
        self.over(false);
    }
}

impl fmt::Debug for AsyncBody {
    /// Without a byte of the value, which may be a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AsyncBody").field("path", self.stream.path()).finish_non_exhaustive()
    }
}
