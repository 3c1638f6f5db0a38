//! State from files and from an AWS Config aggregator.

use std::path::Path;

use imds_fake_aws::{Fake, Shape, World};

use crate::harness::{Ran, bare, ran, run};

fn from_file(text: &str, args: &[&str]) -> Ran {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("state");
    std::fs::write(&file, text).unwrap();
    let mut command = bare(Path::new("/nonexistent"));
    command.args(["state", "--source", "file", "--file"]).arg(&file).args(args);
    run(command)
}

const DESCRIBE: &str = r#"{ "Reservations": [ { "OwnerId": "111122223333", "Instances": [
  { "InstanceId": "i-1", "State": { "Code": 16, "Name": "running" }, "LaunchTime": "2026-01-02T03:04:05+00:00",
    "Placement": { "AvailabilityZone": "eu-west-1b" }, "Tags": [ { "Key": "Name", "Value": "web" } ],
    "MetadataOptions": { "State": "applied", "HttpTokens": "optional", "HttpPutResponseHopLimit": 1,
      "HttpEndpoint": "enabled", "HttpProtocolIpv6": "disabled", "InstanceMetadataTags": "disabled" } },
  { "InstanceId": "i-2", "State": { "Name": "terminated" } } ] } ] }"#;

#[test]
fn saved_describe_instances_output_needs_no_credentials() {
    let ran = from_file(DESCRIBE, &["--output", "json"]);
    assert_eq!((ran.status, ran.stderr.as_str()), (0, ""), "{ran:?}");
    let document = ran.json();
    let instance = &document["resources"][0];
    assert_eq!(instance["id"], "i-1");
    assert_eq!(instance["account"], "111122223333");
    assert_eq!(instance["region"], "eu-west-1");
    assert_eq!(instance["name"], "web");
    assert_eq!(instance["posture"], "v1-allowed");
    assert_eq!(instance["launched_at"], 1_767_323_045);
    assert_eq!(document["summary"]["instances"], 1);
}

#[test]
fn an_aws_config_snapshot_is_read() {
    let snapshot = r#"{ "fileVersion": "1.0", "configurationItems": [
      { "resourceType": "AWS::EC2::Instance", "resourceId": "i-1", "awsAccountId": "111122223333",
        "awsRegion": "eu-west-1", "configurationItemStatus": "OK", "configuration": { "instanceId": "i-1",
        "state": { "name": "running" }, "tags": [ { "key": "Name", "value": "web" } ],
        "metadataOptions": { "state": "applied", "httpTokens": "required", "httpPutResponseHopLimit": 2,
          "httpEndpoint": "enabled", "httpProtocolIpv6": "disabled", "instanceMetadataTags": "disabled" } } },
      { "resourceType": "AWS::EC2::Volume", "configuration": {} },
      { "resourceType": "AWS::EC2::Instance", "resourceId": "i-2", "awsAccountId": "111122223333",
        "awsRegion": "eu-west-1", "configurationItemStatus": "ResourceDeleted" } ] }"#;
    let ran = from_file(snapshot, &["--output", "json"]);
    assert_eq!((ran.status, ran.stderr.as_str()), (0, ""), "{ran:?}");
    let document = ran.json();
    assert_eq!(document["summary"]["postures"]["v2-required"], 1);
    assert_eq!(document["resources"][0]["options"]["http_put_response_hop_limit"], 2);
}

#[test]
fn our_own_output_is_a_source_and_keeps_what_was_not_scanned() {
    let mut world = World::generate(Shape { accounts: 2, regions: 2, instances: 20 });
    world.closed.insert("100000000001".to_owned());
    let fake = Fake::start(world).unwrap();
    for format in ["json", "jsonl"] {
        let scope = ["--organization", "--role-name", "audit", "--all-regions"];
        let live = ran(&fake, &[&["state", "--output", format][..], &scope].concat());
        assert_eq!(live.status, 3, "{live:?}");
        let again = from_file(&live.stdout, &["--output", "json"]);
        assert_eq!(again.status, 3, "{again:?}");
        let document = again.json();
        assert_eq!(document["summary"]["instances"], 10, "{format}");
        assert_eq!(document["summary"]["incomplete"][0]["account"], "100000000001", "{format}");
    }
}

#[test]
fn another_file_is_refused_with_its_name() {
    for text in ["shopping list", "[1, 2]", "{\"Reservations\": 7}", "", "{\"a\": 1}"] {
        let ran = from_file(text, &[]);
        assert_eq!(ran.status, 2, "{text}: {ran:?}");
        assert!(ran.stderr.starts_with("error: `/"), "{text}: {ran:?}");
        assert!(ran.stderr.contains("is not "), "{text}: {ran:?}");
    }
}

#[test]
fn an_aggregator_answers_for_the_organization_with_no_role_assumed() {
    let fake = Fake::start(World::generate(Shape { accounts: 3, regions: 2, instances: 250 })).unwrap();
    let args = ["state", "--source", "config-aggregator", "--aggregator", "org", "--output", "json"];
    let document = ran(&fake, &args).json();
    assert_eq!(document["summary"]["instances"], 250);
    let live =
        ran(&fake, &["state", "--organization", "--role-name", "r", "--all-regions", "--output", "json"])
            .json();
    assert_eq!(document["summary"]["postures"], live["summary"]["postures"]);
    let world = fake.world();
    assert_eq!(world.called("SelectAggregateResourceConfig"), 3, "100 rows a page");
    drop(world);
    let wrong = ran(&fake, &["state", "--source", "config-aggregator", "--aggregator", "none"]);
    assert_eq!(wrong.status, 3, "{wrong:?}");
    assert!(wrong.stderr.contains("NoSuchConfigurationAggregatorException"), "{wrong:?}");
}
