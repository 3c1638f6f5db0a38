//! Serves metrics in the OpenMetrics text format, to any number of scrapers at once: one that is
//! slow or silent keeps nobody waiting.

use std::io::{self, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

use imds::{Clock as _, Moment, SystemClock};
use rustix::event::{PollFd, PollFlags, Timespec};

/// How long a connection may take from its first byte to its last.
const PATIENCE: Duration = Duration::from_secs(5);
/// Connections at once; one more ends the oldest.
const CONNECTIONS: usize = 32;
/// Longest request head.
const HEAD: usize = 4_096;

/// One metric: its name, kind, help, and samples by labels.
#[derive(Clone, Debug)]
pub struct Family {
    /// The name, without `_total`.
    pub name: &'static str,
    /// Whether it only ever grows.
    pub counter: bool,
    /// What it counts.
    pub help: &'static str,
    /// Labels, such as `{result="success"}` or nothing, and values.
    pub samples: Vec<(String, u64)>,
}

impl Family {
    /// A counter with one sample.
    #[must_use]
    pub fn counter(name: &'static str, help: &'static str, value: u64) -> Self {
        Self { name, counter: true, help, samples: vec![(String::new(), value)] }
    }

    /// A gauge with one sample.
    #[must_use]
    pub fn gauge(name: &'static str, help: &'static str, value: u64) -> Self {
        Self { name, counter: false, help, samples: vec![(String::new(), value)] }
    }

    /// A counter with one sample for each value of a label.
    #[must_use]
    pub fn counter_by<'a>(
        name: &'static str,
        help: &'static str,
        label: &str,
        samples: impl IntoIterator<Item = (&'a str, u64)>,
    ) -> Self {
        let escaped = |value: &str| value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
        let samples = samples.into_iter();
        let samples = samples.map(|(value, count)| (format!("{{{label}=\"{}\"}}", escaped(value)), count));
        Self { name, counter: true, help, samples: samples.collect() }
    }
}

/// Writes families as OpenMetrics text.
#[must_use]
pub fn open_metrics(families: &[Family]) -> String {
    let mut text = String::new();
    for family in families {
        let (kind, total) = if family.counter { ("counter", "_total") } else { ("gauge", "") };
        let name = family.name;
        text.push_str(&format!("# TYPE {name} {kind}\n# HELP {name} {}\n", family.help));
        for (labels, value) in &family.samples {
            text.push_str(&format!("{name}{total}{labels} {value}\n"));
        }
    }
    text.push_str("# EOF\n");
    text
}

/// Serves what `text` returns, on a thread of its own.
///
/// # Errors
/// Returns an error if the listener cannot be used or the thread cannot be started.
pub fn serve(listener: TcpListener, text: impl Fn() -> String + Send + 'static) -> io::Result<()> {
    listener.set_nonblocking(true)?;
    let serve = move || {
        let mut connections: Vec<Connection> = Vec::new();
        loop {
            wait(&listener, &connections);
            while let Ok((stream, _)) = listener.accept() {
                if stream.set_nonblocking(true).is_ok() {
                    if connections.len() >= CONNECTIONS {
                        connections.remove(0);
                    }
                    connections.push(Connection::new(stream));
                }
            }
            let now = SystemClock.now();
            connections.retain_mut(|connection| now < connection.deadline && connection.step(&text));
        }
    };
    std::thread::Builder::new().name("metrics".into()).stack_size(64 * 1_024).spawn(serve).map(drop)
}

/// Waits until something can be done, or a second has passed.
fn wait(listener: &TcpListener, connections: &[Connection]) {
    let mut all = vec![PollFd::new(listener, PollFlags::IN)];
    for connection in connections {
        let flags = if connection.answer.is_some() { PollFlags::OUT } else { PollFlags::IN };
        all.push(PollFd::new(&connection.stream, flags));
    }
    // Without connections nothing is due.
    let second = Timespec { tv_sec: 1, tv_nsec: 0 };
    let timeout = (!connections.is_empty()).then_some(&second);
    if rustix::event::poll(&mut all, timeout).is_err() {
        // Out of memory, or interrupted: not in a tight loop.
        std::thread::sleep(Duration::from_millis(100));
    }
}

struct Connection {
    stream: TcpStream,
    deadline: Moment,
    head: Vec<u8>,
    /// What is still to be written.
    answer: Option<Vec<u8>>,
}

impl Connection {
    fn new(stream: TcpStream) -> Self {
        Self { stream, deadline: SystemClock.now() + PATIENCE, head: Vec::new(), answer: None }
    }

    /// Reads and writes what is possible now; whether there is more to do.
    fn step(&mut self, text: &impl Fn() -> String) -> bool {
        if self.answer.is_none() {
            let mut buffer = [0; 1_024];
            match self.stream.read(&mut buffer) {
                Ok(0) => return false,
                Ok(length) => self.head.extend_from_slice(&buffer[..length]),
                Err(error) => return error.kind() == io::ErrorKind::WouldBlock,
            }
            if self.head.windows(4).any(|end| end == b"\r\n\r\n") {
                self.answer = Some(answer(&self.head, text));
            } else if self.head.len() > HEAD {
                return false;
            }
        }
        let Some(left) = &mut self.answer else { return true };
        loop {
            match self.stream.write(left) {
                Ok(written) => drop(left.drain(..written)),
                Err(error) => return error.kind() == io::ErrorKind::WouldBlock,
            }
            if left.is_empty() {
                let _ = self.stream.shutdown(std::net::Shutdown::Write);
                return false;
            }
        }
    }
}

/// The answer to a request: GET and HEAD of `/metrics` or `/`, with any query.
fn answer(head: &[u8], text: &impl Fn() -> String) -> Vec<u8> {
    let line = String::from_utf8_lossy(head.split(|byte| *byte == b'\r').next().unwrap_or_default());
    let mut words = line.split(' ');
    let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let path = target.split('?').next().unwrap_or_default();
    let (status, body) = match (method, path) {
        ("GET" | "HEAD", "/metrics" | "/") => ("200 OK", text()),
        ("GET" | "HEAD", _) => ("404 Not Found", String::new()),
        _ => ("405 Method Not Allowed\r\nAllow: GET, HEAD", String::new()),
    };
    let length = body.len();
    let mut answer = format!(
        "HTTP/1.1 {status}\r\nContent-Type: application/openmetrics-text; version=1.0.0; charset=utf-8\r\n\
         Content-Length: {length}\r\nConnection: close\r\n\r\n"
    );
    if method != "HEAD" {
        answer.push_str(&body);
    }
    answer.into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::SocketAddr;

    fn start() -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let families = [
            Family::counter("a", "All of it.", 3),
            Family::counter_by("b", "By kind.", "kind", [("x", 1), ("y\"", 2)]),
            Family::gauge("c", "Up or not.", 1),
        ];
        serve(listener, move || open_metrics(&families)).unwrap();
        address
    }

    fn ask(address: SocketAddr, request: &str) -> (String, String) {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        (head.to_owned(), body.to_owned())
    }

    const TEXT: &str = "# TYPE a counter\n# HELP a All of it.\na_total 3\n# TYPE b counter\n# HELP b By \
                        kind.\nb_total{kind=\"x\"} 1\nb_total{kind=\"y\\\"\"} 2\n# TYPE c gauge\n# HELP c Up or \
                        not.\nc 1\n# EOF\n";

    #[test]
    fn get_and_head_with_and_without_a_query() {
        let address = start();
        for target in ["/metrics", "/", "/metrics?name=a", "/?"] {
            let (head, body) = ask(address, &format!("GET {target} HTTP/1.1\r\nHost: x\r\n\r\n"));
            assert!(
                head.starts_with("HTTP/1.1 200 OK\r\nContent-Type: application/openmetrics-text"),
                "{head}"
            );
            assert_eq!(body, TEXT, "{target}");
            let (only_head, body) = ask(address, &format!("HEAD {target} HTTP/1.1\r\n\r\n"));
            assert_eq!((only_head, body), (head, String::new()));
        }
        assert!(ask(address, "GET /else HTTP/1.1\r\n\r\n").0.starts_with("HTTP/1.1 404 "));
        assert!(ask(address, "POST / HTTP/1.1\r\n\r\n").0.starts_with("HTTP/1.1 405 "));
    }

    #[test]
    fn silent_and_dripping_clients_keep_nobody_waiting() {
        let address = start();
        let mut idle: Vec<TcpStream> =
            (0..3 * CONNECTIONS).map(|_| TcpStream::connect(address).unwrap()).collect();
        for stream in &mut idle {
            // Some are dropped by now, to make room.
            let _ = stream.write_all(b"GET /met");
        }
        assert_eq!(ask(address, "GET /metrics HTTP/1.1\r\n\r\n").1, TEXT);
        let mut endless = TcpStream::connect(address).unwrap();
        // The server ends it once the head is too long.
        while endless.write_all(&[b'x'; 1_024]).is_ok() {}
        assert_eq!(ask(address, "GET / HTTP/1.1\r\n\r\n").1, TEXT);
    }
}
