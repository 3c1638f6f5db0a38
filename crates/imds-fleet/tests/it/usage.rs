//! `usage`: no data is not zero.

use imds_fake_aws::world::Options;
use imds_fake_aws::{Fake, Fault, Instance, Shape, World};

use crate::harness::ran;

const DAY: i64 = 86_400;

#[test]
fn a_status_for_each_instance() {
    let now = crate::harness::now().as_second();
    let midnight = now - now.rem_euclid(DAY);
    let mut world = World::new("111122223333", &["us-east-1"]);
    let v1 = Options::full("optional", 1, "enabled", "disabled", "disabled");
    let mut v2 = v1.clone();
    v2.http_tokens = Some("required".to_owned());
    let ids = ["i-quiet", "i-busy", "i-silent", "i-gaps", "i-young", "i-stopped", "i-off"];
    for id in ids {
        let mut instance = Instance::new(id, if id == "i-off" { v2.clone() } else { v1.clone() });
        instance.launched_at = if id == "i-young" { now - 3600 } else { now - 100 * DAY };
        if id == "i-stopped" {
            instance.run_state = "stopped".to_owned();
        }
        world.at("111122223333", "us-east-1").instances.push(instance);
        let sample = |day: i64| {
            ((midnight - day * DAY + 60).min(now - 1), if id == "i-busy" && day == 9 { 3.0 } else { 0.0 })
        };
        let days = match id {
            "i-silent" => 0,
            "i-gaps" => 5,
            _ => 14,
        };
        let key = (id.to_owned(), "MetadataNoToken".to_owned());
        world.metrics.insert(key, (if days == 14 { 0..=days } else { 1..=days }).map(sample).collect());
    }
    world
        .metrics
        .insert(("i-off".to_owned(), "MetadataNoTokenRejected".to_owned()), vec![(midnight - 60, 7.0)]);
    let fake = Fake::start(world).unwrap();
    let document = ran(&fake, &["usage", "--output", "json"]).json();
    let statuses: Vec<String> = document["usage"]
        .as_array()
        .unwrap()
        .iter()
        .map(|usage| {
            let word = |name: &str| usage[name].as_str().unwrap().to_owned();
            format!("{} {}: {}", word("id"), word("status"), word("reason"))
        })
        .collect();
    assert_eq!(
        statuses,
        [
            "i-busy in-use: 3 calls in 14 days and today",
            "i-gaps unknown: data for 5 of 14 days",
            "i-off off: 7 calls were refused",
            "i-quiet ready: no call in 14 days and today",
            "i-silent unknown: data for 0 of 14 days",
            "i-stopped unknown: is `stopped`: what it does when it runs is not known",
            "i-young unknown: has not run for 14 days",
        ]
    );
    assert_eq!(document["usage"][4]["calls"], serde_json::Value::Null, "no data is not zero");
}

#[test]
fn metrics_are_asked_for_in_batches_of_500() {
    let fake = Fake::start(World::generate(Shape { accounts: 1, regions: 1, instances: 1000 })).unwrap();
    let args = ["usage", "--regions", "ap-northeast-1", "--output", "csv"];
    let all = ran(&fake, &args);
    assert_eq!(all.status, 0, "{}", all.stderr);
    assert_eq!(all.stdout.lines().count(), 1001);
    // 1,000 instances, two metrics each.
    assert_eq!(fake.world().called("GetMetricData"), 4);
    fake.world().faults.push(Fault::always("GetMetricData", Fault::denied()));
    let denied = ran(&fake, &["usage", "--regions", "ap-northeast-1"]);
    assert_eq!(denied.status, 3, "{}", denied.stderr);
    assert!(
        denied.stdout.contains("not scanned: 100000000000/ap-northeast-1: `GetMetricData` denied"),
        "{}",
        denied.stdout
    );
}
