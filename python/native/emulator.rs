//! The emulator in this process, for tests.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use imds::{Clock as _, SystemClock};
use imds_emulator::{
    Assertion, Builder, Clock, Emulator as Running, EventText, HttpTokens, Preset, Switch, Timestamp,
    parse_scenario, read_instance,
};
use imds_model::options::HopLimit;
use pyo3::exceptions::{PyOSError, PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::process::Owner;
use crate::settings::seconds;

/// The arguments of the fixture.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub(crate) struct Description {
    preset: Option<String>,
    /// File that describes the instance, or a snapshot.
    instance: Option<String>,
    tokens: Option<String>,
    endpoint: Option<String>,
    tags: Option<String>,
    ipv6: Option<String>,
    hop_limit: Option<u8>,
    /// Scenario as TOML.
    scenario: Option<String>,
    /// `real`, `stepped` or a factor such as `x60`.
    clock: Option<String>,
    /// Start of a stepped clock, in seconds since 1970.
    start: Option<f64>,
    seed: Option<u64>,
    values: Vec<(String, Vec<u8>)>,
    absent: Vec<String>,
    listen: Vec<String>,
}

fn wrong(message: impl std::fmt::Display) -> PyErr {
    PyValueError::new_err(message.to_string())
}

fn switch(name: &str, text: &str) -> PyResult<Switch> {
    match text {
        "enabled" => Ok(Switch::Enabled),
        "disabled" => Ok(Switch::Disabled),
        _ => Err(wrong(format!("{name} is `{}`; `enabled` or `disabled`", text.escape_debug()))),
    }
}

fn preset(text: &str) -> PyResult<Preset> {
    let presets = || Preset::ALL.map(Preset::as_str).join("`, `");
    Preset::parse(text)
        .ok_or_else(|| wrong(format!("`{}` is not a preset; one of `{}`", text.escape_debug(), presets())))
}

impl Description {
    fn builder(self) -> PyResult<Builder> {
        let mut builder = Running::builder();
        builder = match (&self.preset, &self.instance) {
            (Some(_), Some(_)) => {
                return Err(wrong("a preset and an instance file are two instances; give one"));
            }
            (_, Some(file)) => builder.described(read_instance(Path::new(file)).map_err(wrong)?),
            (name, None) => builder.described(preset(name.as_deref().unwrap_or("default"))?),
        };
        if let Some(tokens) = &self.tokens {
            builder = builder.tokens(match tokens.as_str() {
                "optional" => HttpTokens::Optional,
                "required" => HttpTokens::Required,
                _ => {
                    let shown = tokens.escape_debug();
                    return Err(wrong(format!("tokens is `{shown}`; `optional` or `required`")));
                }
            });
        }
        if let Some(endpoint) = &self.endpoint {
            builder = builder.endpoint(switch("endpoint", endpoint)?);
        }
        if let Some(tags) = &self.tags {
            builder = builder.tags(switch("tags", tags)?);
        }
        if let Some(hops) = self.hop_limit {
            let limit = HopLimit::new(hops).ok_or_else(|| wrong(format!("hop_limit is {hops}; 1 to 64")))?;
            builder = builder.hop_limit(limit);
        }
        builder = builder.clock(self.clock()?);
        for (at, address) in self.listen.iter().enumerate() {
            let address: SocketAddr =
                address.parse().map_err(|_| wrong(format!("`{address}` is not `ADDRESS:PORT`")))?;
            builder = if at == 0 { builder.listen(address) } else { builder.also_listen(address) };
        }
        if let Some(ipv6) = &self.ipv6 {
            builder = builder.ipv6(switch("ipv6", ipv6)?);
        }
        if let Some(seed) = self.seed {
            builder = builder.seed(seed);
        }
        if let Some(scenario) = &self.scenario {
            for (after, event) in parse_scenario(scenario).map_err(wrong)? {
                builder = builder.event(after, event);
            }
        }
        for (path, value) in self.values {
            builder = builder.set(&path, value);
        }
        for path in &self.absent {
            builder = builder.unset(path);
        }
        Ok(builder)
    }

