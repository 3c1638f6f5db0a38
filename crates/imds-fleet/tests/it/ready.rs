//! `plan --http-tokens required`: only for instances that are known to be ready, unless told.

use imds_fake_aws::world::Options;
use imds_fake_aws::{Fake, Fault, Instance, World};

use crate::change::{ACCOUNT, REGION, files};
use crate::harness::ran;

const DAY: i64 = 86_400;

/// One instance of each status; all answer IMDSv1 but `i-off`, whose endpoint is disabled.
fn world() -> World {
    let now = crate::harness::now().as_second();
    let midnight = now - now.rem_euclid(DAY);
    let mut world = World::new(ACCOUNT, &[REGION]);
    for id in ["i-busy", "i-off", "i-quiet", "i-silent"] {
        let endpoint = if id == "i-off" { "disabled" } else { "enabled" };
        let options = Options::full("optional", 1, endpoint, "disabled", "disabled");
        world.at(ACCOUNT, REGION).instances.push(Instance::new(id, options));
        let calls = if id == "i-busy" { 3.0 } else { 0.0 };
        if ["i-busy", "i-quiet"].contains(&id) {
            let samples = (0..=14).map(|day| ((midnight - day * DAY + 60).min(now - 1), calls)).collect();
            world.metrics.insert((id.to_owned(), "MetadataNoToken".to_owned()), samples);
        }
    }
    world
}

/// The plan file, and the ids of its changes with their statuses, and of what it leaves out.
fn read(path: &std::path::Path) -> (serde_json::Value, Vec<String>, Vec<String>) {
    let plan: serde_json::Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let told = |list: &str| {
        let entries = plan[list].as_array().unwrap().iter();
        let line = |entry: &serde_json::Value| {
            let word = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
            let usage = &entry["usage"];
            format!("{} {}: {}", word(&entry["id"]), word(&usage["status"]), word(&usage["reason"]))
        };
        entries.map(line).collect()
    };
    let (changes, left_out) = (told("changes"), told("left_out"));
    (plan, changes, left_out)
}

const BUSY: &str = "i-busy in-use: 45 calls in 14 days and today";
const OFF: &str = "i-off off: the endpoint is disabled";
const QUIET: &str = "i-quiet ready: no call in 14 days and today";
const SILENT: &str = "i-silent unknown: data for 0 of 14 days";

#[test]
fn in_use_and_unknown_are_left_out_unless_told_and_the_plan_says_why() {
    let cases: [(&[&str], &[&str], &[&str]); 4] = [
        (&[], &[OFF, QUIET], &[BUSY, SILENT]),
        (&["--include-in-use"], &[BUSY, OFF, QUIET], &[SILENT]),
        (&["--include-unknown"], &[OFF, QUIET, SILENT], &[BUSY]),
        (&["--include-in-use", "--include-unknown"], &[BUSY, OFF, QUIET, SILENT], &[]),
    ];
    let fake = Fake::start(world()).unwrap();
    for saved in [false, true] {
        let directory = tempfile::tempdir().unwrap();
        let usage = directory.path().join("usage.json");
        if saved {
            std::fs::write(&usage, ran(&fake, &["usage", "--output", "json"]).stdout).unwrap();
        }
        let source = if saved { vec!["--usage-file", usage.to_str().unwrap()] } else { vec!["--usage"] };
        for (more, changes, left_out) in cases {
            let files = files();
            let planned = files.plan_ready(&fake, &[&source[..], more].concat());
            assert_eq!(planned.status, i32::from(!left_out.is_empty()), "{planned:?}");
            let (plan, changed, left) = read(&files.plan);
            assert_eq!(
                (changed.as_slice(), left.as_slice()),
                (to_owned(changes).as_slice(), to_owned(left_out).as_slice())
            );
            assert_eq!(plan["include"]["in_use"], more.contains(&"--include-in-use"));
            assert_eq!(plan["include"]["unknown"], more.contains(&"--include-unknown"));
            for change in plan["changes"].as_array().unwrap() {
                let at = &change["usage"]["read_at"];
                assert_eq!(at.is_string(), change["id"] != "i-off", "{change}");
            }
        }
    }
    let files = files();
    let planned = files.plan_ready(&fake, &["--usage"]);
    assert_eq!(
        planned.stdout,
        format!(
            "left out: i-busy in {ACCOUNT}/{REGION}: still uses IMDSv1: 45 calls in 14 days and today; `--include-in-use` \
             plans it all the same\n\
             left out: i-silent in {ACCOUNT}/{REGION}: whether it uses IMDSv1 is unknown: data for 0 of 14 days; \
             `--include-unknown` plans it all the same\n\
             2 changes to HttpTokens=required, 2 left out, in `{}`\n",
            files.plan.display()
        )
    );
    assert_eq!(files.apply(&fake, &[]).status, 0);
    let world = fake.world();
    let changed: Vec<&str> = world.modified.iter().map(|(id, _)| id.as_str()).collect();
    assert_eq!(changed.len(), 2, "{changed:?}");
    assert!(!changed.contains(&"i-busy") && !changed.contains(&"i-silent"), "{changed:?}");
}

