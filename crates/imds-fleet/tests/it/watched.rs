//! What a wave is watched by besides the instances that it changes: the groups and instances behind
//! launch templates and account defaults; and what keeps a gate closed.

use imds_fake_aws::world::Options;
use imds_fake_aws::{Fake, Fault, Group, Instance, Template, World};

use crate::change::{ACCOUNT, Files, REGION, files};
use crate::complete::{calls, quiet, v1, zeros};
use crate::harness::now;

const TEMPLATE: &str = "lt-0web";

/// Two templates with a group each, which uses no IMDSv1: `web` follows the default of its own,
/// `pins` names a version. The instances of the groups are younger than the window.
fn world() -> World {
    let mut world = World::new(ACCOUNT, &[REGION]);
    let here = world.at(ACCOUNT, REGION);
    for (group, template, version) in [("web", TEMPLATE, "$Default"), ("pins", "lt-0pin", "1")] {
        let required = Options { http_tokens: Some("required".to_owned()), ..Options::default() };
        here.templates.push(Template {
            id: template.to_owned(),
            name: template.to_owned(),
            versions: vec![(Options::default(), None), (required, None)],
            default: if version == "1" { 2 } else { 1 },
            ..Template::default()
        });
        let from = Some((template.to_owned(), version.to_owned()));
        here.groups.push(Group { name: group.to_owned(), template: from, ..Group::default() });
    }
    launched(&mut world, "i-web", TEMPLATE, Some("web"));
    launched(&mut world, "i-pins", "lt-0pin", Some("pins"));
    zeros(&mut world, "web");
    zeros(&mut world, "pins");
    world
}

fn launched(world: &mut World, id: &str, template: &str, group: Option<&str>) {
    let mut instance = Instance::new(id, v1());
    instance.launched_at = now().as_second();
    instance.tags.insert("aws:ec2launchtemplate:id".to_owned(), template.to_owned());
    let group = group.map(|group| ("aws:autoscaling:groupName".to_owned(), group.to_owned()));
    instance.tags.extend(group);
    world.at(ACCOUNT, REGION).instances.push(instance);
}

/// Samples of a metric around now: wherever the run's minute falls, one of them lies in it.
fn around(world: &mut World, subject: &str, metric: &str, sum: f64) {
    let samples = (-3..10).map(|minute| (now().as_second() + minute * 60, sum)).collect();
    world.metrics.insert((subject.to_owned(), metric.to_owned()), samples);
}

fn planned(fake: &Fake, args: &[&str], changes: usize) -> Files {
    let files = files();
    let planned = files.plan_ready(fake, &[&["--usage"], args].concat());
    let plan: serde_json::Value = serde_json::from_slice(&std::fs::read(&files.plan).unwrap()).unwrap();
    assert_eq!(plan["changes"].as_array().unwrap().len(), changes, "{planned:?}");
    files
}

fn untouched(fake: &Fake) -> bool {
    let mut world = fake.world();
    let here = world.at(ACCOUNT, REGION);
    here.templates.iter().all(|it| it.versions.len() == 2)
        && here.groups.iter().all(|it| it.changes == 0)
        && here.defaults.changes == 0
}

#[test]
fn new_calls_behind_a_launch_source_stop_it_before_the_wave() {
    let alone = |option| ["--no-instances", option];
    let cases = [
        (alone("--launch-templates"), "web", "group `web` in 111122223333/us-east-1 (of `lt-0web`)"),
        (alone("--launch-templates"), "i-web", "`i-web` in 111122223333/us-east-1 (of `lt-0web`)"),
        // Launched since the plan was made, by a group or not.
        (alone("--launch-templates"), "i-new", "`i-new` in 111122223333/us-east-1 (of `lt-0web`)"),
        (alone("--pinned-groups"), "pins", "group `pins` in 111122223333/us-east-1 (of `pins`)"),
        (alone("--pinned-groups"), "i-pins", "`i-pins` in 111122223333/us-east-1 (of `pins`)"),
        (alone("--account-defaults"), "i-new", "`i-new` in 111122223333/us-east-1 (of `account-defaults`)"),
        (
            alone("--account-defaults"),
            "i-other",
            "`i-other` in 111122223333/us-east-1 (of `account-defaults`)",
        ),
    ];
    for (args, who, says) in cases {
        let fake = Fake::start(world()).unwrap();
        let files = planned(&fake, &args, 1);
        launched(&mut fake.world(), "i-new", TEMPLATE, None);
        fake.world().at(ACCOUNT, REGION).instances.push(Instance::new("i-other", v1()));
        calls(&mut fake.world(), who, 60, 3.0);
        let stopped = files.apply(&fake, &[]);
        assert_eq!(stopped.status, 3, "{args:?} {who}: {stopped:?}");
        let says = format!("stopped: {says} has made 3 IMDSv1 calls since usage was read for the plan");
        assert!(stopped.stdout.contains(&says), "{args:?} {who}: {stopped:?}");
        assert!(untouched(&fake), "{args:?} {who}");
        // Nothing else changed of it: once the calls are no more, it goes on.
        fake.world().metrics.get_mut(&(who.to_owned(), "MetadataNoToken".to_owned())).unwrap().pop();
        let applied = files.apply(&fake, &["--no-gate-metric"]);
        assert_eq!(applied.status, 0, "{args:?} {who}: {applied:?}");
    }
}

