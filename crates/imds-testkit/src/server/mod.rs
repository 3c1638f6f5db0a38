//! The fault server: a metadata service on a loopback port that does, request by request, what a
//! test ordered.

mod answer;
mod connection;
mod counts;
mod request;

use std::collections::{BTreeMap, VecDeque};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread::JoinHandle;
use std::time::Duration;

pub use answer::{Answer, Behaviour, Framing};
pub use counts::Counts;
pub use request::RequestSeen;

/// Longest time that [`FaultServer::wait_for`] waits: far above anything a healthy test takes on a
/// loaded machine.
const PATIENCE: Duration = Duration::from_secs(120);

/// A metadata service on `127.0.0.1`, port chosen by the system, that answers as ordered.
///
/// Two scripts, one for token PUTs and one for everything else; each is a queue of [`Behaviour`]s
/// that are used up one per request, then a steady one. A fresh server issues tokens and serves
/// `i-0123456789abcdef0` to requests that carry one of them.
///
/// Dropping the server ends its threads and fails the test if one of them panicked. So it does if a
/// request holds a secret in its path: a session token, or a text of what was served at the path of
/// a secret.
///
/// ```
/// use imds_testkit::{Answer, FaultServer};
///
/// let server = FaultServer::start();
/// server.next_get([Answer::status(503), Answer::status(503)]);
/// assert!(server.endpoint().starts_with("http://127.0.0.1:"));
/// assert_eq!(server.counts().token_puts, 0);
/// ```
#[derive(Debug)]
pub struct FaultServer {
    address: SocketAddr,
    shared: Arc<Shared>,
    acceptor: Option<JoinHandle<()>>,
}

/// What the acceptor, the connections and the test see together.
#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug)]
struct State {
    token_script: Script,
    get_script: Script,
    /// What GETs of these paths meet, whatever the script says.
    paths: BTreeMap<String, Behaviour>,
    /// Tokens issued and not revoked.
    tokens: Vec<String>,
    issued: u64,
    counts: Counts,
    requests: Vec<RequestSeen>,
    /// The texts of the secrets that were served, which no request may hold.
    secrets: Vec<String>,
    /// Secrets that requests did hold.
    leaked: Vec<String>,
    /// Open connections, so that dropping the server can end those that stall.
    open: Vec<(u64, TcpStream)>,
    handlers: Vec<JoinHandle<()>>,
    panics: Vec<String>,
    closing: bool,
}

#[derive(Debug)]
struct Script {
    queue: VecDeque<Behaviour>,
    steady: Behaviour,
}

impl Script {
    fn next(&mut self) -> Behaviour {
        self.queue.pop_front().unwrap_or_else(|| self.steady.clone())
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Changes the state and wakes every waiter.
    fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let result = change(&mut self.lock());
        self.changed.notify_all();
        result
    }
}

impl FaultServer {
    /// Starts a server that issues tokens and serves `i-0123456789abcdef0`.
    #[must_use]
    pub fn start() -> Self {
        Self::start_on("127.0.0.1:0".parse().expect("a literal address"))
    }

    /// Starts a server on one address, for a test in a network namespace of its own; see
    /// [`FaultServer::start`].
    #[must_use]
    pub fn start_on(address: SocketAddr) -> Self {
        let listener = TcpListener::bind(address).expect("bind the fault server");
        // std asks for a queue of 128; a thousand processes that start at once must not lose their
        // SYNs to it.
        rustix::net::listen(&listener, 4096).expect("deepen the accept queue");
        let address = listener.local_addr().expect("a bound listener has an address");
        let shared = Arc::new(Shared {
            state: Mutex::new(State {
                token_script: Script { queue: VecDeque::new(), steady: Behaviour::IssueToken },
                get_script: Script {
                    queue: VecDeque::new(),
                    steady: Behaviour::Serve(b"i-0123456789abcdef0".to_vec()),
                },
                paths: BTreeMap::new(),
                tokens: Vec::new(),
                issued: 0,
                counts: Counts::default(),
                requests: Vec::new(),
                secrets: Vec::new(),
                leaked: Vec::new(),
                open: Vec::new(),
                handlers: Vec::new(),
                panics: Vec::new(),
                closing: false,
            }),
            changed: Condvar::new(),
        });
        let acceptor = std::thread::spawn({
            let shared = Arc::clone(&shared);
            move || accept(&listener, &shared)
        });
        Self { address, shared, acceptor: Some(acceptor) }
    }

    /// The endpoint to give to a client.
    #[must_use]
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The address that the server listens on.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Orders what the next token PUTs meet, one behaviour each, before the steady one.
    pub fn next_token<B: Into<Behaviour>>(&self, behaviours: impl IntoIterator<Item = B>) -> &Self {
        let behaviours = behaviours.into_iter().map(Into::into);
        self.shared.change(|state| state.token_script.queue.extend(behaviours));
        self
    }

    /// Orders what every further token PUT meets.
    pub fn every_token(&self, behaviour: impl Into<Behaviour>) -> &Self {
        self.shared.change(|state| state.token_script.steady = behaviour.into());
        self
    }

