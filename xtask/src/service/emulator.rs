//! `imds serve` as a process of its own, driven by its control API.
//!
//! A process and not the library: the generators of this crate write sources of the library, and
//! must run while it does not compile.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use super::Killed;

/// `imds serve` with its control API, both on free loopback ports.
pub(crate) struct Emulator {
    process: Killed,
    pub(crate) endpoint: String,
    control: String,
}

impl Emulator {
    /// Starts it with further options.
    pub(crate) fn start(imds: &Path, options: &[&str]) -> Result<Self, String> {
        let mut process = Command::new(imds)
            .args(["serve", "--listen", "127.0.0.1:0", "--control", "127.0.0.1:0"])
            .args(options)
            .env_clear()
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .map(Killed)
            .map_err(|error| format!("cannot run `imds serve`: {error}"))?;
        let stdout = process.0.stdout.take().ok_or("`imds serve` has no output")?;
        let (mut endpoint, mut control) = (None, None);
        for line in BufReader::new(stdout).lines() {
            let line = line.map_err(|error| format!("`imds serve`: {error}"))?;
            if let Some(url) = line.strip_prefix("listening on ") {
                endpoint = Some(url.to_owned());
            } else if let Some((_, address)) = line.split_once("control API and page on http://") {
                control = Some(address.trim_end_matches('/').to_owned());
                break;
            }
        }
        let (Some(endpoint), Some(control)) = (endpoint, control) else {
            return Err("`imds serve` names no address".to_owned());
        };
        Ok(Self { process, endpoint, control })
    }

    pub(crate) fn pid(&self) -> u32 {
        self.process.0.id()
    }

    /// Where the service listens.
    pub(crate) fn address(&self) -> Result<SocketAddr, String> {
        let address = self.endpoint.trim_start_matches("http://").trim_end_matches('/');
        address.parse().map_err(|error| format!("`{}`: {error}", self.endpoint))
    }

    /// Applies an event.
    pub(crate) fn apply(&self, event: &Value) -> Result<(), String> {
        self.call("POST", "/v1/events", &event.to_string()).map(drop)
    }

    /// Moves a stepped clock.
    pub(crate) fn step(&self, by: &str) -> Result<(), String> {
        self.call("POST", "/v1/clock", &json!({ "step": by }).to_string()).map(drop)
    }

    /// What `/v1/state` tells.
    pub(crate) fn state(&self) -> Result<Value, String> {
        self.call("GET", "/v1/state", "")
    }

    /// Serves this value at this path.
    pub(crate) fn set(&self, path: &str, value: &str) -> Result<(), String> {
        self.apply(&json!({ "event": "set", "path": path, "value": value }))
    }

    /// One of the recorder's counters.
    pub(crate) fn counter(&self, name: &str) -> Result<u64, String> {
        let state = self.state()?;
        state["counters"][name].as_u64().ok_or_else(|| format!("no counter `{name}` in {state}"))
    }

    fn call(&self, method: &str, path: &str, body: &str) -> Result<Value, String> {
        let failed = |error: std::io::Error| format!("control API: {error}");
        let mut stream = TcpStream::connect(&self.control).map_err(failed)?;
        let (host, length) = (&self.control, body.len());
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n\
             Content-Length: {length}\r\n\r\n{body}"
        );
        stream.write_all(request.as_bytes()).map_err(failed)?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).map_err(failed)?;
        match answer.split_once("\r\n\r\n") {
            Some((head, body)) if head.starts_with("HTTP/1.1 200 ") => {
                serde_json::from_str(body).map_err(|error| format!("control API: {error}"))
            }
            _ => Err(format!("control API: {answer}")),
        }
    }
}
