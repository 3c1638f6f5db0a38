//! `cargo xtask bench dump`: everything that the emulator holds, read by `imds dump` and by what
//! people have used for it.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::contender::{Contender, installed};
use super::service::Service;
use super::statistics::Summary;
use crate::{dist, workspace};

/// The tool that reads the most of the service so far (PyPI).
const EC2IMDS: &str = "ec2imds==0.0.3";
/// Runs of each contender, unless told otherwise: the slowest takes seconds.
pub(super) const ROUNDS: usize = 20;

pub(super) fn run(rounds: usize) -> Result<(), String> {
    let imds = dist::static_binary("imds-cli")?;
    let scratch = tempfile::tempdir().map_err(|error| format!("no temporary directory: {error}"))?;
    let ec2imds = install_ec2imds(scratch.path())?;
    let service = Service::start(&imds)?;
    let urls = urls(&service)?;
    let contenders = contenders(&imds, &ec2imds, &service, &urls, scratch.path())?;
    let times = super::measure(&contenders, rounds)?;
    report(&contenders, &times, urls.len())
}

/// A virtual environment with nothing but the tool in it.
fn install_ec2imds(scratch: &Path) -> Result<PathBuf, String> {
    let environment = scratch.join("ec2imds");
    workspace::run(Command::new("python3").args(["-m", "venv"]).arg(&environment))?;
    let pip = environment.join("bin/pip");
    workspace::run(Command::new(pip).args(["install", "--quiet", "--disable-pip-version-check", EC2IMDS]))?;
    Ok(environment.join("bin/python"))
}

/// Every directory and value of the service: what a dump has to ask for.
fn urls(service: &Service) -> Result<Vec<String>, String> {
    let mut urls = Vec::new();
    let mut directories = vec!["/latest/".to_owned()];
    while let Some(directory) = directories.pop() {
        for line in get(service, &directory).map_err(|error| format!("{directory}: {error}"))?.lines() {
            let path = match line.split_once('=') {
                Some((index, _)) if directory.ends_with("/public-keys/") => format!("{directory}{index}/"),
                _ if line == "dynamic" || line == "meta-data" => format!("{directory}{line}/"),
                _ => format!("{directory}{line}"),
            };
            if path.ends_with('/') {
                directories.push(path);
            } else {
                urls.push(format!("http://127.0.0.1:{}{path}", service.port));
            }
        }
        urls.push(format!("http://127.0.0.1:{}{directory}", service.port));
    }
    Ok(urls)
}

fn get(service: &Service, path: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(("127.0.0.1", service.port))?;
    let token = imds_model::header::TOKEN;
    write!(stream, "GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{token}: {}\r\n\r\n", service.token)?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer.split_once("\r\n\r\n").unwrap_or_default().1.to_owned())
}

fn contenders(
    imds: &Path,
    ec2imds: &Path,
    service: &Service,
    urls: &[String],
    scratch: &Path,
) -> Result<Vec<Contender>, String> {
    let (curl, sh) = (installed("curl")?, installed("sh")?);
    let header = format!("{}: {}", imds_model::header::TOKEN, service.token);
    let each = format!("for url in {}; do {curl} -s -H '{header}' \"$url\"; done", urls.join(" "));
    let mut all_at_once = vec![curl.as_str(), "-s", "-H", &header];
    all_at_once.extend(urls.iter().map(String::as_str));
    let (imds, ec2imds) = (imds.to_string_lossy(), ec2imds.to_string_lossy());
    let endpoint = format!("--imds=127.0.0.1:{}", service.port);
    let tokens = scratch.join("tokens").to_string_lossy().into_owned();
    let mut contenders = vec![
        Contender::new("imds dump --show-secrets", &[&imds, "dump", "--show-secrets"]),
        Contender::new("one curl, all URLs", &all_at_once),
        Contender::new("sh: one curl each", &[&sh, "-c", &each]),
        Contender::new("ec2imds -a", &[&ec2imds, "-m", "ec2imds", "-a", &endpoint, "-t", &tokens]),
    ];
    contenders[0].variables = vec![
        (imds_model::env::ENDPOINT, format!("http://127.0.0.1:{}", service.port).into()),
        (imds_model::env::CACHE_DIR, scratch.join("store").into()),
    ];
    // Warm: every contender has its session token, where it keeps one.
    for contender in &contenders {
        let printed = contender.value()?;
        if !printed.contains("us-east-1a") {
            return Err(format!("{} does not print what the service holds", contender.name));
        }
    }
    Ok(contenders)
}

fn report(contenders: &[Contender], times: &[Summary], urls: usize) -> Result<(), String> {
    println!("{urls} paths; milliseconds, and how many times `imds dump` fits in\n");
    println!("{:<28} {:>9} {:>9} {:>9} {:>9}", "", "median", "fastest", "9 in 10", "times");
    let imds = times[0].median;
    for (contender, time) in contenders.iter().zip(times) {
        let times = time.median / imds;
        println!(
            "{:<28} {:>9.2} {:>9.2} {:>9.2} {times:>9.1}",
            contender.name, time.median, time.fastest, time.nine_in_ten
        );
    }
    let faster: Vec<_> = contenders
        .iter()
        .zip(times)
        .skip(1)
        .filter(|(_, time)| time.median <= imds)
        .map(|(c, _)| c.name)
        .collect();
    if faster.is_empty() {
        Ok(())
    } else {
        Err(format!("as fast as `imds dump` or faster: {}", faster.join(", ")))
    }
}
