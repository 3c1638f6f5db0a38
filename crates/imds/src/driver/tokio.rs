//! Runs an call on tokio, in the task that asks.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpStream, lookup_host};
use tokio::time::{sleep, timeout};

use crate::clock::Moment;
use crate::config::endpoint::Endpoint;
use crate::driver::{HEAD_START, RECEIVE, UNDECIDED};
use crate::error::Error;
use crate::protocol::call::{Call, Success};
use crate::protocol::shared::Shared;
use crate::protocol::step::{Event, NotifyName, Step};

/// The connections of one client.
#[derive(Debug)]
pub(crate) struct Driver {
    idle: Mutex<Vec<Connection>>,
    winner: AtomicUsize,
}

impl Default for Driver {
    fn default() -> Self {
        Self { idle: Mutex::default(), winner: AtomicUsize::new(UNDECIDED) }
    }
}

#[derive(Debug)]
pub(crate) struct Connection {
    stream: TcpStream,
    endpoint: usize,
}

impl Driver {
    pub(crate) async fn run(&self, shared: &Shared, mut call: Call) -> Result<Success, Error> {
        self.drive(shared, &mut call).await;
        call.take()
    }

    /// Does what the call asks for until it has its result; the connection that it has not
    /// released.
    pub(crate) async fn drive(&self, shared: &Shared, call: &mut Call) -> Option<Connection> {
        let mut connection: Option<Connection> = None;
        // On the heap: a task's future should not carry it.
        let mut buffer = vec![0; RECEIVE];
        loop {
            let now = shared.clock.now();
            match call.step(now) {
                Step::Done => return connection,
                Step::Wait { on: None, until } => sleep(until - now).await,
                Step::Wait { on: Some((NotifyName::FlightEnded, seen)), until } => {
                    shared.session.flight_ended.wait_task(seen, until - now).await;
                }
                Step::Wait { on: Some((NotifyName::PermitReleased, seen)), until } => {
                    shared.rate_limit.permit_released.wait_task(seen, until - now).await;
                }
                Step::Release { reusable } => self.release(&mut connection, reusable),
                Step::Connect { fresh, until } => {
                    let idle = if fresh { None } else { self.idle().pop() };
                    let reused = idle.is_some();
                    let made = match idle {
                        Some(connection) => Ok(connection),
                        None => self.connect(shared, until).await,
                    };
                    let (event, made) = match made {
                        Ok(made) => (Event::Connected { endpoint: made.endpoint, reused }, Some(made)),
                        Err(error) => (Event::Failed(error), None),
                    };
                    call.event(shared.clock.now(), event);
                    connection = made;
                }
                Step::Send { until } => {
                    let sent = match &mut connection {
                        Some(connection) => {
                            in_time(until - now, connection.stream.write_all(call.outgoing())).await
                        }
                        None => Err(io::ErrorKind::NotConnected.into()),
                    };
                    call.event(shared.clock.now(), sent.map_or_else(Event::Failed, |()| Event::Sent));
                }
                Step::Receive { until } => {
                    let received = match &mut connection {
                        Some(connection) => in_time(until - now, connection.stream.read(&mut buffer)).await,
                        None => Err(io::ErrorKind::NotConnected.into()),
                    };
                    let event = match received {
                        Ok(length) => Event::Received(&buffer[..length]),
                        Err(error) => Event::Failed(error),
                    };
                    call.event(shared.clock.now(), event);
                }
            }
        }
    }

    /// Keeps the connection for another request, or drops it.
    pub(crate) fn release(&self, connection: &mut Option<Connection>, reusable: bool) {
        if let (Some(connection), true) = (connection.take(), reusable) {
            self.idle().push(connection);
        }
    }

    /// Some bytes of a body.
    pub(crate) async fn receive<'b>(
        &self,
        connection: &mut Option<Connection>,
        buffer: &'b mut Vec<u8>,
        at_most: Duration,
    ) -> io::Result<&'b [u8]> {
        buffer.resize(RECEIVE, 0);
        let length = match connection {
            Some(connection) => in_time(at_most, connection.stream.read(buffer)).await?,
            None => return Err(io::ErrorKind::NotConnected.into()),
        };
        Ok(buffer.get(..length).unwrap_or_default())
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Connection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn connect(&self, shared: &Shared, until: Moment) -> io::Result<Connection> {
        let endpoints = shared.settings.endpoint.endpoints();
        let at_most = until - shared.clock.now();
        let winner = self.winner.load(Ordering::Relaxed);
        let (endpoint, stream) = in_time(at_most, async {
            match endpoints {
                [only] => Ok((0, connect(only).await?)),
                [first, second, ..] if winner == UNDECIDED => race(first, second).await,
                _ => match endpoints.get(winner) {
                    Some(endpoint) => Ok((winner, connect(endpoint).await?)),
                    None => Err(io::ErrorKind::NotFound.into()),
                },
            }
        })
        .await?;
        self.winner.store(endpoint, Ordering::Relaxed);
        Ok(Connection { stream, endpoint })
    }
}

async fn in_time<T>(at_most: Duration, action: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    timeout(at_most, action).await.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
}

/// Connects to the first address of the endpoint that accepts.
async fn connect(endpoint: &Endpoint) -> io::Result<TcpStream> {
    if let Ok(address) = endpoint.host().parse::<IpAddr>() {
        return TcpStream::connect(SocketAddr::new(address, endpoint.port())).await;
    }
    let addresses: Vec<_> = lookup_host((endpoint.host(), endpoint.port())).await?.collect();
    TcpStream::connect(&*addresses).await
}

/// Connects to the first endpoint, and [`HEAD_START`] behind it or as soon as it has failed to the
/// second, and takes whichever accepts first.
async fn race(first: &Endpoint, second: &Endpoint) -> io::Result<(usize, TcpStream)> {
    let ahead = connect(first);
    tokio::pin!(ahead);
    let first_failed = tokio::select! {
        biased;
        made = &mut ahead => match made {
            Ok(stream) => return Ok((0, stream)),
            Err(_) => true,
        },
        () = sleep(HEAD_START) => false,
    };
    let behind = connect(second);
    if first_failed {
        return Ok((1, behind.await?));
    }
    tokio::pin!(behind);
    tokio::select! {
        made = &mut ahead => match made {
            Ok(stream) => Ok((0, stream)),
            Err(_) => Ok((1, behind.await?)),
        },
        made = &mut behind => match made {
            Ok(stream) => Ok((1, stream)),
            Err(_) => Ok((0, ahead.await?)),
        },
    }
}
