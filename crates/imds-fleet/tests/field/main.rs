//! `imds-fleet` beside what people use: moto and boto3, DuckDB, Chromium, and the readers of each
//! format.
//!
//! The first run makes a Python environment from PyPI; Chromium is found on the machine
//! (`.ci/fleet` installs it).

#![allow(clippy::unwrap_used, clippy::panic, missing_docs, reason = "tests")]

use std::path::{Path, PathBuf};
use std::process::Command;

use imds_fake_aws::{Fake, Shape, World};

const BINARY: &str = env!("CARGO_BIN_EXE_imds-fleet");

fn here() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/field")
}

fn venv() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("python")
}

/// Runs a script that prepares something in the Python environment, and gives what it prints.
fn prepare(script: &str) -> String {
    let made = Command::new(here().join(script)).arg(venv()).output().unwrap();
    assert!(made.status.success(), "{script}: {}", String::from_utf8_lossy(&made.stderr));
    String::from_utf8(made.stdout).unwrap().trim().to_owned()
}

/// Runs a script in the Python environment, which is made first if need be.
fn python(script: &str, args: &[&str]) {
    let (venv, interpreter) = (venv(), prepare("python.sh"));
    let mut command = Command::new(interpreter);
    command.env_clear().env("PATH", "/usr/local/bin:/usr/bin:/bin").env("HOME", &venv);
    command.env("AWS_EC2_METADATA_DISABLED", "true");
    let ran = command.arg(here().join(script)).args(args).output().unwrap();
    assert!(
        ran.status.success(),
        "{script}:\n{}\n{}",
        String::from_utf8_lossy(&ran.stdout),
        String::from_utf8_lossy(&ran.stderr)
    );
}

/// Runs the command on all of the fake's organization and gives its standard output.
fn fleet(fake: &Fake, args: &[&str], status: i32) -> String {
    let (ended, text) = fleet_any(fake, args);
    assert_eq!(ended, status, "{args:?}: {text}");
    text
}

/// Runs it so, however it ends.
fn fleet_any(fake: &Fake, args: &[&str]) -> (i32, String) {
    let ran = Command::new(BINARY)
        .env_clear()
        .env("HOME", "/nonexistent")
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .env("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
        .env("AWS_SECRET_ACCESS_KEY", "test")
        .env("AWS_ENDPOINT_URL", fake.url())
        .args(args)
        .args(["--organization", "--role-name", "audit", "--all-regions", "--backoff", "1ms"])
        .output()
        .unwrap();
    (ran.status.code().unwrap_or(-1), String::from_utf8(ran.stdout).unwrap())
}

#[test]
fn moto_and_boto3_agree_instance_by_instance() {
    python("against_moto.py", &[BINARY]);
}

#[test]
fn the_documented_queries_over_all_shards_in_duckdb() {
    let mut world = World::generate(Shape { accounts: 7, regions: 3, instances: 500 });
    world.closed.insert("100000000004".to_owned());
    let fake = Fake::start(world).unwrap();
    let directory = tempfile::tempdir().unwrap();
    let dataset = directory.path().join("fleet");
    let dataset = dataset.to_str().unwrap();
    let mut incomplete = 0;
    for shard in ["1/3", "2/3", "3/3"] {
        let args = ["state", "--output", "parquet", "--output-dir", dataset, "--shard", shard];
        incomplete += i32::from(fleet_any(&fake, &args).0 == 3);
    }
    assert_eq!(incomplete, 1, "the shard that holds the closed account");
    let state = directory.path().join("state.json");
    std::fs::write(&state, fleet(&fake, &["state", "--output", "json"], 3)).unwrap();
    let docs = here().join("../../../../docs/fleet.md");
    python("dataset.py", &[dataset, docs.to_str().unwrap(), state.to_str().unwrap()]);
}

#[test]
fn every_format_is_read_by_the_libraries_of_its_users() {
    let mut world = World::generate(Shape { accounts: 3, regions: 2, instances: 90 });
    world.closed.insert("100000000002".to_owned());
    let fake = Fake::start(world).unwrap();
    let directory = tempfile::tempdir().unwrap();
    let policy = directory.path().join("policy.toml");
    let exception = "[[exception]]\nrule = \"v1-allowed\"\nregion = \"ap-northeast-1\"\n\
                     owner = \"shop@example.com\"\nexpires = \"2099-12-31\"\nreason = \"agent < 1.2 & \\\"old\\\"\"\n";
    std::fs::write(&policy, exception).unwrap();
    for format in ["json", "jsonl", "csv", "sarif", "ocsf", "junit", "openmetrics"] {
        let args = ["audit", "--policy", policy.to_str().unwrap(), "--output", format];
        std::fs::write(directory.path().join(format), fleet(&fake, &args, 3)).unwrap();
    }
    for format in ["json", "jsonl", "csv", "openmetrics"] {
        let text = fleet(&fake, &["state", "--output", format], 3);
        std::fs::write(directory.path().join(format!("state.{format}")), text).unwrap();
    }
    prepare("python.sh");
    python("formats.py", &[directory.path().to_str().unwrap(), &prepare("schemas.sh")]);
}

/// A tenth of the organization that the figures in the docs are of; the script measures the whole
/// by hand.
#[test]
fn a_large_organization_within_256_mib_and_its_limits() {
    let shape = Shape { accounts: 40, regions: 17, instances: 10_000 };
    let fake = Fake::start(World::generate(shape)).unwrap();
    python("scale.py", &[BINARY, &fake.url(), "10000", "0"]);
    let trips = fake.world().throttle.trips.clone();
    assert!(trips.values().all(|trips| *trips <= 1), "{trips:?}");
    let harmed = fake.world().harm_one_place_in_a_hundred();
    assert_eq!(harmed, 7, "of 680");
    python("scale.py", &[BINARY, &fake.url(), "10000", &harmed.to_string()]);
}

/// A small part of what the figures in the docs are of: nothing is changed twice or left behind.
#[test]
fn changes_there_and_back_within_their_limits() {
    let mut world = World::generate(Shape { accounts: 4, regions: 2, instances: 240 });
    world.pending_descriptions = 2;
    let fake = Fake::start(world).unwrap();
    python("change.py", &[BINARY, &fake.url()]);
    let trips = fake.world().throttle.trips.clone();
    assert!(trips.is_empty(), "{trips:?}");
}

#[test]
fn the_report_in_chromium() {
    let fake = Fake::start(World::generate(Shape { accounts: 12, regions: 5, instances: 20_000 })).unwrap();
    let directory = tempfile::tempdir().unwrap();
    let page = directory.path().join("report.html");
    let state = directory.path().join("state.json");
    fleet(&fake, &["report", "--out", page.to_str().unwrap()], 0);
    std::fs::write(&state, fleet(&fake, &["state", "--output", "json"], 0)).unwrap();
    let names = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
    let chromium = names.iter().find(|name| Path::new(name).exists()).expect("Chromium: see .ci/fleet");
    let screenshot = Path::new(env!("CARGO_TARGET_TMPDIR")).join("fleet-report.png");
    let paths = [&page, &state].map(|path| path.to_str().unwrap());
    python("browser.py", &[paths[0], paths[1], chromium, screenshot.to_str().unwrap()]);
}