fn to_owned(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

#[test]
fn without_usage_nothing_is_planned_and_nothing_asked() {
    let fake = Fake::start(world()).unwrap();
    let files = files();
    let planned = files.plan_ready(&fake, &[]);
    assert_eq!(planned.status, 2, "{planned:?}");
    assert_eq!(
        planned.stderr,
        "error: `--http-tokens required` needs to know who still uses IMDSv1: say `--usage`, `--usage-file FILE`, \
         or `--include-unknown`\n"
    );
    assert_eq!(fake.world().requests, 0);
    assert!(!files.plan.exists());
    // What takes IMDSv1 from nobody needs no usage.
    let hops = ["plan", "--out", files.plan.to_str().unwrap(), "--hop-limit", "2"];
    assert_eq!(ran(&fake, &hops).status, 0);
    let told = crate::change::files();
    assert_eq!(told.plan_ready(&fake, &["--include-unknown"]).status, 0);
    let (_, changes, _) = read(&told.plan);
    assert_eq!(changes[0], "i-busy unknown: usage was not read");
    assert_eq!(fake.world().called("GetMetricData"), 0);
}

#[test]
fn metrics_that_cannot_be_read_leave_the_status_unknown() {
    let mut world = world();
    world.faults.push(Fault::always("GetMetricData", Fault::denied()));
    let fake = Fake::start(world).unwrap();
    let files = files();
    let planned = files.plan_ready(&fake, &["--usage"]);
    assert_eq!(planned.status, 3, "{planned:?}");
    assert!(
        planned.stdout.contains(&format!("\nusage not read: {ACCOUNT}/{REGION}: `GetMetricData` denied: ")),
        "{planned:?}"
    );
    let (_, changes, left_out) = read(&files.plan);
    assert_eq!((changes, left_out.len()), (vec![OFF.to_owned()], 3));
}

#[test]
fn a_saved_status_is_taken_for_what_it_is() {
    let fake = Fake::start(world()).unwrap();
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("usage.json");
    let plan = |document: &serde_json::Value| {
        std::fs::write(&path, document.to_string()).unwrap();
        let files = files();
        let planned = files.plan_ready(&fake, &["--usage-file", path.to_str().unwrap()]);
        (planned, files)
    };
    let good = ran(&fake, &["usage", "--output", "json"]).json();
    let ago = |days: i64| {
        let seconds = crate::harness::now().as_second() - days * DAY;
        serde_json::json!(jiff::Timestamp::from_second(seconds).unwrap())
    };
    let quiet = |files: &crate::change::Files| {
        let (_, changes, left_out) = read(&files.plan);
        changes.into_iter().chain(left_out).find(|line| line.starts_with("i-quiet")).unwrap()
    };
    let mut old = good.clone();
    old["read_at"] = ago(13);
    assert_eq!(quiet(&plan(&old).1), QUIET);
    old["read_at"] = ago(14);
    assert_eq!(quiet(&plan(&old).1), "i-quiet unknown: read 14 days ago, over 14 days");
    let mut other = good.clone();
    other["usage"].as_array_mut().unwrap().retain(|usage| usage["id"] != "i-quiet");
    assert_eq!(quiet(&plan(&other).1), "i-quiet unknown: not among those whose usage was read");
    let mut off = good.clone();
    for usage in off["usage"].as_array_mut().unwrap() {
        usage["status"] = "off".into();
    }
    assert_eq!(quiet(&plan(&off).1), "i-quiet unknown: IMDSv1 was off when usage was read");

    let before = fake.world().requests;
    let mut version = good.clone();
    version["schema_version"] = 9.into();
    let (refused, files) = plan(&version);
    assert_eq!(refused.status, 2, "{refused:?}");
    let says = format!("error: usage `{}`: has version 9, this program knows 1\n", path.display());
    assert_eq!(refused.stderr, says);
    assert!(!files.plan.exists());
    let (refused, _) = plan(&serde_json::json!({ "schema_version": 1 }));
    assert_eq!(refused.status, 2, "{refused:?}");
    let says = format!("error: usage `{}`: missing field `read_at` at line 1 column 20\n", path.display());
    assert_eq!(refused.stderr, says);
    assert_eq!(fake.world().requests, before);
}
