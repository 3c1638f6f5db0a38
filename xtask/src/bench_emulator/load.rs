//! Clients that ask for a session token and read a value with it, again and again, and look at
//! every answer.

use std::io;
use std::net::SocketAddr;
use std::sync::Barrier;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use imds_model::header;

use crate::service::Client;

/// The value that is read, and what it is in the built-in instance.
pub(super) const PATH: &str = "/latest/meta-data/placement/region";
pub(super) const VALUE: &str = "us-east-1";

/// Exchanges of each client before memory is looked at first: the connections are there by then,
/// and the recorder holds as many requests as it ever will.
pub(super) const WARM_UP: u32 = 64;

/// How many clients, for how long and for how many tokens: whichever ends later.
#[derive(Clone, Copy)]
pub(super) struct Load {
    pub(super) clients: u32,
    pub(super) time: Duration,
    pub(super) tokens: u64,
}

/// What was seen.
pub(super) struct Outcome {
    pub(super) warm_kib: u64,
    pub(super) full_kib: u64,
    pub(super) tokens: u64,
    pub(super) gets: u64,
    pub(super) elapsed: Duration,
}

impl Load {
    /// Runs the clients to the end; the first wrong answer is an error.
    #[allow(clippy::disallowed_methods, reason = "measuring is this task's job")]
    pub(super) fn run(
        self,
        address: SocketAddr,
        memory: impl Fn() -> Result<u64, String>,
    ) -> Result<Outcome, String> {
        let (tokens, gets) = (AtomicU64::new(0), AtomicU64::new(0));
        // The clients and this thread meet three times: warm, memory looked at, done.
        let meeting = Barrier::new(usize::try_from(self.clients).map_err(|error| error.to_string())? + 1);
        let client = || -> io::Result<()> {
            let connected = Client::connect(address);
            let warm = connected.and_then(|mut client| {
                (0..WARM_UP).try_for_each(|_| exchange(&mut client, &tokens, &gets)).map(|()| client)
            });
            meeting.wait();
            meeting.wait();
            let started = Instant::now();
            let done = warm.and_then(|mut client| {
                while started.elapsed() < self.time || tokens.load(Ordering::Relaxed) < self.tokens {
                    exchange(&mut client, &tokens, &gets)?;
                }
                Ok(client)
            });
            // Every client comes here, so that none waits for one that failed; connections end
            // after this.
            meeting.wait();
            meeting.wait();
            done.map(drop)
        };
        thread::scope(|scope| {
            let clients: Vec<_> = (0..self.clients).map(|_| scope.spawn(client)).collect();
            meeting.wait();
            let warm_kib = memory();
            meeting.wait();
            let started = Instant::now();
            meeting.wait();
            let elapsed = started.elapsed();
            let full_kib = memory();
            meeting.wait();
            for client in clients {
                let ended = client.join().map_err(|_| "a client's thread ended in a panic".to_owned())?;
                ended.map_err(|error| format!("a client under load: {error}"))?;
            }
            let (tokens, gets) = (tokens.load(Ordering::Relaxed), gets.load(Ordering::Relaxed));
            Ok(Outcome { warm_kib: warm_kib?, full_kib: full_kib?, tokens, gets, elapsed })
        })
    }
}

/// A session token that outlives the task.
pub(super) fn token(address: SocketAddr) -> io::Result<String> {
    Client::connect(address)?.token()
}

fn exchange(client: &mut Client, tokens: &AtomicU64, gets: &AtomicU64) -> io::Result<()> {
    let token = client.token()?;
    tokens.fetch_add(1, Ordering::Relaxed);
    let value = client.ask("GET", PATH, header::TOKEN, &token)?.value(PATH)?;
    if value != VALUE {
        return Err(io::Error::other(format!("`{PATH}` is `{value}`")));
    }
    gets.fetch_add(1, Ordering::Relaxed);
    Ok(())
}
