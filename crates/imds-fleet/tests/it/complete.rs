//! Never a false "ready", never a false "clean": what is not known is said to be so.

use imds_fake_aws::world::Options;
use imds_fake_aws::{Fake, Fault, Group, Image, Instance, Template, World};

use crate::change::{ACCOUNT, REGION, files};
use crate::harness::{now, ran};

const DAY: i64 = 86_400;

pub(crate) fn v1() -> Options {
    Options::full("optional", 1, "enabled", "disabled", "disabled")
}

/// An instance with a sample of zero for each day of the window, and for today.
pub(crate) fn quiet(world: &mut World, id: &str) {
    let mut instance = Instance::new(id, v1());
    instance.launched_at = now().as_second() - 100 * DAY;
    world.at(ACCOUNT, REGION).instances.push(instance);
    zeros(world, id);
}

pub(crate) fn zeros(world: &mut World, subject: &str) {
    let now = now().as_second();
    let midnight = now - now.rem_euclid(DAY);
    let samples = (0..=14).map(|day| ((midnight - day * DAY + 60).min(now - 1), 0.0)).collect();
    world.metrics.insert((subject.to_owned(), "MetadataNoToken".to_owned()), samples);
}

pub(crate) fn calls(world: &mut World, id: &str, ago: i64, count: f64) {
    let key = (id.to_owned(), "MetadataNoToken".to_owned());
    world.metrics.entry(key).or_default().push((now().as_second() - ago, count));
}

fn usage_status(fake: &Fake, id: &str) -> String {
    let document = ran(fake, &["usage", "--output", "json"]).json();
    let usage = document["usage"].as_array().unwrap().iter().find(|it| it["id"] == id).unwrap().clone();
    format!("{}: {}", usage["status"].as_str().unwrap(), usage["reason"].as_str().unwrap())
}

#[test]
fn calls_of_today_are_seen_and_metrics_that_are_not_complete_are_unknown() {
    let mut world = World::new(ACCOUNT, &[REGION]);
    quiet(&mut world, "i-1");
    world.metric_page = Some(1);
    let fake = Fake::start(world).unwrap();
    assert_eq!(usage_status(&fake, "i-1"), "ready: no call in 14 days and today");
    for status in ["PartialData", "InternalError", "Forbidden"] {
        fake.world().metric_statuses.insert("i-1".to_owned(), status.to_owned());
        assert_eq!(usage_status(&fake, "i-1"), format!("unknown: CloudWatch says {status}"));
    }
    fake.world().metric_statuses.clear();
    calls(&mut fake.world(), "i-1", 1800, 500.0);
    assert_eq!(usage_status(&fake, "i-1"), "in-use: 500 calls in 14 days and today");
}

#[test]
fn new_calls_since_the_plan_stop_it_before_the_next_wave() {
    let mut world = World::new(ACCOUNT, &[REGION]);
    ["i-1", "i-2", "i-3"].iter().for_each(|id| quiet(&mut world, id));
    let fake = Fake::start(world).unwrap();
    let files = files();
    assert_eq!(files.plan_ready(&fake, &["--usage"]).status, 0);
    for id in ["i-1", "i-2", "i-3"] {
        // What the gate waits for: data of after the wave.
        let key = (id.to_owned(), "MetadataNoTokenRejected".to_owned());
        fake.world().metrics.insert(key, (0..10).map(|n| (now().as_second() + n * 60, 0.0)).collect());
    }
    calls(&mut fake.world(), "i-2", 60, 3.0);
    let stopped = files.apply(&fake, &[]);
    assert_eq!(stopped.status, 3, "{stopped:?}");
    assert!(
        stopped.stdout.contains("stopped: `i-2` in 111122223333/us-east-1 has made 3 IMDSv1 calls since")
    );
    let changed: Vec<String> = fake.world().modified.iter().map(|(id, _)| id.clone()).collect();
    assert_eq!(changed, ["i-1"], "the wave before it");
    // Metrics that cannot be read again are no leave.
    fake.world().faults.push(Fault::always("GetMetricData", Fault::denied()));
    let denied = files.apply(&fake, &[]);
    assert_eq!(denied.status, 3, "{denied:?}");
    assert!(denied.stdout.contains("stopped: usage cannot be read again before the wave"), "{denied:?}");
    assert_eq!(fake.world().modified.len(), 1);
}

