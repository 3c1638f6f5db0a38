//! The ways to show a trace, and its exit codes.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::process::Stdio;

use imds_emulator::{Fault, FaultKind};
use imds_testkit::{Signal, TestEnvironment};
use serde_json::Value;

use crate::harness::{Cgroup, Tracer, emulator, inside};

const REGION: &str = "http://169.254.169.254/latest/meta-data/placement/region";

fn world() -> TestEnvironment {
    TestEnvironment::new(env!("CARGO_BIN_EXE_imds-trace"))
}

#[test]
fn sums_by_caller_and_the_fix_for_each() {
    if !inside("outputs::sums_by_caller_and_the_fix_for_each") {
        return;
    }
    // So slow that every caller lives until its executable has been read, under load too.
    let _emulator = emulator(|builder| builder.fault(Fault::new(FaultKind::Slow(20))));
    let mut cgroup = Cgroup::new();
    let tracer = Tracer::with(&cgroup, &["--summary", "--fail-on-v1"]);
    let unit = cgroup.below("system.slice/backup.service");
    let script = format!("curl -s -o /dev/null {REGION}; curl -s -o /dev/null {REGION}");
    crate::harness::finished(crate::harness::command_in(&unit, ["sh", "-c", &script]));
    let sdk = "aws-sdk-go/1.25.37 (go1.13.4; linux; amd64)";
    cgroup.run(["curl", "-s", "-o", "/dev/null", "-A", sdk, REGION]);
    cgroup.run(["curl", "-s", "-o", "/dev/null", "-H", "X-aws-ec2-metadata-token: x", REGION]);
    let (lines, _, code) = tracer.stop_with_lines();
    assert_eq!(code, 1);
    let callers: Vec<&Value> = lines.iter().filter(|line| line["type"] == "caller").collect();
    let counts: Vec<String> = callers
        .iter()
        .map(|line| {
            format!("{} {} {} {}", line["v1"], line["v2"], line["sdk"]["name"], line["caller"]["unit"])
        })
        .collect();
    assert_eq!(counts, ["2 0 \"curl\" \"backup.service\"", "1 0 \"aws-sdk-go\" null", "0 1 \"curl\" null"]);
    assert!(lines.iter().all(|line| line["type"] != "request"));

    let world = world();
    let file = world.root().join("trace.jsonl");
    let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
    std::fs::write(&file, &text).unwrap();
    let advice =
        world.imds([std::ffi::OsStr::new("advise"), file.as_os_str()]).disabled().run().exits_with(0);
    for part in [
        "/usr/bin/curl by root, in backup.service: 2 requests by IMDSv1\n",
        "  fix: imds get placement/region\n",
        "  called by: sh -c curl -s",
        "/usr/bin/curl (AWS SDK for Go, version 1) by root: 1 requests by IMDSv1\n",
        "  fix: upgrade AWS SDK for Go, version 1 to 1.25.38 or later\n",
        "  source: https://docs.aws.amazon.com/",
    ] {
        assert!(advice.stdout().contains(part), "{part}: {advice}");
    }
    assert!(!advice.stdout().contains("not complete"), "{advice}");

    // Cut off in the middle of the last line: said, and the rest is read.
    std::fs::write(&file, &text[..text.len() - 30]).unwrap();
    let cut = world.imds([std::ffi::OsStr::new("advise"), file.as_os_str()]).disabled().run().exits_with(0);
    assert!(cut.stdout().contains("note: this trace is not complete: 1 of 1 traces have no end"), "{cut}");
}

#[test]
fn v1_alone_and_what_ci_is_told() {
    if !inside("outputs::v1_alone_and_what_ci_is_told") {
        return;
    }
    let _emulator = emulator(|builder| builder);
    let cgroup = Cgroup::new();
    let v2 = ["curl", "-s", "-o", "/dev/null", "-H", "X-aws-ec2-metadata-token: x", REGION];
    let v1 = ["curl", "-s", "-o", "/dev/null", REGION];
    let run = |commands: &[&[&str]]| {
        let tracer = Tracer::with(&cgroup, &["--v1-only", "--fail-on-v1"]);
        for command in commands {
            cgroup.run(command.iter());
        }
        let (requests, end, code) = tracer.stop();
        (requests.len(), end["requests"].as_u64().unwrap(), code)
    };
    assert_eq!(run(&[&v2]), (0, 1, 0));
    assert_eq!(run(&[&v2, &v1]), (1, 2, 1));
    // What is no HTTP may have been anything: not clean.
    let junk = "import socket; s = socket.create_connection(('169.254.169.254', 80)); \
        s.sendall(b'\\x16\\x03\\x01\\r\\n\\r\\n'); s.recv(99)";
    let unreadable = run(&[&["python3", "-c", junk]]);
    assert_eq!(unreadable, (0, 1, 6));
}

