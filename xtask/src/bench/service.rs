//! The service that every contender reads from.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;

/// A metadata service on a loopback port, and a session token of it.
pub(super) struct Service {
    pub(super) port: u16,
    pub(super) token: String,
}

impl Service {
    pub(super) fn start(_imds: &Path) -> Result<Self, String> {
        let listener = TcpListener::bind("127.0.0.1:0").map_err(|error| error.to_string())?;
        let port = listener.local_addr().map_err(|error| error.to_string())?.port();
        let token = "AQAEA".to_owned() + &"x".repeat(49) + "==";
        let served = token.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let _ = answer(stream, &served);
            }
        });
        Ok(Self { port, token })
    }
}

fn answer(stream: TcpStream, token: &str) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let put = line.starts_with("PUT");
    while reader.read_line(&mut line)? > 2 {}
    let body = if put { token } else { "i-0123456789abcdef0" };
    let answer = format!(
        "HTTP/1.1 200 OK\r\nX-aws-ec2-metadata-token-ttl-seconds: 21600\r\nContent-Type: text/plain\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
    reader.into_inner().write_all(answer.as_bytes())
}
