//! Whole processes that read one value from the emulator, timed side by side in one run.
//!
//! Figures of different runs or machines say little; the ratios of one run do, so those are what
//! the goals name.

mod contender;
mod dump;
mod service;
mod statistics;

use std::path::Path;
use std::process::Command;
use std::time::Instant;

use contender::Contender;
use service::Service;
use statistics::{Shuffle, Summary};

use crate::{dist, workspace};

/// Runs of each contender, unless told otherwise.
const ROUNDS: usize = 300;
/// Runs whose peak memory is looked at; the largest counts.
const PEAK_RUNS: usize = 10;

pub(crate) fn run(arguments: &[String]) -> Result<(), String> {
    if let Some(("dump", rest)) = arguments.split_first().map(|(first, rest)| (first.as_str(), rest)) {
        return dump::run(rounds_of(rest, dump::ROUNDS)?);
    }
    let rounds = rounds_of(arguments, ROUNDS)?;
    let imds = dist::static_binary("imds-cli")?;
    let scratch = tempfile::tempdir().map_err(|error| format!("no temporary directory: {error}"))?;
    let floor = compile("floor", scratch.path())?;
    let peak = compile("peak", scratch.path())?;
    let service = Service::start(&imds)?;
    let contenders = contender::all(&imds, &floor, &service, &scratch.path().join("store"))?;
    let times = measure(&contenders, rounds)?;
    let peaks: Vec<u64> =
        contenders.iter().map(|contender| peak_memory(&peak, contender)).collect::<Result<_, _>>()?;
    report(&contenders, &times, &peaks, dist::size(&imds)?)
}

fn rounds_of(arguments: &[String], usual: usize) -> Result<usize, String> {
    match arguments {
        [] => Ok(usual),
        [option, value] if option == "--rounds" => match value.parse() {
            Ok(rounds @ 1..) => Ok(rounds),
            _ => Err(format!("`{value}` is no number of rounds")),
        },
        _ => Err("usage: cargo xtask bench [dump] [--rounds N]".to_owned()),
    }
}

/// Compiles one of the C programs beside this file; a C compiler is there wherever Rust can link.
fn compile(name: &str, scratch: &Path) -> Result<std::path::PathBuf, String> {
    let source = workspace::root().join("xtask/src/bench").join(name).with_extension("c");
    let program = scratch.join(name);
    // The last two keep the compiler from putting calls of the C library's memcpy and memset in.
    let options = ["-O2", "-static", "-nostdlib", "-fno-stack-protector", "-fno-builtin"];
    let mut compiler = Command::new("cc");
    compiler.args(options).arg("-fno-tree-loop-distribute-patterns").arg("-o").arg(&program).arg(source);
    workspace::run(&mut compiler)?;
    Ok(program)
}

/// Milliseconds of every run, by contender: each round runs all of them once, in an order of its
/// own.
fn measure(contenders: &[Contender], rounds: usize) -> Result<Vec<Summary>, String> {
    let mut times = vec![Vec::with_capacity(rounds); contenders.len()];
    let mut shuffle = Shuffle::new();
    for _ in 0..rounds {
        for index in shuffle.order(contenders.len()) {
            let mut command = contenders[index].timed();
            #[allow(clippy::disallowed_methods, reason = "measuring is this task's job")]
            let started = Instant::now();
            let status = command.status().map_err(|error| format!("{}: {error}", contenders[index].name))?;
            times[index].push(started.elapsed().as_secs_f64() * 1e3);
            if !status.success() {
                return Err(format!("{} failed in the middle: {status}", contenders[index].name));
            }
        }
    }
    Ok(times.into_iter().map(Summary::of).collect())
}

fn peak_memory(peak: &Path, contender: &Contender) -> Result<u64, String> {
    let mut largest = 0;
    for _ in 0..PEAK_RUNS {
        let output =
            contender.under(peak).output().map_err(|error| format!("{}: {error}", contender.name))?;
        if !output.status.success() {
            return Err(format!("{} fails where its memory is measured", contender.name));
        }
        let text = String::from_utf8_lossy(&output.stderr);
        let kibibytes = text.trim().parse::<u64>();
        largest = largest.max(kibibytes.map_err(|_| format!("{}: its peak is `{text}`", contender.name))?);
    }
    Ok(largest)
}

fn report(contenders: &[Contender], times: &[Summary], peaks: &[u64], size: u64) -> Result<(), String> {
    println!(
        "{:<28} {:>9} {:>9} {:>9} {:>9} {:>10}",
        "milliseconds", "median", "fastest", "9 in 10", "of floor", "peak KiB"
    );
    let floor = times[contender::FLOOR].median;
    for ((contender, time), peak) in contenders.iter().zip(times).zip(peaks) {
        println!(
            "{:<28} {:>9.3} {:>9.3} {:>9.3} {:>9.2} {:>10}",
            contender.name,
            time.median,
            time.fastest,
            time.nine_in_ten,
            time.median / floor,
            peak
        );
    }
    let imds = times[contender::IMDS].median;
    let one_curl = imds / times[contender::CURL].median;
    let two_curls = imds / times[contender::IDIOM].median;
    println!("\nbinary: {size} bytes");
    let goals = [
        ("times the floor", imds / floor, 1.7),
        ("of one curl", one_curl, 1.0 / 8.0),
        ("of the two-curl idiom", two_curls, 1.0 / 22.0),
        ("KiB peak", precise(peaks[contender::IMDS]), 1990.0),
        ("MiB binary", precise(size) / 1024.0 / 1024.0, 4.0),
    ];
    let mut missed = Vec::new();
    for (what, value, limit) in goals {
        let result = if value <= limit { "holds" } else { "missed" };
        println!("{result:<6} {value:>9.3} {what} (at most {limit:.3})");
        if value > limit {
            missed.push(what);
        }
    }
    if missed.is_empty() { Ok(()) } else { Err(format!("goals missed: {}", missed.join(", "))) }
}

#[allow(clippy::cast_precision_loss, reason = "sizes in memory are far below 2^53")]
fn precise(value: u64) -> f64 {
    value as f64
}