#[test]
fn counts_are_served() {
    if !inside("outputs::counts_are_served") {
        return;
    }
    let _emulator = emulator(|builder| builder);
    let cgroup = Cgroup::new();
    let mut tracer = Tracer::with(&cgroup, &["--metrics", "127.0.0.1:9464"]);
    cgroup.run(["curl", "-s", "-o", "/dev/null", REGION]);
    tracer.wait_for("request", 1);
    let mut stream = TcpStream::connect("127.0.0.1:9464").unwrap();
    stream.write_all(b"GET /metrics HTTP/1.1\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.contains("imds_trace_requests_total{kind=\"v1\"} 1\n"), "{answer}");
    assert!(answer.contains("program=\"/usr/bin/curl\",uid=\"0\""), "{answer}");
    tracer.stop();
}

#[test]
fn the_live_table_leaves_the_terminal_as_it_was() {
    if !inside("outputs::the_live_table_leaves_the_terminal_as_it_was") {
        return;
    }
    let _emulator = emulator(|builder| builder);
    let cgroup = Cgroup::new();
    let world = world();
    let metrics = "127.0.0.1:9465";
    let running = world
        .imds(["--metrics", metrics, "--cgroup", cgroup.path().to_str().unwrap()])
        .disabled()
        .on_terminal()
        .spawn();
    let scrape = || -> Option<String> {
        let mut stream = TcpStream::connect(metrics).ok()?;
        stream.write_all(b"GET /metrics HTTP/1.1\r\n\r\n").ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        Some(answer)
    };
    // It listens early, and answers once it is attached.
    let mut tries = (0..1_000_000).inspect(|_| std::thread::yield_now());
    assert!(tries.any(|_| scrape().is_some()), "it never answered at {metrics}");
    cgroup.run(["curl", "-s", "-o", "/dev/null", REGION]);
    while !scrape().unwrap().contains("kind=\"v1\"} 1\n") {
        std::thread::yield_now();
    }
    running.signal(Signal::TERM);
    let output = running.wait().exits_with(0);
    let text = output.stdout();
    let (live, after) = text.split_once("\x1b[?1049l").unwrap();
    assert!(live.starts_with("\x1b[?1049h") && live.contains("q quits"), "{output}");
    // The table stays on the terminal's own screen.
    assert!(after.contains("/usr/bin/curl") && after.contains("1 requests: 1 by IMDSv1"), "{output}");
}

#[test]
fn a_reader_that_goes_away_is_the_end() {
    if !inside("outputs::a_reader_that_goes_away_is_the_end") {
        return;
    }
    let cgroup = Cgroup::new();
    let run = |arguments: &[&str]| {
        let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_imds-trace"))
            .args(["--for", "1ms", "--cgroup"])
            .arg(cgroup.path())
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        (output.status.code().unwrap(), String::from_utf8(output.stderr).unwrap())
    };
    assert_eq!(run(&[]), (0, String::new()));
    // For CI, what was not seen is not clean.
    let told = "error: cannot go on tracing: the reader of the output has gone\n".to_owned();
    assert_eq!(run(&["--fail-on-v1"]), (6, told));
}

#[test]
fn what_is_no_trace() {
    let world = world();
    let advise = |text: &str| {
        let file = world.root().join("trace.jsonl");
        std::fs::write(&file, text).unwrap();
        world.imds([std::ffi::OsStr::new("advise"), file.as_os_str()]).disabled().run()
    };
    for (text, cause) in [
        ("junk\n{}\n", "line 1: it is not JSON"),
        ("{}\n", "line 1: it has no `type`"),
        ("{\"type\":\"request\"}\n", "line 1: missing field"),
        (
            "{\"type\":\"start\",\"format\":9,\"version\":\"\",\"time\":\"\",\"host\":\"\",\"kernel\":\"\",\
             \"cgroup\":\"\",\"endpoints\":[]}\n",
            "line 1: its format is 9, and this version reads 1",
        ),
    ] {
        let output = advise(text).fails_with(2);
        assert!(output.stderr().contains(cause), "{output}");
    }
    assert!(
        world
            .imds(["advise", "/nonexistent"])
            .disabled()
            .run()
            .fails_with(2)
            .stderr()
            .contains("`/nonexistent`")
    );
    let empty = advise("").exits_with(0);
    assert!(empty.stdout().contains("note: this trace is not complete: it has no first line"), "{empty}");
}
