//! Runs an call on `std::net`, on the thread that asks.

use std::io::{self, Read as _, Write as _};
use std::net::{IpAddr, SocketAddr, TcpStream, ToSocketAddrs as _};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError, mpsc};
use std::time::Duration;

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
    /// The endpoint that won the race, once one has; otherwise [`UNDECIDED`].
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
    pub(crate) fn run(&self, shared: &Shared, mut call: Call) -> Result<Success, Error> {
        self.drive(shared, &mut call);
        call.take()
    }

    /// Does what the call asks for until it has its result; the connection that it has not
    /// released.
    pub(crate) fn drive(&self, shared: &Shared, call: &mut Call) -> Option<Connection> {
        let mut connection: Option<Connection> = None;
        let mut buffer = [0; RECEIVE];
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
                Step::Release { reusable } => self.release(&mut connection, reusable),
                Step::Connect { fresh, until } => {
                    let idle = if fresh { None } else { self.idle().pop() };
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
                    let received = with(&mut connection, |stream| receive(stream, &mut buffer, until - now));
                    let event = match &received {
                        Ok(length) => Event::Received(&buffer[..*length]),
                        Err(error) => Event::Failed(copy(error)),
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

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Connection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn connect(&self, shared: &Shared, until: Moment) -> io::Result<Connection> {
        let endpoints = shared.settings.endpoint.endpoints();
        let timeout = until - shared.clock.now();
        let winner = self.winner.load(Ordering::Relaxed);
        let known =
            if endpoints.len() == 1 { Some(0) } else { Some(winner).filter(|index| *index != UNDECIDED) };
        let (index, stream) = match known {
            Some(index) => {
                let endpoint =
                    endpoints.get(index).ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))?;
                (index, connect(endpoint, timeout)?)
            }
            None => race(endpoints, timeout)?,
        };
        self.winner.store(index, Ordering::Relaxed);
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

/// Connects to the first address of the endpoint that accepts.
fn connect(endpoint: &Endpoint, timeout: Duration) -> io::Result<TcpStream> {
    let mut failure = io::Error::from(io::ErrorKind::TimedOut);
    if timeout.is_zero() {
        return Err(failure);
    }
    for address in addresses(endpoint)? {
        match TcpStream::connect_timeout(&address, timeout) {
            Ok(stream) => return Ok(stream),
            Err(error) => failure = error,
        }
    }
    Err(failure)
}

fn addresses(endpoint: &Endpoint) -> io::Result<Vec<SocketAddr>> {
    // An address needs no resolver, whose start alone costs more than a whole request.
    if let Ok(address) = endpoint.host().parse::<IpAddr>() {
        return Ok(vec![SocketAddr::new(address, endpoint.port())]);
    }
    Ok((endpoint.host(), endpoint.port()).to_socket_addrs()?.collect())
}

/// Connects to several endpoints, each one [`HEAD_START`] behind the one before or as soon as that
/// has failed, and takes the first that accepts.
fn race(endpoints: &[Endpoint], timeout: Duration) -> io::Result<(usize, TcpStream)> {
    let (tell, told) = mpsc::channel();
    let mut failure = io::Error::from(io::ErrorKind::TimedOut);
    let mut running = 0;
    let mut waiting = endpoints.iter().enumerate();
    loop {
        let next = waiting.next();
        if let Some((index, endpoint)) = next {
            let (tell, endpoint) = (tell.clone(), endpoint.clone());
            // The thread ends with its connect, which is bounded by the timeout.
            std::thread::Builder::new().spawn(move || {
                let _ = tell.send((index, connect(&endpoint, timeout)));
            })?;
            running += 1;
        } else if running == 0 {
            return Err(failure);
        }
        let patience = if waiting.len() > 0 { HEAD_START } else { timeout };
        match told.recv_timeout(patience) {
            Ok((index, Ok(stream))) => return Ok((index, stream)),
            Ok((_, Err(error))) => {
                failure = error;
                running -= 1;
            }
            Err(_) if waiting.len() > 0 => {}
            Err(_) => return Err(failure),
        }
    }
}

/// The same error once more: what it says matters on both sides of an event.
fn copy(error: &io::Error) -> io::Error {
    match error.raw_os_error() {
        Some(code) => io::Error::from_raw_os_error(code),
        None => error.kind().into(),
    }
}
