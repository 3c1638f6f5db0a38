//! The emulator at its start and under load: time to the first answer, errors, memory, and requests
//! per second beside nginx and moto in one run.

mod contender;
mod load;
mod start;
mod wrk;

use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::dist;
use crate::service::process;
use contender::Contender;
use load::{Load, Outcome};

/// What the project promises of the emulator.
const IDLE_MEMORY_KIB: u64 = 8 * 1024;
const MEMORY_GROWTH: f64 = 1.10;
const OF_NGINX: f64 = 0.9;
const OF_MOTO: f64 = 20.0;

const USAGE: &str = "usage: cargo xtask bench-emulator [--clients N] [--seconds N] [--tokens N] [--rounds N] [--alone] \
     [--binary FILE]";

struct Plan {
    /// What is measured; the static build of this checkout unless told otherwise.
    binary: Option<PathBuf>,
    load: Load,
    /// Runs of wrk against each server; none with `--alone`.
    rounds: usize,
}

pub(crate) fn run(arguments: &[String]) -> Result<(), String> {
    let plan = plan(arguments)?;
    let imds = match plan.binary.clone() {
        Some(binary) => binary,
        None => dist::static_binary("imds-cli")?,
    };
    let mut misses = Vec::new();
    let (found, holds) = start::measure(&imds)?;
    judge(&mut misses, "start to first answer", &found, holds);
    endure(&imds, plan.load, &mut misses)?;
    if plan.rounds > 0 {
        compare(&imds, &plan, &mut misses)?;
    }
    if misses.is_empty() { Ok(()) } else { Err(format!("goals missed: {}", misses.join(", "))) }
}

fn plan(arguments: &[String]) -> Result<Plan, String> {
    let mut plan = Plan {
        binary: None,
        load: Load { clients: 64, time: Duration::from_secs(30), tokens: 1_000_000 },
        rounds: 3,
    };
    let mut arguments = arguments.iter();
    while let Some(option) = arguments.next() {
        if option == "--alone" {
            plan.rounds = 0;
            continue;
        }
        let value = arguments.next();
        if let ("--binary", Some(path)) = (option.as_str(), value) {
            plan.binary = Some(path.into());
            continue;
        }
        let value = value.and_then(|value| value.parse::<u32>().ok());
        let Some(value @ 1..) = value else { return Err(USAGE.to_owned()) };
        match option.as_str() {
            "--clients" => plan.load.clients = value,
            "--seconds" => plan.load.time = Duration::from_secs(value.into()),
            "--tokens" => plan.load.tokens = value.into(),
            "--rounds" => plan.rounds = usize::try_from(value).map_err(|error| error.to_string())?,
            _ => return Err(USAGE.to_owned()),
        }
    }
    Ok(plan)
}

/// Clients that put and get without a pause; no answer may be wrong, and memory may not follow the
/// tokens.
fn endure(imds: &Path, load: Load, misses: &mut Vec<String>) -> Result<(), String> {
    let emulator = Emulator::start(imds)?;
    let process = emulator.process.id();
    let idle = process::resident_kib(process)?;
    let Outcome { warm_kib, full_kib, tokens, gets, elapsed } =
        load.run(emulator.address, || process::resident_kib(process))?;
    println!(
        "{} clients, {:.1} s, connections kept: {tokens} tokens issued, {gets} values read, every answer right",
        load.clients,
        elapsed.as_secs_f64()
    );
    judge(
        misses,
        "idle memory",
        &format!("{idle} KiB resident (at most {IDLE_MEMORY_KIB})"),
        idle <= IDLE_MEMORY_KIB,
    );
    let growth = precise(full_kib) / precise(warm_kib);
    judge(
        misses,
        "memory growth",
        &format!(
            "{warm_kib} KiB after {} exchanges each, {full_kib} KiB at the end: {growth:.3} times (at most \
             {MEMORY_GROWTH:.2})",
            load::WARM_UP
        ),
        growth <= MEMORY_GROWTH,
    );
    Ok(())
}

/// The same request with the same number of connections to each server, in turns.
fn compare(imds: &Path, plan: &Plan, misses: &mut Vec<String>) -> Result<(), String> {
    let scratch = tempfile::tempdir().map_err(|error| format!("no temporary directory: {error}"))?;
    let emulator = Emulator::start(imds)?;
    let token = load::token(emulator.address).map_err(|error| format!("no session token: {error}"))?;
    let contenders = [
        Contender::emulator(emulator.address, &token),
        Contender::nginx(scratch.path())?,
        Contender::moto()?,
    ];
    let mut rates = vec![Vec::new(); contenders.len()];
    for round in 0..plan.rounds {
        for offset in 0..contenders.len() {
            // Another one first each time, so that none has the quiet machine always.
            let index = (round + offset) % contenders.len();
            rates[index].push(wrk::requests_per_second(&contenders[index], plan.load.clients)?);
        }
    }
    let medians: Vec<f64> = rates.into_iter().map(median).collect();
    for (contender, rate) in contenders.iter().zip(&medians) {
        println!("{rate:>10.0} requests/s  {}", contender.name);
    }
    let [imds, nginx, moto] = medians[..] else { return Err("a contender is missing".to_owned()) };
    let of = |other: f64, goal: f64, name: &str| {
        (format!("{:.2} times {name} (at least {goal:.1})", imds / other), imds / other >= goal)
    };
    let (text, holds) = of(nginx, OF_NGINX, "nginx");
    judge(misses, "throughput beside nginx", &text, holds);
    let (text, holds) = of(moto, OF_MOTO, "moto_server");
    judge(misses, "throughput beside moto_server", &text, holds);
    Ok(())
}

fn judge(misses: &mut Vec<String>, goal: &str, found: &str, holds: bool) {
    println!("{:<6} {goal}: {found}", if holds { "holds" } else { "missed" });
    if !holds {
        misses.push(goal.to_owned());
    }
}

fn median(mut rates: Vec<f64>) -> f64 {
    rates.sort_by(f64::total_cmp);
    rates.get(rates.len() / 2).copied().unwrap_or(f64::NAN)
}

#[allow(clippy::cast_precision_loss, reason = "sizes in memory are far below 2^53")]
fn precise(value: u64) -> f64 {
    value as f64
}

/// `imds serve` on a loopback port, as users start it; it ends with this value.
struct Emulator {
    process: Child,
    address: SocketAddr,
}

impl Emulator {
    fn start(imds: &Path) -> Result<Self, String> {
        let process = Command::new(imds)
            .args(["serve", "--listen", "127.0.0.1:0"])
            .env_clear()
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| format!("cannot run `imds serve`: {error}"))?;
        let mut emulator = Self { process, address: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)) };
        let mut line = String::new();
        if let Some(stdout) = emulator.process.stdout.take() {
            BufReader::new(stdout).read_line(&mut line).map_err(|error| format!("`imds serve`: {error}"))?;
        }
        let address = line.trim_end().rsplit('/').next().and_then(|address| address.parse().ok());
        emulator.address = address.ok_or_else(|| format!("`imds serve` names no address: `{line}`"))?;
        Ok(emulator)
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        // Fails where it has ended by itself, which is as good.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
