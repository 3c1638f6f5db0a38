//! Runs an call on tokio, in the task that asks.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpStream, lookup_host};
use tokio::time::{sleep, timeout};
use zeroize::Zeroizing;

use super::pool::{self, Pool};
use super::{HEAD_START, RECEIVE, Winner, addresses};
use crate::clock::{Clock, Moment};
use crate::config::endpoint::Endpoint;
use crate::error::Error;
use crate::protocol::call::{Call, Success};
use crate::protocol::shared::Shared;
use crate::protocol::step::{Event, NotifyName, Step};

pub(crate) type Connection = pool::Connection<TcpStream>;

/// The connections of one client.
#[derive(Debug, Default)]
pub(crate) struct Driver {
    pool: Pool<TcpStream>,
    winner: Winner,
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
        let mut buffer = Zeroizing::new(vec![0; RECEIVE]);
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
                Step::Release { reusable } => self.release(shared, &mut connection, reusable),
                Step::Connect { fresh, until } => {
                    if fresh {
                        // One kept connection was dead: the others are no better.
                        self.pool.clear();
                    }
                    let idle = if fresh { None } else { self.pool.take(now) };
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
                        Err(error) => {
                            if let (io::ErrorKind::TimedOut, Some(connection)) = (error.kind(), &connection) {
                                let endpoints = shared.settings.endpoint.endpoints().len();
                                self.winner.lost(connection.endpoint, endpoints);
                            }
                            Event::Failed(error)
                        }
                    };
                    call.event(shared.clock.now(), event);
                }
            }
        }
    }

    /// Keeps the connection for another request, or drops it.
    pub(crate) fn release(&self, shared: &Shared, connection: &mut Option<Connection>, reusable: bool) {
        if let (Some(connection), true) = (connection.take(), reusable) {
            self.pool.put(connection, shared.clock.now());
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

    async fn connect(&self, shared: &Shared, until: Moment) -> io::Result<Connection> {
        let endpoints = shared.settings.endpoint.endpoints();
        let clock = &shared.clock;
        if let Some(index) = self.winner.get(endpoints.len()) {
            let endpoint = endpoints.get(index).ok_or(io::ErrorKind::NotFound)?;
            match connect(endpoint, clock, until).await {
                Ok(stream) => return Ok(Connection { stream, endpoint: index }),
                Err(error) if endpoints.len() == 1 => return Err(error),
                // The winner of an earlier race is gone: the other may be there.
                Err(_) => self.winner.lost(index, endpoints.len()),
            }
        }
        let [one, other, ..] = endpoints else { return Err(io::ErrorKind::NotFound.into()) };
        let (index, stream) = if self.winner.first() == 0 {
            race((0, one), (1, other), clock, until).await?
        } else {
            race((1, other), (0, one), clock, until).await?
        };
        self.winner.set(index);
        Ok(Connection { stream, endpoint: index })
    }
}

async fn in_time<T>(at_most: Duration, action: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    timeout(at_most, action).await.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
}

/// Connects to the first address of the endpoint that accepts. Each address has its share of the
/// time that is left, so that one that drops packets does not use up the others'.
async fn connect(endpoint: &Endpoint, clock: &Arc<dyn Clock>, until: Moment) -> io::Result<TcpStream> {
    let addresses = match addresses::without_resolver(endpoint)? {
        Some(addresses) => addresses,
        None => {
            let name = (endpoint.host(), endpoint.port());
            in_time(until - clock.now(), lookup_host(name)).await?.collect()
        }
    };
    let mut failure = io::Error::from(io::ErrorKind::TimedOut);
    for (at, address) in addresses.iter().enumerate() {
        let left = u32::try_from(addresses.len() - at).unwrap_or(u32::MAX);
        match in_time((until - clock.now()) / left, TcpStream::connect(address)).await {
            Ok(stream) => return Ok(stream),
            Err(error) => failure = error,
        }
    }
    Err(failure)
}

/// Connects to the first endpoint, and [`HEAD_START`] behind it or as soon as it has failed to the
/// second, and returns the one that accepts first.
async fn race(
    (first, first_endpoint): (usize, &Endpoint),
    (second, second_endpoint): (usize, &Endpoint),
    clock: &Arc<dyn Clock>,
    until: Moment,
) -> io::Result<(usize, TcpStream)> {
    let ahead = connect(first_endpoint, clock, until);
    tokio::pin!(ahead);
    let first_failed = tokio::select! {
        biased;
        made = &mut ahead => match made {
            Ok(stream) => return Ok((first, stream)),
            Err(_) => true,
        },
        () = sleep(HEAD_START) => false,
    };
    let behind = connect(second_endpoint, clock, until);
    if first_failed {
        return Ok((second, behind.await?));
    }
    tokio::pin!(behind);
    tokio::select! {
        made = &mut ahead => match made {
            Ok(stream) => Ok((first, stream)),
            Err(_) => Ok((second, behind.await?)),
        },
        made = &mut behind => match made {
            Ok(stream) => Ok((second, stream)),
            Err(_) => Ok((first, ahead.await?)),
        },
    }
}
