//! Runs an exchange on tokio, in the task that asks.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpStream, lookup_host};
use tokio::time::{sleep, timeout};

use crate::blocking_driver::{HEAD_START, RECEIVE, UNDECIDED};
use crate::clock::Moment;
use crate::core::Core;
use crate::endpoint::Endpoint;
use crate::error::Error;
use crate::exchange::{Exchange, Success};
use crate::step::{Event, SignalName, Step};

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
    pub(crate) async fn run(&self, core: &Core, mut exchange: Exchange) -> Result<Success, Error> {
        self.drive(core, &mut exchange).await;
        exchange.take()
    }

    /// Does what the exchange asks for until it has its result; the connection that it has not released.
    pub(crate) async fn drive(&self, core: &Core, exchange: &mut Exchange) -> Option<Connection> {
        let mut connection: Option<Connection> = None;
        // On the heap: a task's future should not carry it.
        let mut buffer = vec![0; RECEIVE];
        loop {
            let now = core.clock.now();
            match exchange.step(now) {
                Step::Done => return connection,
                Step::Wait { on: None, until } => sleep(until - now).await,
                Step::Wait { on: Some((SignalName::Landed, seen)), until } => {
                    core.session.landed.wait_task(seen, until - now).await;
                }
                Step::Wait { on: Some((SignalName::Freed, seen)), until } => {
                    core.budget.freed.wait_task(seen, until - now).await;
                }
                Step::Release { reusable } => self.release(&mut connection, reusable),
                Step::Connect { fresh, until } => {
                    let idle = if fresh { None } else { self.idle().pop() };
                    let reused = idle.is_some();
                    let made = match idle {
                        Some(connection) => Ok(connection),
                        None => self.connect(core, until).await,
                    };
                    let (event, made) = match made {
                        Ok(made) => (Event::Connected { endpoint: made.endpoint, reused }, Some(made)),
                        Err(error) => (Event::Failed(error), None),
                    };
                    exchange.event(core.clock.now(), event);
                    connection = made;
                }
                Step::Send { until } => {
                    let sent = match &mut connection {
                        Some(connection) => {
                            in_time(until - now, connection.stream.write_all(exchange.outgoing())).await
                        }
                        None => Err(io::ErrorKind::NotConnected.into()),
                    };
                    exchange.event(core.clock.now(), sent.map_or_else(Event::Failed, |()| Event::Sent));
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
                    exchange.event(core.clock.now(), event);
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

    async fn connect(&self, core: &Core, until: Moment) -> io::Result<Connection> {
        let endpoints = core.settings.endpoint.endpoints();
        let at_most = until - core.clock.now();
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

/// Connects to the first endpoint, and [`HEAD_START`] behind it or as soon as it has failed to the second, and takes
/// whichever accepts first.
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
