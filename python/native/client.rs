//! The clients of both kinds, built when they are first used and again in a forked child.

use std::sync::{Mutex, PoisonError};

use pyo3::prelude::*;

use crate::error::exception;
use crate::process::Owner;
use crate::reply;
use crate::request::{self, Argument, Failure, Request};
use crate::settings::{Buildable, Settings};
use crate::task::{self, Cancel, Target};

/// A client of the process that asks for it.
struct Slot<T>(Mutex<Option<(Owner, T)>>);

impl<T: Buildable> Slot<T> {
    const fn new() -> Self {
        Self(Mutex::new(None))
    }

    /// Returns the client, built from the environment as it is now if there is none.
    fn client(&self, py: Python<'_>, settings: &Settings) -> PyResult<T> {
        // Held for a moment and with the interpreter's lock, so that no fork finds it held.
        let mut slot = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match slot.take() {
            Some((owner, client)) if owner.is_current() => {
                *slot = Some((owner, client.clone()));
                Ok(client)
            }
            other => {
                if let Some((_, parents)) = other {
                    parents.discard();
                }
                let built = T::build(settings.builder()?);
                let client = built.map_err(|error| exception(py, &error.into()))?;
                *slot = Some((Owner::current(), client.clone()));
                Ok(client)
            }
        }
    }
}

/// A client of the service, for threads and for tasks.
#[pyclass(frozen, module = "imds_client._native")]
pub(crate) struct Client {
    settings: Settings,
    threads: Slot<imds::Client>,
    tasks: Slot<imds::AsyncClient>,
}

impl Client {
    /// Returns the client for threads.
    pub(crate) fn blocking(&self, py: Python<'_>) -> PyResult<imds::Client> {
        self.threads.client(py, &self.settings)
    }

    /// Returns the client for tasks.
    pub(crate) fn tasks(&self, py: Python<'_>) -> PyResult<imds::AsyncClient> {
        self.tasks.client(py, &self.settings)
    }
}

#[pymethods]
impl Client {
    #[new]
    fn new(settings: Settings) -> PyResult<Self> {
        drop(settings.builder()?);
        Ok(Self { settings, threads: Slot::new(), tasks: Slot::new() })
    }

    /// Reads the settings of the environment and the profile files, and sends nothing.
    fn check(&self, py: Python<'_>) -> PyResult<()> {
        self.blocking(py).map(drop)
    }

    /// Returns the endpoint.
    fn endpoint(&self, py: Python<'_>) -> PyResult<String> {
        Ok(self.blocking(py)?.endpoint().to_string())
    }

    /// Forgets the session token, here and in the store, and returns whether the store had one.
    fn forget_token(&self, py: Python<'_>) -> PyResult<bool> {
        let client = self.blocking(py)?;
        py.detach(|| client.forget_token()).map_err(|error| exception(py, &error.into()))
    }

    /// Returns the reply to a request.
    #[pyo3(signature = (name, argument=None))]
    fn read<'py>(
        &self,
        py: Python<'py>,
        name: &str,
        argument: Option<Argument>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let request = Request::parse(name, argument)?;
        let (client, deadline) = (self.blocking(py)?, self.settings.deadline());
        let reply: Result<reply::Reply, Failure> =
            py.detach(|| request::blocking(&client, request, deadline));
        reply.map_err(|failure| exception(py, &failure))?.into_object(py)
    }

    /// Starts a request, whose reply goes to the target.
    #[pyo3(signature = (target, name, argument=None))]
    fn start(
        &self,
        py: Python<'_>,
        target: Target,
        name: &str,
        argument: Option<Argument>,
    ) -> PyResult<Cancel> {
        let request = Request::parse(name, argument)?;
        let (client, deadline) = (self.tasks(py)?, self.settings.deadline());
        task::start(async move { request::task(&client, request, deadline).await }, target)
    }
}