    fn clock(&self) -> PyResult<Clock> {
        if let Some(start) = self.start {
            if self.clock.as_deref().is_some_and(|clock| clock != "stepped") {
                return Err(wrong("only a stepped clock has a start"));
            }
            let since = Duration::try_from_secs_f64(start).map_err(wrong)?;
            return Ok(Clock::stepped(Timestamp::default().after(since)));
        }
        let text = self.clock.as_deref().unwrap_or("real");
        let shown = text.escape_debug();
        Clock::parse(text).ok_or_else(|| {
            wrong(format!("`{shown}` is not a clock; `real`, `stepped` or `xFACTOR`, such as `x60`"))
        })
    }
}

/// A recorded request, by the names of its attributes in Python.
#[derive(IntoPyObject)]
struct Recorded {
    number: u64,
    time: f64,
    connection: u64,
    client: Option<String>,
    user_agent: Option<String>,
    method: String,
    path: String,
    version: Option<&'static str>,
    status: u16,
    forwarded_for: bool,
    fault: Option<&'static str>,
}

/// How many requests were answered, for those who wait for one.
#[derive(Default)]
struct Answered {
    count: Mutex<u64>,
    another: Condvar,
}

impl Answered {
    fn count(&self) -> u64 {
        *self.count.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self) {
        *self.count.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        self.another.notify_all();
    }

    /// Waits until there are more than `known`, or until the time is over.
    fn wait(&self, known: u64, time: Duration) {
        let count = self.count.lock().unwrap_or_else(PoisonError::into_inner);
        drop(self.another.wait_timeout_while(count, time, |count| *count == known));
    }
}

/// A running emulator.
#[pyclass(frozen, module = "imds_client._native")]
pub(crate) struct Emulator {
    owner: Owner,
    endpoint: String,
    answered: Arc<Answered>,
    running: Mutex<Option<Running>>,
}

impl Emulator {
    fn with<T>(&self, work: impl FnOnce(&Running) -> PyResult<T>) -> PyResult<T> {
        // A change of network namespace leaves the emulator where it is.
        if !self.is_of_this_process() {
            return Err(PyRuntimeError::new_err("the emulator runs in the parent process; ask it there"));
        }
        match &*self.running.lock().unwrap_or_else(PoisonError::into_inner) {
            Some(running) => work(running),
            None => Err(PyRuntimeError::new_err("the emulator has stopped")),
        }
    }

    fn is_of_this_process(&self) -> bool {
        self.owner.is_same_process()
    }
}

#[pymethods]
impl Emulator {
    #[new]
    fn new(py: Python<'_>, description: Description) -> PyResult<Self> {
        let answered = Arc::new(Answered::default());
        let counting = answered.clone();
        let builder = description.builder()?.on_request(move |_| counting.add());
        let running = py.detach(|| builder.start()).map_err(|error| match error {
            imds_emulator::Error::Invalid(invalid) => wrong(invalid),
            other => PyOSError::new_err(causes(&other)),
        })?;
        let endpoint = running.endpoint();
        Ok(Self { owner: Owner::current(), endpoint, answered, running: Mutex::new(Some(running)) })
    }

    /// `http://ADDRESS:PORT`.
    #[getter]
    fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// Applies the event of this JSON object.
    fn event(&self, json: &str) -> PyResult<()> {
        let text = EventText::from_json(json).map_err(wrong)?;
        let (after, event) = (text.after().map_err(wrong)?, text.event().map_err(wrong)?);
        self.with(|running| {
            running.service().apply_after(after, event);
            Ok(())
        })
    }

    /// Moves a stepped clock on.
    fn step(&self, by: f64) -> PyResult<()> {
        let by = seconds("step", Some(by))?.unwrap_or_default();
        self.with(|running| {
            let moved = running.service().step(by);
            moved
                .then_some(())
                .ok_or_else(|| wrong("the emulator's clock moves by itself; use clock=`stepped`"))
        })
    }

    /// Returns the time of the emulator's clock, in seconds since 1970.
    fn now(&self) -> PyResult<f64> {
        self.with(|running| Ok(running.service().clock().now().millis() as f64 / 1_000.0))
    }

    /// Serves a value at a path, or nothing.
    #[pyo3(signature = (path, value))]
    fn set(&self, path: &str, value: Option<Vec<u8>>) -> PyResult<()> {
        self.with(|running| {
            let service = running.service();
            match value {
                Some(value) => service.set(path, value),
                None => service.unset(path),
            }
            .map_err(wrong)
        })
    }