#[test]
fn without_data_the_gate_stays_closed() {
    let mut world = World::new(ACCOUNT, &[REGION]);
    ["i-1", "i-2"].iter().for_each(|id| quiet(&mut world, id));
    let fake = Fake::start(world).unwrap();
    let files = files();
    assert_eq!(files.plan_ready(&fake, &["--usage"]).status, 0);
    // What today has was before the wave.
    fake.world()
        .metrics
        .values_mut()
        .for_each(|samples| samples.retain(|(at, _)| *at < now().as_second() - 600));
    let closed = files.apply(&fake, &["--polls", "2"]);
    assert_eq!(closed.status, 3, "{closed:?}");
    assert!(closed.stdout.contains("gate: waiting for the metrics of 1 instances or groups\n"), "{closed:?}");
    assert!(closed.stdout.contains(
        "stopped: gate closed: whether IMDSv1 calls are refused is unknown for 1 instances or groups"
    ));
    assert_eq!(fake.world().modified.len(), 1);
}

#[test]
fn a_plan_that_is_too_old_is_refused_unless_told() {
    let mut world = World::new(ACCOUNT, &[REGION]);
    world.at(ACCOUNT, REGION).instances.push(Instance::new("i-1", v1()));
    let fake = Fake::start(world).unwrap();
    let files = files();
    assert_eq!(files.plan(&fake, &[]).status, 0);
    let mut plan: serde_json::Value = serde_json::from_slice(&std::fs::read(&files.plan).unwrap()).unwrap();
    let made = jiff::Timestamp::from_second(now().as_second() - 8 * DAY).unwrap();
    plan["made_at"] = serde_json::json!(made);
    std::fs::write(&files.plan, plan.to_string()).unwrap();
    let before = fake.world().requests;
    let refused = files.apply(&fake, &[]);
    assert_eq!(refused.status, 2, "{refused:?}");
    assert!(refused.stderr.contains("was made 8d ago, which is more than `--max-age 7d`"), "{refused:?}");
    assert_eq!(fake.world().requests, before);
    assert_eq!(files.apply(&fake, &["--stale"]).status, 0);
}

#[test]
fn what_launches_instances_that_are_in_use_is_not_planned() {
    let mut world = World::new(ACCOUNT, &[REGION]);
    quiet(&mut world, "i-busy");
    calls(&mut world, "i-busy", 3600, 9.0);
    // Autoscaled instances are younger than any window; the group is not.
    let young = |id: &str, group: &str| {
        let mut instance = Instance::new(id, v1());
        instance.launched_at = now().as_second() - 3600;
        instance.tags.insert("aws:autoscaling:groupName".to_owned(), group.to_owned());
        instance
    };
    let here = world.at(ACCOUNT, REGION);
    here.instances.extend([young("i-calm", "calm"), young("i-wild", "wild"), young("i-new", "new")]);
    for group in ["calm", "wild", "new"] {
        let id = format!("lt-0{group}");
        here.templates.push(Template {
            id: id.clone(),
            name: id.clone(),
            versions: vec![(Options::default(), None)],
            default: 1,
            ..Template::default()
        });
        here.groups.push(Group {
            name: group.to_owned(),
            template: Some((id, "$Default".to_owned())),
            ..Group::default()
        });
    }
    zeros(&mut world, "calm");
    zeros(&mut world, "wild");
    calls(&mut world, "wild", 1800, 40.0);
    let fake = Fake::start(world).unwrap();
    assert_eq!(usage_status(&fake, "i-calm"), "ready: group `calm`: no call in 14 days and today");
    assert_eq!(usage_status(&fake, "i-wild"), "in-use: group `wild`: 40 calls in 14 days and today");
    assert_eq!(usage_status(&fake, "calm"), "ready: no call in 14 days and today");
    let files = files();
    let planned = files.plan_ready(&fake, &["--usage", "--launch-templates", "--account-defaults"]);
    assert_eq!(planned.status, 1, "{planned:?}");
    let plan: serde_json::Value = serde_json::from_slice(&std::fs::read(&files.plan).unwrap()).unwrap();
    let ids: Vec<&str> =
        plan["changes"].as_array().unwrap().iter().filter_map(|it| it["id"].as_str()).collect();
    assert_eq!(ids, ["i-calm", "lt-0calm"], "{planned:?}");
    for says in [
        "lt-0wild in 111122223333/us-east-1: still uses IMDSv1: group `wild`: 40 calls",
        "lt-0new in 111122223333/us-east-1: whether it uses IMDSv1 is unknown: group `new`: data for 0 of 14 days",
        "account-defaults in 111122223333/us-east-1: still uses IMDSv1: `i-",
    ] {
        assert!(planned.stdout.contains(says), "{says}: {planned:?}");
    }
}

