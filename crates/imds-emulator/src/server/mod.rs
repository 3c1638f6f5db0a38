//! The server: accepts connections and has each one served.
//!
//! It is a small HTTP/1.1 loop of its own on `httparse`, not hyper: the answers have to be the real service's byte by
//! byte (hyper normalises heads and speaks no HTTP/1.0 status line), faults cut, stall and reset them at any byte,
//! and one write per answer is what makes it keep up with nginx.

mod body;
mod connection;
mod head;
mod hops;

use std::future::Future;
use std::io;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::state::{Settings, State};

/// The emulated service; clones share one state.
#[derive(Clone, Debug)]
pub struct Service(Arc<Mutex<State>>);

impl Service {
    /// A service of these settings.
    #[must_use]
    pub(crate) fn new(settings: Settings) -> Self {
        Self(Arc::new(Mutex::new(State::new(settings))))
    }

    /// The state. Never held across a wait.
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Serves connections of this listener until `shutdown` is done; open connections end with it.
    ///
    /// # Errors
    /// Where the listener fails for good.
    pub async fn run(&self, listener: TcpListener, shutdown: impl Future<Output = ()>) -> io::Result<()> {
        let mut connections = JoinSet::new();
        let mut shutdown = pin!(shutdown);
        loop {
            let accepted = std::future::poll_fn(|context| {
                if shutdown.as_mut().poll(context).is_ready() {
                    return Poll::Ready(None);
                }
                listener.poll_accept(context).map(Some)
            });
            match accepted.await {
                None => return Ok(()),
                Some(Ok((stream, _))) => {
                    let number = self.state().recorder.connection();
                    connections.spawn(connection::serve(stream, self.clone(), number));
                    while connections.try_join_next().is_some() {}
                }
                // Out of descriptors, or the client gave up between SYN and accept: the next one may do better.
                Some(Err(_)) => tokio::time::sleep(Duration::from_millis(20)).await,
            }
        }
    }
}
