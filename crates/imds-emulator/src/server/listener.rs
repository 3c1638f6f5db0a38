//! One listener: accepts connections and has each one served.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use super::connection;
use super::service::Service;
use crate::base::time::Timestamp;

/// Why a listener's wait ended.
enum Woken {
    Shutdown,
    Changed,
    Accepted(io::Result<(TcpStream, SocketAddr)>),
}

impl Service {
    /// Serves connections of this listener until `shutdown` is done; open connections end with it.
    ///
    /// While a fault refuses connections, or the instance is terminated, nothing listens: the
    /// socket is closed, and bound again when that is over.
    ///
    /// # Errors
    /// Returns an error if the listener fails for good.
    pub async fn run(&self, listener: TcpListener, shutdown: impl Future<Output = ()>) -> io::Result<()> {
        let address = listener.local_addr()?;
        let mut listener = Some(listener);
        let mut connections = JoinSet::new();
        let mut shutdown = pin!(shutdown);
        let mut changes = self.0.changes.subscribe();
        loop {
            let (closed_until, wake) = self.due();
            if closed_until.is_some() {
                listener = None;
                connections.abort_all();
            } else if listener.is_none() {
                listener = Some(TcpListener::bind(address).await?);
            }
            let mut changed = pin!(async {
                // The sender lives as long as this service.
                let _ = changes.changed().await;
            });
            let mut timer = pin!(sleep(wake));
            let woken = std::future::poll_fn(|context| {
                let listener = listener.as_ref();
                poll(context, shutdown.as_mut(), changed.as_mut(), timer.as_mut(), listener)
            });
            match woken.await {
                Woken::Shutdown => return Ok(()),
                Woken::Changed => {}
                Woken::Accepted(Ok((stream, _))) => {
                    let number = self.state().recorder.connection();
                    connections.spawn(connection::serve(stream, self.clone(), number));
                    while connections.try_join_next().is_some() {}
                }
                // Out of descriptors, or the client gave up between SYN and accept: the next one
                // may do better.
                Woken::Accepted(Err(_)) => tokio::time::sleep(Duration::from_millis(20)).await,
            }
        }
    }

    /// Until when nothing listens, and how long until something happens by itself.
    fn due(&self) -> (Option<Timestamp>, Option<Duration>) {
        let mut state = self.state();
        let now = state.clock().now();
        state.advance(now);
        let closed_until = state.closed_until(now);
        let next = state.next_event().into_iter().chain(closed_until).min();
        let wake = next.filter(|time| *time != Timestamp::NEVER);
        (closed_until, wake.and_then(|time| state.clock().machine_wait(time.since(now))))
    }
}

/// Sleeps; for ever where there is nothing to wake for.
async fn sleep(wake: Option<Duration>) {
    match wake {
        // A moment more, so that the clock has passed the time when the sleep is over.
        Some(wait) => tokio::time::sleep(wait + Duration::from_millis(1)).await,
        None => std::future::pending().await,
    }
}

fn poll(
    context: &mut Context<'_>,
    shutdown: Pin<&mut impl Future<Output = ()>>,
    changed: Pin<&mut impl Future<Output = ()>>,
    timer: Pin<&mut impl Future<Output = ()>>,
    listener: Option<&TcpListener>,
) -> Poll<Woken> {
    if shutdown.poll(context).is_ready() {
        return Poll::Ready(Woken::Shutdown);
    }
    if changed.poll(context).is_ready() || timer.poll(context).is_ready() {
        return Poll::Ready(Woken::Changed);
    }
    match listener {
        Some(listener) => listener.poll_accept(context).map(Woken::Accepted),
        None => Poll::Pending,
    }
}
