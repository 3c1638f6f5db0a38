//! The library's front: a builder, and an emulator on a thread of its own.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::thread::JoinHandle;
use std::time::Duration;

use imds_model::MetadataOptions;
use imds_model::options::{HopLimit, HttpTokens, Switch};
use tokio::sync::watch;

use crate::clock::Clock;
use crate::error::{Error, Invalid};
use crate::event::Event;
use crate::fault::Fault;
use crate::instance::{Described, Instance, Lifecycle};
use crate::profile::Profile;
use crate::record::{Counters, DEFAULT_LIMIT, RecordedRequest};
use crate::server::Service;
use crate::snapshot::Snapshot;
use crate::state::{Settings, State};

/// Describes an emulated service; see [`Emulator::builder`].
#[derive(Clone)]
#[must_use = "a builder does nothing until `start` or `build`"]
pub struct Builder {
    listen: Vec<SocketAddr>,
    instance: Instance,
    options: MetadataOptions,
    profile: Profile,
    overrides: BTreeMap<String, Option<Vec<u8>>>,
    clock: Clock,
    token_key: Option<[u8; 32]>,
    record_limit: usize,
    snapshot: Option<Snapshot>,
    timeline: Vec<(Duration, Event)>,
    seed: Option<u64>,
    control: Option<SocketAddr>,
}

impl std::fmt::Debug for Builder {
    /// Values, user data and the key of the tokens are in it: they are left out.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Builder")
            .field("listen", &self.listen)
            .field("instance", &self.instance)
            .field("options", &self.options)
            .field("profile", &self.profile)
            .finish_non_exhaustive()
    }
}

impl Default for Builder {
    fn default() -> Self {
        Self {
            listen: vec![(Ipv4Addr::LOCALHOST, 0).into()],
            instance: Instance::default(),
            options: MetadataOptions {
                instance_metadata_tags: Switch::Enabled,
                ..MetadataOptions::default()
            },
            profile: Profile::default(),
            overrides: BTreeMap::new(),
            clock: Clock::real(),
            token_key: None,
            record_limit: DEFAULT_LIMIT,
            snapshot: None,
            timeline: Vec::new(),
            seed: None,
            control: None,
        }
    }
}

impl Builder {
    /// Where to listen; a free port of 127.0.0.1 unless told otherwise.
    ///
    /// An IPv6 address turns the option `HttpProtocolIpv6` on, without which nothing is answered there; options that
    /// are given later may turn it off again.
    pub fn listen(mut self, address: SocketAddr) -> Self {
        self.listen.clear();
        self.also_listen(address)
    }

    /// Where to listen as well, the IPv6 endpoint for one.
    pub fn also_listen(mut self, address: SocketAddr) -> Self {
        self.listen.push(address);
        if address.is_ipv6() {
            self.options.http_protocol_ipv6 = Switch::Enabled;
        }
        self
    }

    /// Where to listen for the control API, a loopback address; nowhere unless told so.
    pub const fn control(mut self, address: SocketAddr) -> Self {
        self.control = Some(address);
        self
    }

    /// The instance; the built-in one unless told otherwise.
    pub fn instance(mut self, instance: Instance) -> Self {
        self.instance = instance;
        self
    }

    /// What an instance file, or a preset, describes.
    pub fn described(mut self, described: impl Into<Described>) -> Self {
        let described = described.into();
        self.instance = described.instance;
        self.snapshot = described.snapshot;
        self.options = described.options;
        self.profile = described.profile;
        self.overrides.extend(described.overrides);
        self
    }

    /// The metadata options: the platform's defaults, with tags shown, unless told otherwise.
    pub const fn options(mut self, options: MetadataOptions) -> Self {
        self.options = options;
        self
    }

    /// Whether requests need a session token.
    pub const fn tokens(mut self, tokens: HttpTokens) -> Self {
        self.options.http_tokens = tokens;
        self
    }

    /// Whether the service answers at all; every request is refused with 403 where it does not.
    pub const fn endpoint(mut self, endpoint: Switch) -> Self {
        self.options.http_endpoint = endpoint;
        self
    }

    /// How far the answer to a token PUT travels.
    pub const fn hop_limit(mut self, hops: HopLimit) -> Self {
        self.options.http_put_response_hop_limit = hops;
        self
    }

    /// Whether IPv6 listeners answer.
    pub const fn ipv6(mut self, ipv6: Switch) -> Self {
        self.options.http_protocol_ipv6 = ipv6;
        self
    }

