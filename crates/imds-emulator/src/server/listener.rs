//! One listener: accepts connections and has each one served.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::connection;
use super::service::Service;
use crate::base::limits::{BIND_ATTEMPTS, BIND_PAUSE};
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
    /// socket is closed, and bound again when that is over. If the port cannot be bound then, it is
    /// tried again for some seconds, during which the control API reports it.
    ///
    /// # Errors
    /// Returns an error if the port cannot be bound again.
    pub async fn run(&self, listener: TcpListener, shutdown: impl Future<Output = ()>) -> io::Result<()> {
        let address = listener.local_addr()?;
        let mut listener = Some(listener);
        let mut connections = JoinSet::new();
        let mut shutdown = pin!(shutdown);
        let mut changes = self.0.changes.subscribe();
        let mut unbound_since = None;
        loop {
            let (closed_until, mut wake) = self.due();
            if closed_until.is_some() {
                listener = None;
                connections.abort_all();
            } else if listener.is_none() {
                match TcpListener::bind(address).await {
                    Ok(bound) => {
                        listener = Some(bound);
                        unbound_since = None;
                        self.set_unbound(address, None);
                    }
                    Err(error) if still_trying(&mut unbound_since) => {
                        self.set_unbound(address, Some(&error));
                        wake = Some(BIND_PAUSE);
                    }
                    Err(error) => return Err(error),
                }
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
                Woken::Accepted(Err(_)) => tokio::time::sleep(BIND_PAUSE).await,
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

/// Whether a port that cannot be bound is tried again.
fn still_trying(since: &mut Option<Instant>) -> bool {
    since.get_or_insert_with(Instant::now).elapsed() < BIND_PAUSE * BIND_ATTEMPTS
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Event;
    use crate::event::fault::{Fault, FaultKind};

    fn refuse(service: &Service) {
        service.apply(Event::Fault(Fault::new(FaultKind::Refuse)));
    }

    /// Waits until the service says this of its listener.
    async fn until(service: &Service, unbound: usize) {
        let mut changes = service.0.changes.subscribe();
        while service.unbound().len() != unbound {
            changes.changed().await.unwrap();
        }
    }

    /// A listener of the service, and the same port taken by somebody else while it refuses.
    async fn taken() -> (Service, tokio::task::JoinHandle<io::Result<()>>, SocketAddr, TcpListener) {
        let service = crate::Emulator::builder().build().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (running, other) = (service.clone(), service.clone());
        let served = tokio::spawn(async move { running.run(listener, std::future::pending()).await });
        refuse(&other);
        let taken = loop {
            match TcpListener::bind(address).await {
                Ok(taken) => break taken,
                Err(_) => tokio::task::yield_now().await,
            }
        };
        (service, served, address, taken)
    }

    fn runtime() -> tokio::runtime::Runtime {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
    }

    #[test]
    fn a_port_that_was_taken_meanwhile_is_bound_when_it_is_free() {
        runtime().block_on(async {
            let (service, _served, address, taken) = taken().await;
            service.apply(Event::ClearFaults);
            until(&service, 1).await;
            assert_eq!(service.unbound()[0].0, address);
            drop(taken);
            until(&service, 0).await;
            TcpStream::connect(address).await.unwrap();
        });
    }

    #[test]
    fn a_port_that_stays_taken_ends_the_service_with_an_error() {
        runtime().block_on(async {
            let (service, served, _, _taken) = taken().await;
            service.apply(Event::ClearFaults);
            let error = served.await.unwrap().unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::AddrInUse);
        });
    }
}
