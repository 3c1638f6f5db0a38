//! The service that every contender reads from: the emulator, as users start it.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// `imds serve` on a loopback port of its own, and a session token of it.
pub(super) struct Service {
    process: Child,
    pub(super) port: u16,
    pub(super) token: String,
}

impl Service {
    pub(super) fn start(imds: &Path) -> Result<Self, String> {
        let mut process = Command::new(imds)
            .args(["serve", "--listen", "127.0.0.1:0"])
            .env_clear()
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| format!("cannot run `imds serve`: {error}"))?;
        let mut first_line = String::new();
        let stdout = process.stdout.take();
        // Owned from here on, so that every way out of this function ends the process.
        let mut service = Self { process, port: 0, token: String::new() };
        if let Some(stdout) = stdout {
            BufReader::new(stdout)
                .read_line(&mut first_line)
                .map_err(|error| format!("`imds serve`: {error}"))?;
        }
        let port = first_line.trim_end().rsplit(':').next().and_then(|port| port.parse().ok());
        service.port = port.ok_or_else(|| format!("`imds serve` names no port: `{first_line}`"))?;
        service.token = fetch_token(service.port).map_err(|error| format!("no session token: {error}"))?;
        Ok(service)
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // Fails where it has ended by itself, which is as good.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn fetch_token(port: u16) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    let (path, header) = (imds_model::well_known::TOKEN_PATH, imds_model::header::TOKEN_TTL);
    let ttl = imds_model::token::MAX_TTL_SECONDS;
    write!(stream, "PUT {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{header}: {ttl}\r\nConnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    match answer.split_once("\r\n\r\n") {
        Some((head, token)) if head.starts_with("HTTP/1.1 200 ") => Ok(token.to_owned()),
        _ => Err(std::io::Error::other(format!("the service answered {answer:?}"))),
    }
}
