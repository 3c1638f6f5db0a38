//! `imds list`, `imds categories`, and the formats of `imds get`.

use imds_model::CATALOGUE;
use serde_json::{Value, json};

use crate::world;

#[test]
fn a_directory_by_its_names() {
    let emulator = crate::emulator().start().unwrap();
    let world = world();
    let list = |arguments: &[&str]| {
        world.imds(["list"].iter().chain(arguments)).endpoint(&emulator.endpoint()).run()
    };
    let _ = list(&["services"]).prints("domain\npartition\n");
    let _ = list(&["iam"]).prints("info\nsecurity-credentials/\n");
    let _ = list(&["public-keys"]).prints("0=my-key\n");
    let _ = list(&["-E", "^local-"]).prints("local-hostname\nlocal-ipv4\n");
    assert!(list(&["/"]).exits_with(0).stdout().ends_with("2024-04-11/\nlatest/\n"));
    let found: Value =
        serde_json::from_str(list(&["iam", "--output", "json"]).exits_with(0).stdout()).unwrap();
    assert_eq!(
        found[1],
        json!({ "name": "security-credentials", "path": "/latest/meta-data/iam/security-credentials/", "directory": true })
    );
    let _ = list(&["mac"])
        .fails_with(2)
        .says("cannot list `/latest/meta-data/mac`: it is a value (text), not a directory\nhint: `imds get` prints it");
    let _ = list(&["spot/"]).fails_with(3);
}

#[test]
fn the_catalogue_without_a_network() {
    let world = world();
    let all = world.imds(["categories"]).disabled().run().exits_with(0);
    assert_eq!(all.stdout().lines().count(), CATALOGUE.len());
    let spot = world.imds(["categories", "spot/instance"]).disabled().run();
    let line =
        format!("{:<72}  json       2016-11-15  running  conditional\n", "meta-data/spot/instance-action");
    let _ = spot.prints(line);
    let found = world.imds(["categories", "role-name", "--output", "json"]).disabled().run().exits_with(0);
    let found: Value = serde_json::from_str(found.stdout()).unwrap();
    assert_eq!((&found[0]["secret"], &found[0]["type"]), (&json!(true), &json!("json")));
}

#[test]
fn get_prints_every_format() {
    let emulator = crate::emulator().start().unwrap();
    let world = world();
    let get =
        |arguments: &[&str]| world.imds(["get"].iter().chain(arguments)).endpoint(&emulator.endpoint()).run();
    let _ = get(&["placement/region", "ami-launch-index", "--output", "env"])
        .prints("PLACEMENT_REGION=\"us-east-1\"\nAMI_LAUNCH_INDEX=\"0\"\n");
    let _ = get(&["placement/region", "ami-launch-index", "--output", "yaml"])
        .prints("\"placement/region\": \"us-east-1\"\n\"ami-launch-index\": 0\n");
    let _ = get(&["security-groups", "--output", "json"]).prints("[\n  \"default\"\n]\n");
    let _ = get(&["mac", "spot/instance-action", "--output", "yaml"])
        .prints("\"mac\": \"02:29:96:8f:6a:2d\"\n\"spot/instance-action\": null\n");
    let _ = get(&["mac", "--output", "env", "--query", "x"]).fails_with(2);
}
