//! How long after a notice appears its hook is running.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use super::{emulator, start};

const INTERVAL: Duration = Duration::from_millis(20);

/// Each notice appears at a random point between two polls. Its hook's first instruction writes a
/// byte into a FIFO; the time is taken when that byte has arrived here, so what is measured is a
/// little more than what is promised.
///
/// After each notice, the same without `imds`: a sleep that ends somewhere in an interval, and the
/// same shell. What that takes beyond an interval is the machine's own, which on a virtual one is
/// more than what is looked for.
pub(super) fn run(imds: &Path, events: u64) -> Result<(), String> {
    let emulator = emulator(imds)?;
    let home = tempfile::tempdir().map_err(|error| error.to_string())?;
    let fifo = home.path().join("fifo");
    let made = Command::new("mkfifo").arg(&fifo).status().map_err(|error| error.to_string())?;
    if !made.success() {
        return Err("cannot make a FIFO".to_owned());
    }
    let hook = format!("echo > {}", fifo.display());
    let mut command = Command::new(imds);
    command.args(["watch", "spot-interruption", "--interval", "20ms", "--exec", &hook]);
    command.arg("--state").arg(home.path().join("state.json"));
    let _child = start(&mut command, &emulator, home.path())?;
    // Opened for writing too, so that reading waits for the next hook and never ends.
    let mut reader = File::options().read(true).write(true).open(&fifo).map_err(|error| error.to_string())?;
    let (mut hooks, mut bare) = (Times::default(), Times::default());
    for event in 0..events + 10 {
        // A pause that is no multiple of the interval, so that events fall anywhere between two
        // polls.
        let within = Duration::from_micros(event * 7_919 % 20_000);
        std::thread::sleep(Duration::from_millis(3) + within);
        let notice =
            format!("{{\"action\": \"stop\", \"time\": \"2030-01-01T00:00:00Z\", \"number\": {event}}}");
        let appeared = Instant::now();
        emulator.set("spot/instance-action", &notice)?;
        reader.read_exact(&mut [0]).map_err(|error| error.to_string())?;
        let hook_ran = appeared.elapsed();
        let began = Instant::now();
        std::thread::sleep(within);
        let mut shell =
            Command::new("/bin/sh").arg("-c").arg(&hook).spawn().map_err(|error| error.to_string())?;
        reader.read_exact(&mut [0]).map_err(|error| error.to_string())?;
        let shell_ran = began.elapsed();
        shell.wait().map_err(|error| error.to_string())?;
        // The first ones meet a process that is still starting.
        if event >= 10 {
            hooks.0.push(hook_ran);
            bare.0.push(shell_ran);
        }
    }
    println!("over {events} events, interval {} ms, in milliseconds:", INTERVAL.as_millis());
    println!("                                      median      p99  longest");
    hooks.tell("from a notice to its hook");
    bare.tell("the same without imds: sleep, shell");
    let beyond = milliseconds(hooks.at(99)) - milliseconds(INTERVAL);
    println!("p99 beyond one interval: {beyond:.1} ms");
    let own = milliseconds(hooks.at(99)) - milliseconds(bare.at(99));
    println!("p99 beyond that of sleep and shell: {own:.1} ms (at most 20)");
    Ok(())
}

#[derive(Default)]
struct Times(Vec<Duration>);

impl Times {
    fn at(&mut self, share: usize) -> Duration {
        self.0.sort();
        let last = self.0.len().saturating_sub(1);
        self.0.get((self.0.len() * share / 100).min(last)).copied().unwrap_or_default()
    }

    fn tell(&mut self, what: &str) {
        let [median, p99, longest] = [50, 99, 100].map(|share| milliseconds(self.at(share)));
        println!("{what:36} {median:7.1}  {p99:7.1}  {longest:7.1}");
    }
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}
