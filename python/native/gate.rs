//! Calls into the interpreter from the runtime's thread. An interpreter that ends crashes if
//! another thread enters it meanwhile, so none enters once it has begun to end.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use pyo3::prelude::*;

static CLOSED: AtomicBool = AtomicBool::new(false);
/// Calls that are in the interpreter or wait for its lock.
static INSIDE: AtomicUsize = AtomicUsize::new(0);

/// A call; it is over when this is dropped, after a panic too.
struct Inside;

impl Drop for Inside {
    fn drop(&mut self) {
        INSIDE.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Calls into the interpreter, unless it has begun to end: nobody waits for anything then.
pub(crate) fn enter(call: impl FnOnce(Python<'_>)) {
    INSIDE.fetch_add(1, Ordering::SeqCst);
    let _inside = Inside;
    if !CLOSED.load(Ordering::SeqCst) {
        let _ = Python::try_attach(call);
    }
}

/// Lets no further call in, and waits for those that are inside.
pub(crate) fn close(py: Python<'_>) {
    CLOSED.store(true, Ordering::SeqCst);
    py.detach(|| {
        while INSIDE.load(Ordering::SeqCst) > 0 {
            std::thread::sleep(Duration::from_micros(100));
        }
    });
}

/// Opens the gate in a forked child, where the parent's calls are not.
pub(crate) fn reset() {
    CLOSED.store(false, Ordering::SeqCst);
    INSIDE.store(0, Ordering::SeqCst);
}
