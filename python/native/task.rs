//! Work of the runtime's thread whose result an asyncio future waits for.

use pyo3::prelude::*;
use tokio::task::AbortHandle;

use crate::reply::Reply;
use crate::request::Failure;
use crate::{error, gate, runtime};

/// Ends a task whose future was cancelled: a callback for `add_done_callback`.
#[pyclass(frozen, module = "imds_client._native")]
pub(crate) struct Cancel(AbortHandle);

#[pymethods]
impl Cancel {
    fn __call__(&self, future: &Bound<'_, PyAny>) -> PyResult<()> {
        if future.call_method0("cancelled")?.is_truthy()? {
            self.0.abort();
        }
        Ok(())
    }
}

/// Where a result goes.
#[derive(FromPyObject)]
pub(crate) struct Target {
    /// `loop.call_soon_threadsafe`.
    #[pyo3(item(0))]
    call_soon: Py<PyAny>,
    /// Called with a result and an exception, one of which is `None`.
    #[pyo3(item(1))]
    complete: Py<PyAny>,
}

/// Starts work in the runtime and reports its result to the target.
///
/// # Errors
/// Returns an error if there are no resources for the runtime's thread.
pub(crate) fn start(
    work: impl Future<Output = Result<Reply, Failure>> + Send + 'static,
    target: Target,
) -> PyResult<Cancel> {
    let task = runtime::handle()?.spawn(async move {
        let result = work.await;
        gate::enter(move |py| deliver(py, result, &target));
    });
    Ok(Cancel(task.abort_handle()))
}

fn deliver(py: Python<'_>, result: Result<Reply, Failure>, target: &Target) {
    let outcome = match &result {
        Err(failure) => Err(error::exception(py, failure)),
        Ok(_) => result.map_or_else(|_| Ok(py.None().into_bound(py)), |reply| reply.into_object(py)),
    };
    let (value, exception) = match outcome {
        Ok(value) => (value, None),
        Err(exception) => (py.None().into_bound(py), Some(exception.into_value(py))),
    };
    // A loop that was closed meanwhile waits for nothing.
    let _ = target.call_soon.call1(py, (&target.complete, value, exception));
}