#[test]
fn what_others_launch_and_what_was_in_use_before_is_no_concern_of_a_template() {
    let fake = Fake::start(world()).unwrap();
    let files = planned(&fake, &["--no-instances", "--launch-templates"], 1);
    fake.world().at(ACCOUNT, REGION).instances.push(Instance::new("i-other", v1()));
    calls(&mut fake.world(), "i-other", 60, 3.0);
    around(&mut fake.world(), "web", "MetadataNoTokenRejected", 0.0);
    let applied = files.apply(&fake, &[]);
    assert_eq!(applied.status, 0, "{applied:?}");
    // In use when the plan was made, and planned all the same.
    let mut world = world();
    calls(&mut world, "web", 7200, 5.0);
    let fake = Fake::start(world).unwrap();
    let files = planned(&fake, &["--no-instances", "--launch-templates", "--include-in-use"], 1);
    calls(&mut fake.world(), "web", 60, 5.0);
    around(&mut fake.world(), "web", "MetadataNoTokenRejected", 0.0);
    let applied = files.apply(&fake, &[]);
    assert_eq!(applied.status, 0, "{applied:?}");
}

#[test]
fn usage_behind_a_launch_source_that_cannot_be_read_is_no_leave() {
    for action in ["DescribeInstances", "GetMetricData"] {
        let fake = Fake::start(world()).unwrap();
        let files = planned(&fake, &["--no-instances", "--launch-templates"], 1);
        fake.world().faults.push(Fault::always(action, Fault::denied()));
        let denied = files.apply(&fake, &[]);
        assert_eq!(denied.status, 3, "{action}: {denied:?}");
        assert!(denied.stdout.contains("stopped: usage cannot be read again before the wave"), "{denied:?}");
        assert!(denied.stdout.contains(&format!("`{action}` denied")), "{denied:?}");
        assert!(untouched(&fake));
    }
    let fake = Fake::start(world()).unwrap();
    let files = planned(&fake, &["--no-instances", "--launch-templates"], 1);
    fake.world().metric_statuses.insert("web".to_owned(), "PartialData".to_owned());
    let unknown = files.apply(&fake, &[]);
    assert_eq!(unknown.status, 3, "{unknown:?}");
    assert!(unknown.stdout.contains("stopped: whether group `web` in"), "{unknown:?}");
    assert!(untouched(&fake));
}

#[test]
fn a_group_that_comes_to_refuse_calls_closes_the_gate_and_one_that_did_before_does_not() {
    for before in [false, true] {
        let fake = Fake::start(world()).unwrap();
        // The template comes before the group that pins a version: each is a wave.
        let files = planned(&fake, &["--no-instances", "--launch-templates", "--pinned-groups"], 2);
        around(&mut fake.world(), "pins", "MetadataNoTokenRejected", 0.0);
        let soon = now().as_second();
        // Calls of the next minutes lie in the window of the gate and not in the hour before it.
        let later = (20..600).step_by(10).map(|second| (soon + second, 1.0));
        let earlier = (1..30).map(|minute| (soon - minute * 60, f64::from(u8::from(before))));
        let key = ("web".to_owned(), "MetadataNoTokenRejected".to_owned());
        fake.world().metrics.insert(key, earlier.chain(later).collect());
        let applied = files.apply(&fake, &[]);
        if before {
            assert_eq!(applied.status, 0, "{applied:?}");
        } else {
            assert_eq!(applied.status, 3, "{applied:?}");
            let says = "stopped: gate closed: group `web` in 111122223333/us-east-1 (of `lt-0web`) refuses IMDSv1 calls";
            assert!(applied.stdout.contains(says), "{applied:?}");
        }
    }
}

#[test]
fn a_gate_that_was_closed_is_not_passed_by_running_again() {
    let fake = Fake::start(world_of(&["i-1", "i-2", "i-3"])).unwrap();
    let files = planned(&fake, &[], 3);
    around(&mut fake.world(), "i-1", "MetadataNoTokenRejected", 1.0);
    for run in 0..3 {
        let closed = files.apply(&fake, &[]);
        assert_eq!(closed.status, 3, "{run}: {closed:?}");
        assert!(closed.stdout.contains("stopped: gate closed: `i-1` in"), "{run}: {closed:?}");
        assert_eq!(fake.world().modified.len(), 1, "{run}");
    }
    let command = files.apply(&fake, &["--no-gate-metric", "--gate-command", "false"]);
    assert_eq!((command.status, fake.world().modified.len()), (3, 1), "{command:?}");
    // What made the calls is mended.
    around(&mut fake.world(), "i-1", "MetadataNoTokenRejected", 0.0);
    let onward = files.apply(&fake, &[]);
    assert_eq!((onward.status, fake.world().modified.len()), (0, 3), "{onward:?}");
}

#[test]
fn what_was_stopped_or_is_gone_since_does_not_keep_the_gate_closed() {
    for gone in [false, true] {
        let fake = Fake::start(world_of(&["i-1", "i-2", "i-3"])).unwrap();
        let files = planned(&fake, &[], 3);
        if gone {
            fake.world().vanishing.insert("i-1".to_owned());
        } else {
            fake.world().instance_mut("i-1").unwrap().run_state = "stopped".to_owned();
        }
        fake.world().metrics.values_mut().for_each(|samples| {
            samples.retain(|(at, _)| *at < now().as_second() - 600);
        });
        let applied = files.apply(&fake, &[]);
        assert_eq!(applied.status, 0, "{applied:?}");
    }
}

fn world_of(ids: &[&str]) -> World {
    let mut world = World::new(ACCOUNT, &[REGION]);
    ids.iter().for_each(|id| quiet(&mut world, id));
    world
}