#[test]
fn what_is_assumed_is_said_everywhere_and_weighs_less() {
    let mut world = World::new(ACCOUNT, &[REGION]);
    let here = world.at(ACCOUNT, REGION);
    let name = "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64";
    let template = |id: &str, image: Option<String>| Template {
        id: id.to_owned(),
        name: id.to_owned(),
        versions: vec![(Options::default(), image)],
        default: 1,
        ..Template::default()
    };
    here.templates = vec![
        template("lt-al2023", Some(format!("resolve:ssm:{name}"))),
        template("lt-none", None),
        template("lt-old", Some("ami-old".to_owned())),
        template("lt-unused", Some("ami-old".to_owned())),
    ];
    here.images = vec![
        Image { id: "ami-al2023".to_owned(), own: false, imds_support: Some("v2.0".to_owned()) },
        Image { id: "ami-old".to_owned(), own: false, imds_support: None },
    ];
    let used = |id: &str| Group {
        name: format!("of-{id}"),
        template: Some((id.to_owned(), "$Default".to_owned())),
        ..Group::default()
    };
    here.groups = vec![used("lt-al2023"), used("lt-none"), used("lt-old")];
    world.parameters.insert(name.to_owned(), "ami-al2023".to_owned());
    let fake = Fake::start(world).unwrap();
    let severities = |fake: &Fake| -> Vec<String> {
        let document = ran(fake, &["audit", "--output", "json"]).json();
        let findings = document["findings"].as_array().unwrap().clone();
        let of_templates = findings.iter().filter(|it| it["rule"] == "template-v1");
        of_templates
            .map(|it| format!("{} {}", it["id"].as_str().unwrap(), it["severity"].as_str().unwrap()))
            .collect()
    };
    assert_eq!(severities(&fake), ["lt-none medium", "lt-old high", "lt-unused medium"]);
    // Without the permission to read the parameter, every format says that it is assumed.
    fake.world().parameters.clear();
    assert_eq!(severities(&fake), ["lt-al2023 medium", "lt-none medium", "lt-old high", "lt-unused medium"]);
    let says = "an image without `ImdsSupport`: `resolve:ssm:/aws/service/";
    for command in ["state", "audit"] {
        for format in ["table", "json", "jsonl", "csv"] {
            let shown = ran(&fake, &[command, "--output", format]);
            assert!(shown.stdout.contains(says), "{command} {format}: {shown:?}");
        }
    }
    for format in ["sarif", "ocsf", "junit"] {
        assert!(
            ran(&fake, &["audit", "--output", format]).stdout.contains("resolve:ssm:/aws/service/"),
            "{format}"
        );
    }
}
