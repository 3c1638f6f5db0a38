//! Polls of what is watched. The pauses between them are the package's.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use imds::{Clock as _, MetadataPath, SystemClock};
use imds_watch::{Detector, Event, Pace, Reading, Subject, poll};
use pyo3::exceptions::{PyRuntimeError, PyValueError};
use pyo3::prelude::*;

use crate::client::Client;
use crate::error::exception;
use crate::reply::Reply;
use crate::request::Failure;
use crate::settings::seconds;
use crate::task::{self, Cancel, Target};

/// What is watched, and what was seen of it so far.
#[pyclass(frozen, module = "imds_client._native")]
pub(crate) struct Watcher {
    subjects: Arc<Vec<Subject>>,
    seen: Arc<Mutex<Seen>>,
    /// Ends a poll of a task at a path that was not read yet.
    unanswered: imds::Error,
}

struct Seen {
    detector: Detector,
    pace: Pace,
}

impl Seen {
    /// Takes in a poll of every subject. Returns the changes, and the pause until the next poll.
    fn observe(&mut self, readings: Vec<(&Subject, Reading)>) -> Reply {
        let mut changes = Vec::new();
        let mut outage = None;
        for (subject, reading) in readings {
            if let Reading::Unreadable(failed) = &reading {
                outage = Some(failed.retry_after.max(outage.flatten()));
            }
            let (now, wall) = (SystemClock.now(), SystemClock.wall());
            changes.extend(self.detector.observe(subject, reading, now, wall));
        }
        let random = SystemClock.random();
        let pause = match outage {
            None => self.pace.answered(random),
            Some(retry_after) => self.pace.failed(retry_after, random),
        };
        let lines = changes.iter().filter_map(|change| serde_json::to_string(change).ok()).collect();
        Reply::Changes(lines, pause.as_secs_f64())
    }
}

#[pymethods]
impl Watcher {
    #[new]
    fn new(py: Python<'_>, subjects: Vec<String>, interval: f64) -> PyResult<Self> {
        let interval = seconds("interval", Some(interval))?.unwrap_or(Duration::from_secs(5));
        if subjects.is_empty() {
            let names = Event::ALL.map(|event| event.name).join("`, `");
            return Err(PyValueError::new_err(format!("nothing to watch; name a path or one of `{names}`")));
        }
        let parse = |word: &String| Subject::parse(word).map_err(|error| exception(py, &error.into()));
        let subjects = subjects.iter().map(parse).collect::<PyResult<Vec<_>>>()?;
        let seen = Seen { detector: Detector::default(), pace: Pace::new(interval) };
        let Err(unanswered) = MetadataPath::try_from("../") else {
            return Err(PyRuntimeError::new_err("`../` is a path"));
        };
        Ok(Self {
            subjects: Arc::new(subjects),
            seen: Arc::new(Mutex::new(seen)),
            unanswered: unanswered.into(),
        })
    }

    /// Polls every subject. Returns the changes as JSON, and the seconds until the next poll.
    fn poll<'py>(&self, py: Python<'py>, client: &Client) -> PyResult<Bound<'py, PyAny>> {
        let client = client.blocking(py)?;
        let polled = py.detach(|| {
            let mut readings = Vec::new();
            for subject in self.subjects.iter() {
                let get = |path: &MetadataPath| client.get(path).map(imds::Response::into_bytes);
                readings.push((subject, poll(subject, get)?));
            }
            Ok(self.seen.lock().unwrap_or_else(PoisonError::into_inner).observe(readings))
        });
        polled.map_err(|error: imds::Error| exception(py, &error.into()))?.into_object(py)
    }

    /// Starts such a poll, whose reply goes to the target.
    fn start(&self, py: Python<'_>, target: Target, client: &Client) -> PyResult<Cancel> {
        let client = client.tasks(py)?;
        let (subjects, seen) = (self.subjects.clone(), self.seen.clone());
        let unanswered = self.unanswered.clone();
        let work = async move {
            let mut readings = Vec::new();
            for subject in subjects.iter() {
                readings.push((subject, poll_in_task(subject, &client, &unanswered).await?));
            }
            Ok(seen.lock().unwrap_or_else(PoisonError::into_inner).observe(readings))
        };
        task::start(work, target)
    }
}

/// Polls a subject in a task: what a poll asks for and has not is read, and the poll begins again.
async fn poll_in_task(
    subject: &Subject,
    client: &imds::AsyncClient,
    unanswered: &imds::Error,
) -> Result<Reading, Failure> {
    let mut answers: BTreeMap<String, Result<Vec<u8>, imds::Error>> = BTreeMap::new();
    loop {
        let mut missing = None;
        let reading = poll(subject, |path| match answers.get(path.as_str()) {
            Some(answer) => answer.clone(),
            None => {
                missing.get_or_insert_with(|| path.clone());
                Err(unanswered.clone())
            }
        });
        match missing {
            None => return Ok(reading?),
            Some(path) => {
                let answer = client.get(&path).await.map(imds::Response::into_bytes);
                answers.insert(path.as_str().to_owned(), answer);
            }
        }
    }
}
