//! Which process this is: what a parent made is never used in a forked child.

use std::ffi::OsString;
use std::sync::atomic::{AtomicU64, Ordering};

use imds_model::env;
use pyo3::prelude::*;

use crate::gate;

static FORKS: AtomicU64 = AtomicU64::new(0);
static MOVES: AtomicU64 = AtomicU64::new(0);

/// The process, and for how many forks and changes of network namespace it has lived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Owner {
    /// A fork in C tells nobody; the process id tells of it.
    process: u32,
    forks: u64,
    moves: u64,
}

impl Owner {
    /// Returns the running process.
    pub(crate) fn current() -> Self {
        Self {
            process: std::process::id(),
            forks: FORKS.load(Ordering::SeqCst),
            moves: MOVES.load(Ordering::SeqCst),
        }
    }

    /// Returns whether this process is the running one, in whatever network namespace it is now.
    pub(crate) fn is_same_process(self) -> bool {
        self.process == std::process::id() && self.forks == FORKS.load(Ordering::SeqCst)
    }

    /// Returns whether this is the running process, in the same network namespace.
    pub(crate) fn is_current(self) -> bool {
        self == Self::current()
    }
}

/// Makes every client build itself anew at its next call. Called in a forked child.
#[pyfunction]
pub(crate) fn after_fork() {
    FORKS.fetch_add(1, Ordering::SeqCst);
    gate::reset();
}

/// Makes every client build itself anew at its next call. Called in another network namespace.
#[pyfunction]
pub(crate) fn after_move() {
    MOVES.fetch_add(1, Ordering::SeqCst);
}

/// Keeps the runtime's thread out of an interpreter that ends. Called once, at exit.
#[pyfunction]
pub(crate) fn begin_exit(py: Python<'_>) {
    gate::close(py);
}

/// What the default client depends on.
const VARIABLES: [&str; 15] = [
    env::ENDPOINT,
    env::ENDPOINT_MODE,
    env::DISABLED,
    env::V1_DISABLED,
    env::INSTANCE_PROFILE_NAME,
    env::PROFILE,
    env::DEFAULT_PROFILE,
    env::CONFIG_FILE,
    env::CREDENTIALS_FILE,
    env::TIMEOUT,
    env::NUM_ATTEMPTS,
    env::HOME,
    env::CACHE_DIR,
    env::XDG_RUNTIME_DIR,
    env::XDG_CACHE_HOME,
];

/// Returns a value that changes with the environment variables that configure a client.
#[pyfunction]
// The interpreter's own lock is held, so nothing writes the environment meanwhile.
#[allow(clippy::disallowed_methods)]
pub(crate) fn environment_key() -> u64 {
    use std::hash::{Hash as _, Hasher as _};
    let values: [Option<OsString>; VARIABLES.len()] = VARIABLES.map(std::env::var_os);
    let mut hasher = std::hash::DefaultHasher::new();
    values.hash(&mut hasher);
    hasher.finish()
}