    /// Returns the recorded requests after this number, oldest first.
    fn requests(&self, after: u64) -> PyResult<Vec<Recorded>> {
        self.with(|running| {
            let recorded = |request: imds_emulator::RecordedRequest| {
                let version = match request.version {
                    imds_emulator::ImdsVersion::V1 => Some("v1"),
                    imds_emulator::ImdsVersion::V2 => Some("v2"),
                    imds_emulator::ImdsVersion::None => None,
                };
                Recorded {
                    number: request.number,
                    time: request.time.millis() as f64 / 1_000.0,
                    connection: request.connection,
                    client: request.client.map(|address| address.to_string()),
                    user_agent: request.user_agent.map(|name| name.to_string()),
                    method: request.method.to_string(),
                    path: request.path.to_string(),
                    version,
                    status: request.status,
                    forwarded_for: request.forwarded_for,
                    fault: request.fault,
                }
            };
            Ok(running.service().requests(after).into_iter().map(recorded).collect())
        })
    }

    /// Returns the counts of all requests, by name.
    fn counters(&self) -> PyResult<Vec<(&'static str, u64)>> {
        self.with(|running| {
            let counters = running.counters();
            Ok(vec![
                ("connections", counters.connections),
                ("requests", counters.requests),
                ("token_puts", counters.token_puts),
                ("tokens_issued", counters.tokens_issued),
                ("gets", counters.gets),
                ("v1", counters.v1),
                ("v2", counters.v2),
                ("forwarded_for", counters.forwarded_for),
                ("faults", counters.faults),
            ])
        })
    }

    /// Returns the terms of an assertion that do not hold.
    fn failures(&self, assertion: &str) -> PyResult<Vec<String>> {
        let assertion = Assertion::parse(assertion).map_err(wrong)?;
        self.with(|running| Ok(assertion.failures(running.service())))
    }

    /// Waits until an assertion holds; returns the terms that do not when the time is over.
    fn wait_until(&self, py: Python<'_>, assertion: &str, timeout: f64) -> PyResult<Vec<String>> {
        let parsed = Assertion::parse(assertion).map_err(wrong)?;
        let end = SystemClock.now() + seconds("timeout", Some(timeout))?.unwrap_or_default();
        loop {
            let known = self.answered.count();
            let failures = self.with(|running| Ok(parsed.failures(running.service())))?;
            let left = end - SystemClock.now();
            if failures.is_empty() || left.is_zero() {
                return Ok(failures);
            }
            py.detach(|| self.answered.wait(known, left.min(Duration::from_secs(1))));
            py.check_signals()?;
        }
    }

    /// Forgets the recorded requests and sets the counts back.
    fn forget_requests(&self) -> PyResult<()> {
        self.with(|running| {
            running.service().forget_requests();
            Ok(())
        })
    }

    /// Returns every value by its path.
    fn leaves<'py>(&self, py: Python<'py>) -> PyResult<Vec<(String, Bound<'py, PyBytes>)>> {
        let leaves = self.with(|running| Ok(running.service().leaves()))?;
        Ok(leaves.into_iter().map(|(path, value)| (path, PyBytes::new(py, &value))).collect())
    }

    /// Returns the certificate that the signature of this kind is verified with, as PEM.
    fn certificate(&self, py: Python<'_>, kind: &str) -> PyResult<Option<String>> {
        let service = self.with(|running| Ok(running.service().clone()))?;
        let certificates = py.detach(|| service.certificates());
        Ok(certificates.and_then(|certificates| match kind {
            "rsa2048" => Some(certificates.rsa2048),
            "signature" => Some(certificates.signature),
            "pkcs7" => Some(certificates.pkcs7),
            _ => None,
        }))
    }

    /// Stops the emulator, if it has not stopped yet.
    fn stop(&self, py: Python<'_>) {
        if self.is_of_this_process() {
            let running = self.running.lock().unwrap_or_else(PoisonError::into_inner).take();
            py.detach(|| drop(running));
        }
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        if !self.is_of_this_process() {
            // Its thread is the parent's: to wait for it would take for ever.
            std::mem::forget(self.running.get_mut().unwrap_or_else(PoisonError::into_inner).take());
        }
    }
}

fn causes(error: &dyn std::error::Error) -> String {
    let mut message = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        message.push_str(&format!(": {cause}"));
        next = cause.source();
    }
    message
}