    /// Whether instance tags are shown.
    pub const fn tags(mut self, tags: Switch) -> Self {
        self.options.instance_metadata_tags = tags;
        self
    }

    /// Which generation of the real service the answers look like.
    pub const fn profile(mut self, profile: Profile) -> Self {
        self.profile = profile;
        self
    }

    /// A value at a path, above what the instance has there: `placement/region`, `/latest/user-data`.
    pub fn set(mut self, path: &str, value: impl Into<Vec<u8>>) -> Self {
        self.overrides.insert(State::key(path), Some(value.into()));
        self
    }

    /// Takes away what is at a path: `iam`, `user-data`.
    pub fn unset(mut self, path: &str) -> Self {
        self.overrides.insert(State::key(path), None);
        self
    }

    /// Where the time comes from.
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// The key of the session tokens; random unless told otherwise, so that tokens end with the emulator.
    pub const fn token_key(mut self, key: [u8; 32]) -> Self {
        self.token_key = Some(key);
        self
    }

    /// How many requests are kept for [`Emulator::requests`].
    pub const fn record_limit(mut self, requests: usize) -> Self {
        self.record_limit = requests;
        self
    }

    /// The tree of a real instance, in place of the model's.
    pub fn snapshot(mut self, snapshot: Snapshot) -> Self {
        self.snapshot = Some(snapshot);
        self
    }

    /// What happens this long after the start.
    pub fn event(mut self, after: Duration, event: Event) -> Self {
        self.timeline.push((after, event));
        self
    }

    /// A fault from the start on.
    pub fn fault(self, fault: Fault) -> Self {
        self.event(Duration::ZERO, Event::Fault(fault))
    }

    /// What rates of faults are drawn with; random unless told otherwise.
    pub const fn seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// The service without a listener or a thread: see [`Service::run`].
    ///
    /// # Errors
    /// Where the description cannot be, or the system has no random numbers.
    pub fn build(self) -> Result<Service, Error> {
        let token_key = match self.token_key {
            Some(key) => key,
            None => random_key()?,
        };
        let mut instance = self.instance;
        instance.check().map_err(Invalid::new)?;
        if let Some(snapshot) = &self.snapshot {
            // A snapshot holds what its instance was told; nothing of the built-in one is added.
            instance.lifecycle = Lifecycle::default();
            let id = snapshot.get("meta-data/instance-id").and_then(|id| std::str::from_utf8(id).ok());
            instance.instance_id = id.unwrap_or_default().to_owned();
        }
        let seed = match self.seed {
            Some(seed) => seed,
            None => u64::from(random_key()?[0]) << 8 | u64::from(random_key()?[0]),
        };
        Ok(Service::new(Settings {
            instance,
            snapshot: self.snapshot,
            timeline: self.timeline,
            seed,
            options: self.options,
            profile: self.profile,
            overrides: self.overrides,
            clock: self.clock,
            token_key,
            signer_seed: random_key()?,
            record_limit: self.record_limit,
        }))
    }

    /// Starts the emulator on a thread of its own; it is bound when this returns and stops when it is dropped.
    ///
    /// # Errors
    /// Where the description cannot be, the address cannot be listened on, or the thread cannot be made.
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
            // An error of `run` means that the port was lost while nothing listened: clients are refused from then on.
            tokio::spawn(async move { service.run(listener, shutdown).await });
        }
    }
    until(stopped).await;
}

fn random_key() -> Result<[u8; 32], Error> {
    let mut key = [0; 32];
    let mut filled = 0;
    while filled < key.len() {
        let flags = rustix::rand::GetRandomFlags::empty();
        filled +=
            rustix::rand::getrandom(&mut key[filled..], flags).map_err(|error| Error::Start(error.into()))?;
    }
    Ok(key)
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
    /// Describes an emulator: the built-in instance on a free port of 127.0.0.1 unless told otherwise.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_secret_is_shown() {
        let builder = Emulator::builder()
            .set("user-data", "p4ssw0rd")
            .token_key([77; 32])
            .event(Duration::ZERO, Event::UserData(Some(b"p4ssw0rd".to_vec())));
        let text =
            serde_json::from_str::<crate::EventText>(r#"{"event":"user-data","value":"p4ssw0rd"}"#).unwrap();
        let shown =
            format!("{builder:?} {:?} {text:?} {:?}", builder.timeline, builder.clone().build().unwrap());
        for secret in ["p4ssw0rd", "112, 52, 115", "77, 77", "ASIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI"] {
            assert!(!shown.contains(secret), "{shown}");
        }
        assert!(shown.contains("Event(user-data)"), "{shown}");
    }
}
