//! Runs a call on `std::net`, on the calling thread.

use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs as _};
use std::sync::{Arc, mpsc};
use std::time::Duration;

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
    pub(crate) fn run(&self, shared: &Shared, mut call: Call) -> Result<Success, Error> {
        self.drive(shared, &mut call);
        call.take()
    }

    /// Does what the call asks for until it has its result, and returns the connection that it has
    /// not released.
    pub(crate) fn drive(&self, shared: &Shared, call: &mut Call) -> Option<Connection> {
        let mut connection: Option<Connection> = None;
        let mut buffer = Zeroizing::new([0; RECEIVE]);
        loop {
            let now = shared.clock.now();
            match call.step(now) {
                Step::Done => return connection,
                Step::Wait { on: None, until } => std::thread::sleep(until - now),
                Step::Wait { on: Some((NotifyName::FlightEnded, seen)), until } => {
                    shared.session.flight_ended.wait(seen, until - now);
                }
                Step::Wait { on: Some((NotifyName::PermitReleased, seen)), until } => {
                    shared.rate_limit.permit_released.wait(seen, until - now)
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
                        None => self.connect(shared, until),
                    };
                    let event = match &made {
                        Ok(connection) => Event::Connected { endpoint: connection.endpoint, reused },
                        Err(error) => Event::Failed(copy(error)),
                    };
                    call.event(shared.clock.now(), event);
                    connection = made.ok();
                }
                Step::Send { .. } => {
                    // A request is smaller than any socket buffer: sending it never waits.
                    let sent = with(&mut connection, |stream| stream.write_all(call.outgoing()));
                    call.event(shared.clock.now(), sent.map_or_else(Event::Failed, |()| Event::Sent));
                }
                Step::Receive { until } => {
                    let received = with(&mut connection, |stream| receive(stream, &mut *buffer, until - now));
                    let event = match &received {
                        Ok(length) => Event::Received(&buffer[..*length]),
                        Err(error) => {
                            if let (io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock, Some(connection)) =
                                (error.kind(), &connection)
                            {
                                let endpoints = shared.settings.endpoint.endpoints().len();
                                self.winner.lost(connection.endpoint, endpoints);
                            }
                            Event::Failed(copy(error))
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
    pub(crate) fn receive<'b>(
        &self,
        connection: &mut Option<Connection>,
        buffer: &'b mut Vec<u8>,
        timeout: Duration,
    ) -> io::Result<&'b [u8]> {
        buffer.resize(RECEIVE, 0);
        let length = with(connection, |stream| receive(stream, buffer, timeout))?;
        Ok(buffer.get(..length).unwrap_or_default())
    }

    fn connect(&self, shared: &Shared, until: Moment) -> io::Result<Connection> {
        let endpoints = shared.settings.endpoint.endpoints();
        let clock = &shared.clock;
        if let Some(index) = self.winner.get(endpoints.len()) {
            let endpoint = endpoints.get(index).ok_or(io::ErrorKind::NotFound)?;
            match connect(endpoint, clock, until) {
                Ok(stream) => return Ok(Connection { stream, endpoint: index }),
                Err(error) if endpoints.len() == 1 => return Err(error),
                // The winner of an earlier race is gone: the other may be there.
                Err(_) => self.winner.lost(index, endpoints.len()),
            }
        }
        let (index, stream) = race(endpoints, self.winner.first(), clock, until)?;
        self.winner.set(index);
        Ok(Connection { stream, endpoint: index })
    }
}

fn with<T>(
    connection: &mut Option<Connection>,
    action: impl FnOnce(&mut TcpStream) -> io::Result<T>,
) -> io::Result<T> {
    match connection {
        Some(connection) => action(&mut connection.stream),
        None => Err(io::ErrorKind::NotConnected.into()),
    }
}

fn receive(stream: &mut TcpStream, buffer: &mut [u8], timeout: Duration) -> io::Result<usize> {
    if timeout.is_zero() {
        return Err(io::ErrorKind::TimedOut.into());
    }
    stream.set_read_timeout(Some(timeout))?;
    loop {
        match stream.read(buffer) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}

/// Connects to the first address of the endpoint that accepts. Each address has its share of the
/// time that is left, so that one that drops packets does not use up the others'.
fn connect(endpoint: &Endpoint, clock: &Arc<dyn Clock>, until: Moment) -> io::Result<TcpStream> {
    let addresses = match addresses::without_resolver(endpoint)? {
        Some(addresses) => addresses,
        None => resolve(endpoint, until - clock.now())?,
    };
    let mut failure = io::Error::from(io::ErrorKind::TimedOut);
    for (at, address) in addresses.iter().enumerate() {
        let left = u32::try_from(addresses.len() - at).unwrap_or(u32::MAX);
        let share = (until - clock.now()) / left;
        if share.is_zero() {
            return Err(io::ErrorKind::TimedOut.into());
        }
        match TcpStream::connect_timeout(address, share) {
            Ok(stream) => return Ok(stream),
            Err(error) => failure = error,
        }
    }
    Err(failure)
}

/// Resolves the name of an endpoint within the time. The system's resolver knows no deadline, so
/// that it runs on a thread, which ends by itself.
fn resolve(endpoint: &Endpoint, timeout: Duration) -> io::Result<Vec<SocketAddr>> {
    let (tell, told) = mpsc::channel();
    let (host, port) = (endpoint.host().to_owned(), endpoint.port());
    std::thread::Builder::new().name("imds-resolve".to_owned()).spawn(move || {
        let _ = tell.send((&*host, port).to_socket_addrs().map(Iterator::collect));
    })?;
    told.recv_timeout(timeout).unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
}

/// Connects to several endpoints, each one [`HEAD_START`] behind the one before or as soon as that
/// has failed, and returns the first that accepts.
fn race(
    endpoints: &[Endpoint],
    first: usize,
    clock: &Arc<dyn Clock>,
    until: Moment,
) -> io::Result<(usize, TcpStream)> {
    let (tell, told) = mpsc::channel();
    let mut failure = io::Error::from(io::ErrorKind::TimedOut);
    let mut running = 0;
    let mut waiting = endpoints.iter().enumerate().cycle().skip(first).take(endpoints.len());
    let mut left = endpoints.len();
    loop {
        if let Some((index, endpoint)) = waiting.next() {
            let (tell, endpoint, clock) = (tell.clone(), endpoint.clone(), clock.clone());
            // The thread ends with its connect, which ends by the moment.
            std::thread::Builder::new().spawn(move || {
                let _ = tell.send((index, connect(&endpoint, &clock, until)));
            })?;
            running += 1;
            left -= 1;
        } else if running == 0 {
            return Err(failure);
        }
        let timeout = until - clock.now();
        match told.recv_timeout(if left > 0 { HEAD_START.min(timeout) } else { timeout }) {
            Ok((index, Ok(stream))) => return Ok((index, stream)),
            Ok((_, Err(error))) => {
                failure = error;
                running -= 1;
            }
            Err(_) if left > 0 => {}
            Err(_) => return Err(failure),
        }
    }
}

/// The same error once more: what it says matters on both sides of an event.
fn copy(error: &io::Error) -> io::Error {
    match error.raw_os_error() {
        Some(code) => io::Error::from_raw_os_error(code),
        None => io::Error::new(error.kind(), error.to_string()),
    }
}
