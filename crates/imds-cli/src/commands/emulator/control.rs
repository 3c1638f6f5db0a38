//! A client of the control API: one request per connection.

use std::io::{Read as _, Write as _};
use std::net::{TcpStream, ToSocketAddrs as _};
use std::time::Duration;

use imds_model::env;
use serde_json::Value;

use crate::exit::Exit;
use crate::report::Failure;

/// Where the control API is.
#[derive(Clone)]
pub(crate) struct Control {
    pub(crate) address: String,
    /// The control token, if it has one.
    pub(crate) token: Option<String>,
}

/// A host and a port: `127.0.0.1:1339`, `[::1]:1339`, `localhost:1339`, or a name that the system
/// resolves.
pub(crate) fn host(text: &str) -> Result<String, String> {
    let wrong =
        || "it is no host and port, such as `127.0.0.1:1339`, `localhost:1339` or `imds:1339`".to_owned();
    let (name, port) = text.rsplit_once(':').ok_or_else(wrong)?;
    let is_name =
        !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte));
    let is_ipv6 = name.starts_with('[') && text.parse::<std::net::SocketAddrV6>().is_ok();
    let is_port =
        port.bytes().all(|byte| byte.is_ascii_digit()) && port.parse::<u16>().is_ok_and(|port| port > 0);
    if (is_name || is_ipv6) && is_port { Ok(text.to_owned()) } else { Err(wrong()) }
}

impl Control {
    /// The answer to a request; the API's own words where it refuses.
    pub(crate) fn call(&self, method: &str, path: &str, body: Option<&Value>) -> Result<Value, Failure> {
        let answer = self.exchange(method, path, body).map_err(|error| {
            Failure::told(Exit::Unreachable, format!("cannot reach the control API at `{}`", self.address))
                .caused_by(error)
                .hint("start the emulator with `imds serve --control`, and pass its address to `--control`")
        })?;
        let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_default();
        let json: Value = serde_json::from_str(body).unwrap_or_default();
        if head.starts_with("HTTP/1.1 200 ") {
            return Ok(json);
        }
        if head.starts_with("HTTP/1.1 401 ") {
            return Err(Failure::told(
                Exit::Refused,
                "the control API refuses the control token, or the lack of one",
            )
            .hint(format!("pass `--control-token @FILE`, or set {}", env::EMULATOR_CONTROL_TOKEN)));
        }
        let message = json["error"].as_str().unwrap_or("the control API gave no answer that is known");
        Err(Failure::usage(message))
    }

    /// Connects to the first address of the host that answers.
    fn connect(&self) -> std::io::Result<TcpStream> {
        let mut failure = std::io::Error::new(std::io::ErrorKind::NotFound, "the host has no address");
        for address in self.address.to_socket_addrs()? {
            match TcpStream::connect_timeout(&address, Duration::from_secs(5)) {
                Ok(stream) => return Ok(stream),
                Err(error) => failure = error,
            }
        }
        Err(failure)
    }

    fn exchange(&self, method: &str, path: &str, body: Option<&Value>) -> std::io::Result<String> {
        let mut stream = self.connect()?;
        stream.set_read_timeout(Some(Duration::from_secs(30)))?;
        let body = body.map(Value::to_string).unwrap_or_default();
        let token = self.token.as_ref();
        let authorization =
            token.map(|token| format!("Authorization: Bearer {token}\r\n")).unwrap_or_default();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: {}\r\n{authorization}Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            self.address,
            body.len()
        );
        stream.write_all(request.as_bytes())?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_addresses_or_names_with_a_port() {
        let wrong = "it is no host and port, such as `127.0.0.1:1339`, `localhost:1339` or `imds:1339`";
        for text in ["127.0.0.1:1339", "localhost:1339", "[::1]:1339", "imds:1339", "imds.default.svc:1"] {
            assert_eq!(host(text).as_deref(), Ok(text));
        }
        for text in [
            "",
            "1339",
            "localhost",
            ":1339",
            "::1:1339",
            "a b:1",
            "a:0",
            "a:65536",
            "a:+1",
            "http://a:1",
            "a:",
            "[x]:1",
        ] {
            assert_eq!(host(text).unwrap_err(), wrong, "{text}");
        }
    }
}
