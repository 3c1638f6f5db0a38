//! The library's front: a builder, and an emulator on a thread of its own.

mod builder;

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::thread::JoinHandle;

use tokio::sync::watch;

pub use builder::Builder;

use crate::base::error::Error;
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
        let (listen, control) = (self.listen.clone(), self.control);
        let service = self.build()?;
        let listeners = listen.into_iter().map(bind).collect::<Result<Vec<_>, _>>()?;
        let addresses: Vec<SocketAddr> = listeners.iter().map(|(_, address)| *address).collect();
        let control = control.map(bind_control).transpose()?;
        let control_address = control.as_ref().map(|(_, address)| *address);
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

fn bind_control(address: SocketAddr) -> Result<(TcpListener, SocketAddr), Error> {
    crate::control::check_address(address).map_err(|source| Error::Listen { address, source })?;
    bind(address)
}

/// Serves every listener until the emulator is dropped, which ends the channel.
async fn serve(
    service: Service,
    listeners: Vec<(TcpListener, SocketAddr)>,
    control: Option<(TcpListener, SocketAddr)>,
    stopped: watch::Receiver<()>,
) {
    let until = |mut stopped: watch::Receiver<()>| async move { while stopped.changed().await.is_ok() {} };
    let endpoint = listeners.first().map(|(_, address)| format!("http://{address}")).unwrap_or_default();
    if let Some((listener, _)) = control
        && let Ok(listener) = tokio::net::TcpListener::from_std(listener)
    {
        let (service, shutdown) = (service.clone(), until(stopped.clone()));
        tokio::spawn(async move { service.run_control(listener, &endpoint, shutdown).await });
    }
    for (listener, _) in listeners {
        if let Ok(listener) = tokio::net::TcpListener::from_std(listener) {
            let (service, shutdown) = (service.clone(), until(stopped.clone()));
            // An error of `run` means that the port was lost while nothing listened: clients are
            // refused from then on.
            tokio::spawn(async move { service.run(listener, shutdown).await });
        }
    }
    until(stopped).await;
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
    thread: Option<JoinHandle<()>>,
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

impl Drop for Emulator {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A panic on that thread has been printed already.
            let _ = thread.join();
        }
    }
}
