//! Every value below a path, one after the other.

use std::sync::{Arc, Mutex, PoisonError};

use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;

use crate::client::Client;
use crate::error::exception;
use crate::process::Owner;
use crate::reply::{self, Reply};
use crate::request::Failure;
use crate::task::{self, Cancel, Target};

fn of_parent() -> PyErr {
    PyRuntimeError::new_err("the walk began before the process forked; begin another one")
}

/// The values below a path, read by threads of the client.
#[pyclass(frozen, module = "imds_client._native")]
pub(crate) struct Leaves {
    owner: Owner,
    /// Not dropped in a forked child, where its threads are not and its lock may be held.
    leaves: Option<Mutex<imds::Leaves>>,
}

#[pymethods]
impl Leaves {
    #[new]
    fn new(py: Python<'_>, client: &Client, path: &str) -> PyResult<Self> {
        let client = client.blocking(py)?;
        let walk = client.walk(path).map_err(|error| exception(py, &error.into()))?;
        Ok(Self { owner: Owner::current(), leaves: Some(Mutex::new(walk.into_iter())) })
    }

    /// Returns the next path with its value, or `None` after the last.
    fn next<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        if !self.owner.is_current() {
            return Err(of_parent());
        }
        let Some(leaves) = &self.leaves else { return Ok(None) };
        let next = py.detach(|| leaves.lock().unwrap_or_else(PoisonError::into_inner).next());
        match next.transpose() {
            Ok(leaf) => leaf.map(|leaf| reply::leaf(py, &leaf)).transpose(),
            Err(error) => Err(exception(py, &error.into())),
        }
    }
}

impl Drop for Leaves {
    fn drop(&mut self) {
        if !self.owner.is_current() {
            std::mem::forget(self.leaves.take());
        }
    }
}

/// The values below a path, read in the runtime.
#[pyclass(frozen, module = "imds_client._native")]
pub(crate) struct AsyncLeaves {
    owner: Owner,
    walk: Arc<tokio::sync::Mutex<imds::AsyncWalk>>,
}

#[pymethods]
impl AsyncLeaves {
    #[new]
    fn new(py: Python<'_>, client: &Client, path: &str) -> PyResult<Self> {
        let walk = client.tasks(py)?.walk(path).map_err(|error| exception(py, &error.into()))?;
        Ok(Self { owner: Owner::current(), walk: Arc::new(tokio::sync::Mutex::new(walk)) })
    }

    /// Reads the next path with its value, or `None` after the last.
    fn start(&self, target: Target) -> PyResult<Cancel> {
        if !self.owner.is_current() {
            return Err(of_parent());
        }
        let walk = self.walk.clone();
        let next = async move {
            let leaf = walk.lock().await.next().await.transpose().map_err(Failure::from)?;
            Ok(Reply::Leaf(leaf))
        };
        task::start(next, target)
    }
}

impl Drop for AsyncLeaves {
    fn drop(&mut self) {
        if !self.owner.is_current() {
            // See `Buildable::discard` of the client for tasks.
            std::mem::forget(self.walk.clone());
        }
    }
}
