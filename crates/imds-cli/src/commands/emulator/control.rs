//! A client of the control API: one request per connection.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use imds_model::env;
use serde_json::Value;

use crate::exit::Exit;
use crate::report::Failure;

/// Where the control API is.
#[derive(Clone)]
pub(crate) struct Control {
    pub(crate) address: SocketAddr,
    /// The control token, if it has one.
    pub(crate) token: Option<String>,
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

    fn exchange(&self, method: &str, path: &str, body: Option<&Value>) -> std::io::Result<String> {
        let mut stream = TcpStream::connect_timeout(&self.address, Duration::from_secs(5))?;
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
