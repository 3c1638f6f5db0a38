//! The library's front: a builder, and an emulator on a thread of its own.

mod builder;

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::thread::JoinHandle;

use tokio::sync::watch;
use tokio::task::JoinSet;

pub use builder::Builder;

use crate::base::error::Error;
use crate::control::{self, ControlToken};
use crate::server::Service;
use crate::state::record::{Counters, RecordedRequest};

impl Builder {
    /// Starts the emulator on a thread of its own; it is bound when this returns and stops when it
    /// is dropped.
    ///
    /// # Errors
    /// Returns an error if the description cannot be, the address cannot be listened on, or the
    /// thread cannot be made.
    pub fn start(self) -> Result<Emulator, Error> {
        let (listen, control, token) = (self.listen.clone(), self.control, self.control_token.clone());
        let service = self.build()?;
        let listeners = listen.into_iter().map(bind).collect::<Result<Vec<_>, _>>()?;
        let addresses: Vec<SocketAddr> = listeners.iter().map(|(_, address)| *address).collect();
        let control = control.map(|address| bind_control(address, token)).transpose()?;
        let control_address = control.as_ref().map(|control| control.address);
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Error::Start)?;
        let (stop, stopped) = watch::channel(());
        let served = service.clone();
        let serve = move || runtime.block_on(serve(served, listeners, control, stopped));
        let thread =
            std::thread::Builder::new().name("imds-emulator".into()).spawn(serve).map_err(Error::Start)?;
        Ok(Emulator { service, addresses, control_address, stop: Some(stop), thread: Some(thread) })
    }
}

fn bind(address: SocketAddr) -> Result<(TcpListener, SocketAddr), Error> {
    let refused = |source| Error::Listen { address, source };
    let listener = TcpListener::bind(address).map_err(refused)?;
    listener.set_nonblocking(true).map_err(refused)?;
    let bound = listener.local_addr().map_err(refused)?;
    Ok((listener, bound))
}

/// The control API, bound.
struct Control {
    listener: TcpListener,
    address: SocketAddr,
    token: Option<ControlToken>,
}

fn bind_control(address: SocketAddr, token: Option<ControlToken>) -> Result<Control, Error> {
    control::check_address(address, token.as_ref()).map_err(|source| Error::Listen { address, source })?;
    let (listener, address) = bind(address)?;
    Ok(Control { listener, address, token })
}

/// Serves every listener until the emulator is dropped, which ends the channel, or until one of
/// them is lost.
async fn serve(
    service: Service,
    listeners: Vec<(TcpListener, SocketAddr)>,
    control: Option<Control>,
    stopped: watch::Receiver<()>,
) -> Result<(), Error> {
    let until = |mut stopped: watch::Receiver<()>| async move { while stopped.changed().await.is_ok() {} };
    let endpoint = listeners.first().map(|(_, address)| format!("http://{address}")).unwrap_or_default();
    let mut running = JoinSet::new();
    if let Some(Control { listener, address, token }) = control {
        let listener = tokio::net::TcpListener::from_std(listener).map_err(Error::Start)?;
        let (service, shutdown) = (service.clone(), until(stopped.clone()));
        running.spawn(async move {
            let served = service.run_control(listener, &endpoint, token, shutdown).await;
            served.map_err(|source| Error::Listen { address, source })
        });
    }
    for (listener, address) in listeners {
        let listener = tokio::net::TcpListener::from_std(listener).map_err(Error::Start)?;
        let (service, shutdown) = (service.clone(), until(stopped.clone()));
        running.spawn(async move {
            service.run(listener, shutdown).await.map_err(|source| Error::Listen { address, source })
        });
    }
    while let Some(ended) = running.join_next().await {
        // A panic of a listener was printed already.
        ended.map_err(|error| Error::Start(std::io::Error::other(error)))??;
    }
    Ok(())
}

/// A running emulator; it stops when it is dropped.
///
/// # Example
/// ```
/// use std::io::{Read, Write};
///
/// use imds_emulator::Emulator;
///
/// let emulator = Emulator::builder().set("placement/region", "eu-west-1").start()?;
/// let mut stream = std::net::TcpStream::connect(emulator.address())?;
/// stream.write_all(b"GET /latest/meta-data/placement/region HTTP/1.1\r\n\r\n")?;
/// let mut answer = String::new();
/// stream.read_to_string(&mut answer)?;
/// assert!(answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.ends_with("\r\n\r\neu-west-1"));
/// assert_eq!(emulator.counters().v1, 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Emulator {
    service: Service,
    addresses: Vec<SocketAddr>,
    control_address: Option<SocketAddr>,
    stop: Option<watch::Sender<()>>,
    thread: Option<JoinHandle<Result<(), Error>>>,
}

impl Emulator {
    /// Describes an emulator: the built-in instance on a free port of 127.0.0.1 unless told
    /// otherwise.
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// `http://127.0.0.1:PORT`, as `AWS_EC2_METADATA_SERVICE_ENDPOINT` wants it.
    #[must_use]
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address())
    }

    /// The address that it listens on, the first where there are several.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.addresses.first().copied().unwrap_or_else(|| (Ipv4Addr::LOCALHOST, 0).into())
    }

    /// Every address that it listens on.
    #[must_use]
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// The address of the control API, where there is one.
    #[must_use]
    pub const fn control_address(&self) -> Option<SocketAddr> {
        self.control_address
    }

    /// The service itself, to change it while it runs.
    #[must_use]
    pub const fn service(&self) -> &Service {
        &self.service
    }

    /// The requests that were answered, oldest first; the newest [`Builder::record_limit`] of them.
    #[must_use]
    pub fn requests(&self) -> Vec<RecordedRequest> {
        self.service.requests(0)
    }

    /// Counts of everything since the start.
    #[must_use]
    pub fn counters(&self) -> Counters {
        self.service.counters()
    }
}

impl Emulator {
    /// Waits until the emulator ends by itself, which it does only if it loses a port.
    ///
    /// # Errors
    /// Returns an error that says which port was lost, and why.
    pub fn wait(&mut self) -> Result<(), Error> {
        match self.thread.take().map(JoinHandle::join) {
            Some(Ok(ended)) => ended,
            // A panic on that thread was printed already.
            Some(Err(_)) => Err(Error::Start(std::io::Error::other("the server panicked"))),
            None => Ok(()),
        }
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A panic on that thread has been printed already.
            let _ = thread.join();
        }
    }
}
