//! The one thread that does the I/O of every task of the process.

use std::sync::{Mutex, PoisonError};

use pyo3::PyResult;
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::sync::oneshot;

use crate::process::Owner;

struct Running {
    owner: Owner,
    handle: Handle,
    /// Dropped, it ends the runtime's thread.
    _stop: oneshot::Sender<()>,
}

/// Held only for a moment and with the interpreter's lock, so that no fork finds it held.
static RUNNING: Mutex<Option<Running>> = Mutex::new(None);

/// Returns the runtime of this process, started if it is not there yet.
pub(crate) fn handle() -> PyResult<Handle> {
    let mut running = RUNNING.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(running) = running.as_ref().filter(|running| running.owner.is_current()) {
        return Ok(running.handle.clone());
    }
    match running.take() {
        // Its thread is in another network namespace.
        Some(old) if old.owner.is_same_process() => drop(old),
        // A parent's runtime shares its epoll instance with the parent: not even a drop is allowed.
        parents => std::mem::forget(parents),
    }
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let handle = runtime.handle().clone();
    let (stop, stopped) = oneshot::channel();
    std::thread::Builder::new().name("imds-client".into()).spawn(move || run(&runtime, stopped))?;
    *running = Some(Running { owner: Owner::current(), handle: handle.clone(), _stop: stop });
    Ok(handle)
}

fn run(runtime: &Runtime, stopped: oneshot::Receiver<()>) {
    // An error says that the sender was dropped, which is the only way to end it.
    let _ = runtime.block_on(stopped);
}
