//! `--trace`: what `imds-trace` saw on the instances, joined into usage and report.

use std::path::Path;

use imds_fake_aws::world::Options;
use imds_fake_aws::{Fake, Instance, World};
use serde_json::json;

use crate::change::{ACCOUNT, REGION, files};
use crate::harness::{now, ran};

const DAY: i64 = 86_400;

/// Two instances whose metrics say that nobody uses IMDSv1.
fn quiet() -> World {
    let mut world = World::new(ACCOUNT, &[REGION]);
    let now = now().as_second();
    let midnight = now - now.rem_euclid(DAY);
    for id in ["i-web", "i-db"] {
        let mut instance = Instance::new(id, Options::full("optional", 1, "enabled", "disabled", "disabled"));
        instance.launched_at = now - 100 * DAY;
        world.at(ACCOUNT, REGION).instances.push(instance);
        let samples = (0..=14).map(|day| ((midnight - day * DAY + 60).min(now - 1), 0.0)).collect();
        world.metrics.insert((id.to_owned(), "MetadataNoToken".to_owned()), samples);
    }
    world
}

fn start(id: &str) -> String {
    json!({ "type": "start", "format": 1, "version": "0.1.0", "time": "2026-01-01T00:00:00.000Z", "instance_id": id,
        "host": "h", "kernel": "6", "cgroup": "/sys/fs/cgroup", "endpoints": [] })
    .to_string()
}

fn request(kind: &str, ago: i64, caller: serde_json::Value) -> String {
    let time = jiff::Timestamp::from_second(now().as_second() - ago).unwrap();
    json!({ "type": "request", "kind": kind, "time": time, "method": "GET", "path": "/latest/meta-data/", "caller": caller })
        .to_string()
}

const END: &str =
    r#"{"type":"end","time":"2026-01-01T01:00:00.000Z","requests":3,"unreadable":0,"lost":{"connects":0}}"#;

fn write(path: &Path, lines: &[&str]) {
    std::fs::write(path, lines.iter().map(|line| format!("{line}\n")).collect::<String>()).unwrap();
}

#[test]
fn a_process_that_was_seen_makes_an_instance_in_use_whatever_the_metrics_say() {
    let fake = Fake::start(quiet()).unwrap();
    let directory = tempfile::tempdir().unwrap();
    let trace = directory.path().join("trace.jsonl");
    let python = json!({ "pid": 7, "name": "python3", "unit": "app.service", "user": "app" });
    let pod = json!({ "name": "agent", "container": { "id": "abc", "runtime": "containerd" },
        "pod": { "name": "agent-1", "namespace": "kube-system" } });
    let sums = json!({ "type": "caller", "first": "2020-01-01T00:00:00Z", "last": now(), "v1": 40, "v2": 0, "token": 0,
        "other": 0, "unreadable": 0, "caller": pod });
    write(
        &trace,
        &[
            &start("i-web"),
            &request("v1", 60, python.clone()),
            &request("v1", 30, python.clone()),
            &request("v2", 30, json!({ "name": "fine" })),
            &sums.to_string(),
            END,
            // A second trace follows in the same file; what it saw is older than the window.
            &start("i-db"),
            &request("v1", 40 * DAY, python),
            END,
            &start("i-elsewhere"),
            END,
        ],
    );
    let trace = trace.to_str().unwrap();
    let document = ran(&fake, &["usage", "--trace", trace, "--output", "json"]);
    assert_eq!(document.status, 0, "{document:?}");
    let document = document.json();
    let of = |id: &str| document["usage"].as_array().unwrap().iter().find(|it| it["id"] == id).unwrap();
    assert_eq!(of("i-web")["status"], "in-use");
    assert_eq!(
        of("i-web")["reason"],
        "no call in 14 days and today; traced: 42 by agent (pod kube-system/agent-1) and 1 more"
    );
    assert_eq!(of("i-web")["callers"][1]["program"], "python3");
    assert_eq!(of("i-web")["callers"][1]["unit"], "app.service");
    assert_eq!(of("i-web")["callers"][1]["requests"], 2);
    assert_eq!(of("i-db")["status"], "ready");
    assert_eq!(of("i-db")["callers"].as_array().unwrap().len(), 1, "said, and no use of the window");
    assert_eq!(document["summary"]["traced_elsewhere"], json!(["i-elsewhere"]));
    let table = ran(&fake, &["usage", "--trace", trace]).stdout;
    assert!(table.contains("traced, and not among these: i-elsewhere"), "{table}");
    let csv = ran(&fake, &["usage", "--trace", trace, "--output", "csv"]).stdout;
    assert!(csv.contains("agent (pod kube-system/agent-1); python3 (unit app.service)"), "{csv}");
    // A plan that is made from it leaves the instance out.
    let saved = directory.path().join("usage.json");
    std::fs::write(&saved, document.to_string()).unwrap();
    let planned = files().plan_ready(&fake, &["--usage-file", saved.to_str().unwrap()]);
    assert!(planned.stdout.contains("i-web in 111122223333/us-east-1: still uses IMDSv1"), "{planned:?}");
    let page = directory.path().join("report.html");
    let written = ran(&fake, &["report", "--trace", trace, "--out", page.to_str().unwrap()]);
    assert_eq!(written.status, 0, "{written:?}");
    let html = std::fs::read_to_string(&page).unwrap();
    for says in [
        "agent (pod kube-system/agent-1): 40, python3 (unit app.service): 2",
        "Traced, and not among these instances: i-elsewhere",
    ] {
        assert!(html.contains(says), "{says}");
    }
}