    /// Orders what the next GETs meet, one behaviour each, before the steady one.
    pub fn next_get<B: Into<Behaviour>>(&self, behaviours: impl IntoIterator<Item = B>) -> &Self {
        let behaviours = behaviours.into_iter().map(Into::into);
        self.shared.change(|state| state.get_script.queue.extend(behaviours));
        self
    }

    /// Orders what every further GET meets.
    pub fn every_get(&self, behaviour: impl Into<Behaviour>) -> &Self {
        self.shared.change(|state| state.get_script.steady = behaviour.into());
        self
    }

    /// Orders what every GET of this path meets, whatever is ordered for GETs in general.
    pub fn at(&self, path: &str, behaviour: impl Into<Behaviour>) -> &Self {
        self.shared.change(|state| state.paths.insert(path.to_owned(), behaviour.into()));
        self
    }

    /// Forgets every token issued, as after a stop and start of the instance: requests that carry
    /// one meet 401.
    pub fn revoke_tokens(&self) -> &Self {
        self.shared.change(|state| state.tokens.clear());
        self
    }

    /// What the server saw since its start or the last [`FaultServer::take_counts`].
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.shared.lock().counts
    }

    /// The counts so far, which start again from zero.
    pub fn take_counts(&self) -> Counts {
        self.shared.change(|state| std::mem::take(&mut state.counts))
    }

    /// The requests seen, in the order of their arrival.
    #[must_use]
    pub fn requests(&self) -> Vec<RequestSeen> {
        self.shared.lock().requests.clone()
    }

    /// Waits until the counts satisfy `enough`; fails the test if they do not in two minutes.
    pub fn wait_for(&self, enough: impl Fn(&Counts) -> bool) -> Counts {
        let guard = self.shared.lock();
        let (guard, waited) = self
            .shared
            .changed
            .wait_timeout_while(guard, PATIENCE, |state| !enough(&state.counts))
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        let counts = guard.counts;
        drop(guard);
        assert!(!waited.timed_out(), "the fault server waited in vain; it saw {counts:?}");
        counts
    }

    /// Waits until no connection is open: what a client that was killed had sent is counted then,
    /// if a later client has been answered.
    pub fn wait_until_idle(&self) -> Counts {
        let guard = self.shared.lock();
        let (guard, waited) = self
            .shared
            .changed
            .wait_timeout_while(guard, PATIENCE, |state| !state.open.is_empty())
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        let counts = guard.counts;
        drop(guard);
        assert!(!waited.timed_out(), "connections to the fault server do not end");
        counts
    }
}

impl Drop for FaultServer {
    fn drop(&mut self) {
        self.shared.change(|state| {
            state.closing = true;
            for (_, stream) in &state.open {
                // Fails where the client left first, which is as good.
                let _ = stream.shutdown(Shutdown::Both);
            }
        });
        // Wakes the acceptor, which then sees that the server is closing.
        drop(TcpStream::connect(self.address));
        let mut panics = Vec::new();
        if let Some(acceptor) = self.acceptor.take() {
            panics.extend(acceptor.join().err().map(|panic| panic_text(&*panic)));
        }
        let handlers = self.shared.change(|state| std::mem::take(&mut state.handlers));
        panics
            .extend(handlers.into_iter().filter_map(|handler| handler.join().err()).map(|p| panic_text(&*p)));
        panics.append(&mut self.shared.lock().panics);
        if !std::thread::panicking() {
            assert!(panics.is_empty(), "the fault server's threads panicked: {panics:?}");
        }
    }
}

fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no text").to_owned()
}

/// Gives up the server's handle of a connection when its thread ends, by a panic too, so that the
/// client sees the end.
struct Closed<'s> {
    shared: &'s Shared,
    number: u64,
}

impl Drop for Closed<'_> {
    fn drop(&mut self) {
        self.shared.change(|state| state.open.retain(|(id, _)| *id != self.number));
    }
}

fn accept(listener: &TcpListener, shared: &Arc<Shared>) {
    let mut number = 0;
    loop {
        let (stream, _) = listener.accept().expect("accept a connection");
        if shared.lock().closing {
            return;
        }
        number += 1;
        let kept = stream.try_clone().expect("a second handle of a connection");
        shared.change(|state| {
            state.counts.connections += 1;
            state.open.push((number, kept));
        });
        let handler = std::thread::Builder::new().stack_size(128 * 1024).spawn({
            let shared = Arc::clone(shared);
            move || {
                let _closed = Closed { shared: &shared, number };
                connection::run(stream, &shared);
            }
        });
        let handler = handler.expect("start a connection's thread");
        shared.change(|state| {
            // Joins what has ended, so that a thousand connections do not keep a thousand threads'
            // remains.
            let (ended, running) =
                std::mem::take(&mut state.handlers).into_iter().partition(JoinHandle::is_finished);
            state.handlers = running;
            state.handlers.push(handler);
            let ended: Vec<JoinHandle<()>> = ended;
            let panics =
                ended.into_iter().filter_map(|handler| handler.join().err()).map(|p| panic_text(&*p));
            state.panics.extend(panics);
        });
    }
}
