//! How long it takes from the start of the process to its first answer, beside `true`.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::{Emulator, median};

/// How often each is started.
const STARTS: usize = 41;
/// A start and an answer take at most so many times as long as `true`: 10 ms where that takes 1 ms.
const OF_TRUE: f64 = 10.0;

/// Starts both in turns; what it found, and whether that is enough.
pub(super) fn measure(imds: &Path) -> Result<(String, bool), String> {
    let (mut plain, mut answers) = (Vec::new(), Vec::new());
    for _ in 0..STARTS {
        plain.push(of_true()?);
        answers.push(first_answer(imds)?);
    }
    let (plain, answer) = (median(millis(plain)), median(millis(answers)));
    let ratio = answer / plain;
    let found = format!(
        "{ratio:.1} times `true` (at most {OF_TRUE:.0}); p50 {answer:.2} ms, of `true` {plain:.2} ms"
    );
    Ok((found, ratio <= OF_TRUE))
}

fn millis(times: Vec<Duration>) -> Vec<f64> {
    times.into_iter().map(|time| time.as_secs_f64() * 1000.0).collect()
}

#[allow(clippy::disallowed_methods, reason = "a bench measures the machine's time")]
fn of_true() -> Result<Duration, String> {
    let start = Instant::now();
    let status = Command::new("true").env_clear().stdin(Stdio::null()).status();
    status.map_err(|error| format!("cannot run `true`: {error}"))?;
    Ok(start.elapsed())
}

#[allow(clippy::disallowed_methods, reason = "a bench measures the machine's time")]
fn first_answer(imds: &Path) -> Result<Duration, String> {
    let start = Instant::now();
    let emulator = Emulator::start(imds)?;
    let ask = || -> std::io::Result<[u8; 12]> {
        let mut stream = TcpStream::connect(emulator.address)?;
        stream.write_all(b"GET /latest/meta-data/instance-id HTTP/1.1\r\nHost: x\r\n\r\n")?;
        let mut head = [0; 12];
        stream.read_exact(&mut head)?;
        Ok(head)
    };
    let head = ask().map_err(|error| format!("no answer of `imds serve`: {error}"))?;
    let elapsed = start.elapsed();
    if &head != b"HTTP/1.1 401" {
        return Err(format!("`imds serve` answered {}", head.escape_ascii()));
    }
    Ok(elapsed)
}