#[test]
fn what_is_damaged_or_cut_off_is_named_and_incomplete() {
    let fake = Fake::start(quiet()).unwrap();
    let directory = tempfile::tempdir().unwrap();
    let trace = directory.path().join("trace.jsonl");
    let name = trace.to_str().unwrap();
    let good = request("v1", 60, json!({ "name": "curl" }));
    let lost = END.replace("\"connects\":0", "\"connects\":3");
    let hostless = start("").replace("\"instance_id\":\"\",", "");
    let long = format!("{{\"type\":\"request\",\"x\":\"{}\"}}", "a".repeat(2 << 20));
    let cases: [(&[&str], &str); 8] = [
        (&[&start("i-web"), "{\"type\":\"requ", &good, END], ", line 2: not JSON: "),
        (&[&start("i-web"), "[1]", END], ", line 2: it has no `type`: it is no line of a trace"),
        (&[&start("i-web"), r#"{"type":"request","kind":"v1"}"#, END], ", line 2: it has no `caller`"),
        (&[&start("i-web"), &long, &good, END], ", line 2: longer than a trace writes it"),
        (&[&start("i-web"), &good], "1 of its traces have no end: they were cut off"),
        (&[&good, END], "1 first line is missing: its beginning was cut off"),
        (&[&start("i-web"), &good, &lost], "3 events were lost"),
        (&[&hostless, &good, END], "line 1: host `h` has no instance id: trace with `--instance-id`"),
    ];
    for (lines, says) in cases {
        write(&trace, lines);
        let shown = ran(&fake, &["usage", "--trace", name]);
        assert_eq!(shown.status, 3, "{says}: {shown:?}");
        assert!(
            shown.stdout.contains("not scanned: trace `") && shown.stdout.contains(says),
            "{says}: {shown:?}"
        );
        let page = directory.path().join("report.html");
        let written = ran(&fake, &["report", "--trace", name, "--out", page.to_str().unwrap()]);
        assert_eq!(written.status, 3, "{says}: {written:?}");
        assert!(std::fs::read_to_string(&page).unwrap().contains("Traces that are not complete"), "{says}");
    }
    // What could be read of a damaged trace counts.
    write(&trace, &[&start("i-web"), "{", &good, END]);
    assert!(ran(&fake, &["usage", "--trace", name]).stdout.contains("traced: 1 by curl"));
    // What is no trace, or one of a later format, is refused before anything is asked.
    let before = fake.world().requests;
    for (lines, says) in [
        (["hello", "world"], "is no trace of `imds-trace`: "),
        (
            [start("i-web").replace("\"format\":1", "\"format\":2").as_str(), END],
            "its format is 2, this program reads 1",
        ),
    ] {
        write(&trace, &lines);
        let refused = ran(&fake, &["usage", "--trace", name]);
        assert_eq!(refused.status, 2, "{refused:?}");
        assert!(refused.stderr.contains(says), "{says}: {refused:?}");
    }
    let missing = ran(&fake, &["usage", "--trace", "/nonexistent/trace"]);
    assert!(missing.status != 0 && missing.stderr.contains("/nonexistent/trace"), "{missing:?}");
    assert_eq!(fake.world().requests, before);
}
