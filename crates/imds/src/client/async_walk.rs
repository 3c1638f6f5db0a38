//! A whole tree, read in the task that asks.

use std::collections::VecDeque;
use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_core::Stream;
use imds_model::{MetadataPath, PathError};

use crate::client::response::Response;
use crate::client::tokio::AsyncClient;
use crate::client::walk::{Entry, Filter, WORKERS, beginning, below, is_gone};
use crate::error::Error;

type Reading = Pin<Box<dyn Future<Output = Result<Response, Error>> + Send>>;

/// Every value below a path; see [`AsyncClient::walk`]. Read it by [`next`](Self::next) or as a
/// [`Stream`]. Nothing is requested before that.
///
/// ```
/// # let emulator = imds_emulator::Emulator::builder().start()?;
/// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
/// # let builder = imds::AsyncClient::builder().endpoint(emulator.endpoint()).no_store();
/// # let imds = builder.build_async()?;
/// let mut leaves = imds.walk("placement")?;
/// while let Some(leaf) = leaves.next().await {
///     let leaf = leaf?;
///     println!("{} = {}", leaf.path(), leaf.text()?);
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use = "nothing is read before the walk is asked for its next value"]
pub struct AsyncWalk {
    client: AsyncClient,
    root: MetadataPath,
    filter: Option<Box<Filter>>,
    /// Entries listed so far.
    listed: usize,
    started: bool,
    /// Paths to ask for, and whether each is a directory.
    queue: VecDeque<(MetadataPath, bool)>,
    /// What is being read, and whether each is a directory.
    reading: Vec<(Reading, bool)>,
}

impl AsyncClient {
    /// Reads every value below a path, each exactly once, by a few requests at a time within the
    /// rate limit, as [`Client::walk`](crate::Client::walk) does.
    ///
    /// # Errors
    /// Returns [`ErrorKind::Path`](crate::ErrorKind::Path) if the text is no path. Errors of the
    /// reads themselves come out of [`AsyncWalk::next`].
    pub fn walk<P>(&self, path: P) -> Result<AsyncWalk, Error>
    where
        P: TryInto<MetadataPath>,
        PathError: From<P::Error>,
    {
        Ok(AsyncWalk::new(self.clone(), path.try_into().map_err(PathError::from)?))
    }
}

impl AsyncWalk {
    pub(crate) fn new(client: AsyncClient, root: MetadataPath) -> Self {
        let (root, is_directory) = beginning(root);
        let queue = VecDeque::from([(root.clone(), is_directory)]);
        Self { client, root, filter: None, listed: 0, started: false, queue, reading: Vec::new() }
    }

    /// Requests only the entries that the function returns `true` for. It is called once for each
    /// listed entry.
    pub fn filter(mut self, keep: impl Fn(&Entry) -> bool + Send + Sync + 'static) -> Self {
        self.filter = Some(Box::new(keep));
        self
    }

    /// Returns the next value as soon as one is read, and so in no fixed order, or `None` after the
    /// last. An error belongs to its own path ([`Error::path`]) and ends only what is below that.
    /// Nothing is lost if the future is dropped.
    pub async fn next(&mut self) -> Option<Result<Response, Error>> {
        poll_fn(|context| self.poll_leaf(context)).await
    }

    fn poll_leaf(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Response, Error>>> {
        if !self.started {
            self.started = true;
            self.client = self.client.within_deadline();
        }
        loop {
            while self.reading.len() < WORKERS
                && let Some((path, is_directory)) = self.queue.pop_front()
            {
                let client = self.client.clone();
                self.reading.push((Box::pin(async move { client.get(path).await }), is_directory));
            }
            if self.reading.is_empty() {
                return Poll::Ready(None);
            }
            let (answer, is_directory) = ready!(self.poll_any(context));
            match answer {
                Ok(listing) if is_directory => match below(&listing, self.filter.as_deref(), self.listed) {
                    Ok(found) => {
                        self.listed += found.len();
                        self.queue.extend(found);
                    }
                    Err(error) => return Poll::Ready(Some(Err(error))),
                },
                Err(error) if is_gone(&error, &self.root) => {}
                other => return Poll::Ready(Some(other)),
            }
        }
    }

    fn poll_any(&mut self, context: &mut Context<'_>) -> Poll<(Result<Response, Error>, bool)> {
        for (at, (reading, is_directory)) in self.reading.iter_mut().enumerate() {
            if let Poll::Ready(answer) = reading.as_mut().poll(context) {
                let is_directory = *is_directory;
                // Dropped only here: what is ready must not be polled again.
                drop(self.reading.swap_remove(at));
                return Poll::Ready((answer, is_directory));
            }
        }
        Poll::Pending
    }
}

impl Stream for AsyncWalk {
    type Item = Result<Response, Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.poll_leaf(context)
    }
}

impl fmt::Debug for AsyncWalk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AsyncWalk").field("queue", &self.queue).finish_non_exhaustive()
    }
}
