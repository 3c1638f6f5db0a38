//! The extension module behind the Python package `imds_client`: the client library and the
//! emulator, for Python's threads, forks and event loops.

mod client;
mod documents;
mod emulator;
mod error;
mod gate;
mod process;
mod reply;
mod request;
mod runtime;
mod settings;
mod task;
mod walk;
mod watch;

/// The extension module. The package's own modules are its only users.
#[pyo3::pymodule]
mod _native {
    #[pymodule_export]
    use crate::client::Client;
    #[pymodule_export]
    use crate::emulator::Emulator;
    #[pymodule_export]
    use crate::process::{after_fork, after_move, begin_exit, environment_key};
    #[pymodule_export]
    use crate::task::Cancel;
    #[pymodule_export]
    use crate::walk::{AsyncLeaves, Leaves};
    #[pymodule_export]
    use crate::watch::Watcher;
}
