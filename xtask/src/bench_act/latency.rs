//! How long after a notice appears its hook is running.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use super::{emulator, start};

const INTERVAL: Duration = Duration::from_millis(20);

/// Each notice appears at a random point between two polls. Its hook's first instruction writes a byte into a FIFO;
/// the time is taken when that byte has arrived here, so what is measured is a little more than what is promised.
pub(super) fn run(imds: &Path, events: u64) -> Result<(), String> {
    let emulator = emulator()?;
    let home = tempfile::tempdir().map_err(|error| error.to_string())?;
    let fifo = home.path().join("fifo");
    let made = Command::new("mkfifo").arg(&fifo).status().map_err(|error| error.to_string())?;
    if !made.success() {
        return Err("cannot make a FIFO".to_owned());
    }
    let mut command = Command::new(imds);
    command.args(["watch", "spot-interruption", "--interval", "20ms", "--exec"]);
    command.arg(format!("echo > {}", fifo.display()));
    command.arg("--state").arg(home.path().join("state.json"));
    let _child = start(&mut command, &emulator, home.path())?;
    // Opened for writing too, so that reading waits for the next hook and never ends.
    let mut reader = File::options().read(true).write(true).open(&fifo).map_err(|error| error.to_string())?;
    let mut times = Vec::new();
    for event in 0..events + 10 {
        // A pause that is no multiple of the interval, so that events fall anywhere between two polls.
        std::thread::sleep(Duration::from_micros(3_000 + event * 7_919 % 20_000));
        let notice =
            format!("{{\"action\": \"stop\", \"time\": \"2030-01-01T00:00:00Z\", \"number\": {event}}}");
        let appeared = Instant::now();
        emulator.service().set("spot/instance-action", notice);
        reader.read_exact(&mut [0]).map_err(|error| error.to_string())?;
        // The first ones meet a process that is still starting.
        if event >= 10 {
            times.push(appeared.elapsed());
        }
    }
    times.sort();
    let at = |share: usize| {
        times.get((times.len() * share / 100).min(times.len() - 1)).copied().unwrap_or_default()
    };
    let milliseconds = |time: Duration| time.as_secs_f64() * 1e3;
    println!(
        "from a notice to its hook over {} events, interval {} ms: median {:.1} ms, p99 {:.1} ms, longest {:.1} ms",
        times.len(),
        INTERVAL.as_millis(),
        milliseconds(at(50)),
        milliseconds(at(99)),
        milliseconds(at(100))
    );
    let beyond = at(99).saturating_sub(INTERVAL);
    println!("p99 beyond one interval: {:.1} ms", milliseconds(beyond));
    Ok(())
}
