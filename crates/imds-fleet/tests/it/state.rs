//! `state`: complete, exact, and honest about what it did not see.

use std::collections::BTreeSet;

use imds_fake_aws::world::Options;
use imds_fake_aws::{Fake, Fault, Group, Harm, Image, Instance, Shape, Template, World};

use crate::harness::ran;

fn v1() -> Options {
    Options::full("optional", 1, "enabled", "disabled", "disabled")
}

#[test]
fn every_instance_of_every_account_and_region_once() {
    let world = World::generate(Shape { accounts: 5, regions: 3, instances: 400 });
    let fake = Fake::start(world).unwrap();
    let args = ["state", "--organization", "--role-name", "audit", "--all-regions", "--output", "jsonl"];
    let ran = ran(&fake, &args);
    assert_eq!((ran.status, ran.stderr.as_str()), (0, ""), "{ran:?}");
    let lines = ran.json_lines();
    let world = fake.world();
    let mut seen = BTreeSet::new();
    for line in lines.iter().filter(|line| line["kind"] == "instance") {
        let id = line["id"].as_str().unwrap();
        let options = &world.instance(id).unwrap().options;
        let told = &line["options"];
        assert_eq!(told["http_tokens"].as_str(), options.http_tokens.as_deref(), "{id}");
        assert_eq!(told["http_endpoint"].as_str(), options.http_endpoint.as_deref(), "{id}");
        assert_eq!(told["http_put_response_hop_limit"].as_i64(), options.http_put_response_hop_limit, "{id}");
        assert_eq!(told["http_protocol_ipv6"].as_str(), options.http_protocol_ipv6.as_deref(), "{id}");
        assert_eq!(
            told["instance_metadata_tags"].as_str(),
            options.instance_metadata_tags.as_deref(),
            "{id}"
        );
        assert_eq!(line["options_state"], "applied");
        assert!(seen.insert(id.to_owned()), "{id} twice");
    }
    assert_eq!(seen.len(), 400);
    assert_eq!(lines.iter().filter(|line| line["kind"] == "scan").count(), 15);
    assert_eq!(world.called("AssumeRole"), 4, "one for each account but our own");
    assert!(world.throttle.trips.is_empty(), "{:?}", world.throttle.trips);
}

#[test]
fn large_places_are_read_page_by_page() {
    let fake = Fake::start(World::generate(Shape { accounts: 1, regions: 1, instances: 2500 })).unwrap();
    let ran = ran(&fake, &["state", "--regions", "ap-northeast-1", "--instances-only", "--output", "csv"]);
    assert_eq!(ran.status, 0, "{}", ran.stderr);
    assert_eq!(ran.stdout.lines().count(), 2501);
    assert_eq!(fake.world().called("DescribeInstances"), 3);
}

#[test]
fn managed_hidden_and_spot_instances_are_included_and_terminated_ones_are_not() {
    let mut world = World::new("111122223333", &["us-east-1"]);
    let here = world.at("111122223333", "us-east-1");
    let mut spot = Instance::new("i-spot", v1());
    spot.lifecycle = Some("spot".to_owned());
    let mut hidden = Instance::new("i-hidden", v1());
    hidden.operator = Some("eks.amazonaws.com".to_owned());
    hidden.hidden = true;
    let mut gone = Instance::new("i-gone", v1());
    gone.run_state = "terminated".to_owned();
    here.instances = vec![spot, hidden, gone];
    let fake = Fake::start(world).unwrap();
    let ran = ran(&fake, &["state", "--output", "jsonl", "--instances-only"]);
    let instances: Vec<_> = ran.json_lines().into_iter().filter(|line| line["kind"] == "instance").collect();
    assert_eq!(instances.len(), 2, "{ran:?}");
    assert_eq!(instances[0]["lifecycle"], "spot");
    assert_eq!(instances[1]["operator"], "eks.amazonaws.com");
    assert_eq!(instances[1]["hidden"], true);
}

#[test]
fn pending_is_not_yet_required() {
    let mut world = World::new("111122223333", &["us-east-1"]);
    let mut instance = Instance::new("i-1", Options::full("required", 1, "enabled", "disabled", "disabled"));
    instance.pending = 1;
    world.at("111122223333", "us-east-1").instances.push(instance);
    let fake = Fake::start(world).unwrap();
    let args = ["state", "--output", "json", "--instances-only"];
    let first = ran(&fake, &args).json();
    assert_eq!(first["summary"]["postures"]["v2-pending"], 1, "{first}");
    let second = ran(&fake, &args).json();
    assert_eq!(second["summary"]["postures"]["v2-required"], 1, "{second}");
}

#[test]
fn the_next_launch_is_judged_by_template_account_image_and_platform() {
    let mut world = World::new("111122223333", &["us-east-1"]);
    let here = world.at("111122223333", "us-east-1");
    let required = Options { http_tokens: Some("required".to_owned()), ..Options::default() };
    let template = |id: &str, versions: Vec<(Options, Option<String>)>, default| Template {
        id: id.to_owned(),
        name: format!("name-of-{id}"),
        versions,
        default,
        ..Template::default()
    };
    let image = |id: &str, support: Option<&str>| Image {
        id: id.to_owned(),
        own: false,
        imds_support: support.map(str::to_owned),
    };
    here.images = vec![image("ami-v2", Some("v2.0")), image("ami-old", None)];
    here.templates = vec![
        // One good old version, and a default that says nothing of an image that says nothing.
        template("lt-0good", vec![(required, None), (Options::default(), Some("ami-old".to_owned()))], 2),
        template("lt-0image", vec![(Options::default(), Some("ami-v2".to_owned()))], 1),
    ];
    here.groups = vec![
        Group {
            name: "pinned".to_owned(),
            template: Some(("lt-0good".to_owned(), "1".to_owned())),
            ..Group::default()
        },
        Group {
            name: "latest".to_owned(),
            template: Some(("lt-0good".to_owned(), "$Latest".to_owned())),
            ..Group::default()
        },
        Group { name: "old".to_owned(), configuration: Some("lc".to_owned()), ..Group::default() },
    ];
    here.configurations = vec![("lc".to_owned(), Options::default(), "ami-gone".to_owned())];
    here.defaults.options.http_put_response_hop_limit = Some(3);
    here.defaults.enforced = true;
    let fake = Fake::start(world).unwrap();
    let ran = ran(&fake, &["state", "--output", "jsonl"]);
    assert_eq!(ran.status, 0, "{ran:?}");
    let lines = ran.json_lines();
    let find = |id: &str, version: i64| {
        let found =
            lines.iter().find(|line| line["id"] == id && (version == 0 || line["version"] == version));
        found.unwrap_or_else(|| panic!("no {id} version {version} in {lines:#?}")).clone()
    };
    let tokens = |line: &serde_json::Value| {
        let tokens = &line["effective"]["http_tokens"];
        format!("{} from {}", tokens["value"].as_str().unwrap(), tokens["from"].as_str().unwrap())
    };
    let pinned = find("lt-0good", 1);
    assert_eq!(tokens(&pinned), "required from launch");
    assert_eq!(pinned["used_by"], serde_json::json!(["pinned"]));
    assert_eq!(pinned["is_default"], false);
    let default = find("lt-0good", 2);
    assert_eq!(tokens(&default), "optional from platform");
    assert_eq!(default["used_by"], serde_json::json!(["latest"]));
    assert_eq!(default["effective"]["http_put_response_hop_limit"]["value"], 3);
    assert_eq!(default["effective"]["http_put_response_hop_limit"]["from"], "account");
    assert_eq!(tokens(&find("lt-0image", 1)), "required from image");
    let configuration = find("lc", 0);
    assert_eq!(tokens(&configuration), "optional from platform");
    assert_eq!(configuration["used_by"], serde_json::json!(["old"]));
    assert_eq!(configuration["assumed"][0], "an image without `ImdsSupport`: `ami-gone` is not found");
    let defaults = lines.iter().find(|line| line["kind"] == "account_defaults").unwrap();
    assert_eq!(defaults["http_tokens_enforced"], true);
    assert_eq!(defaults["managed_by"], "account");
}

#[test]
fn what_is_not_scanned_is_said_and_ends_with_3() {
    let mut world = World::generate(Shape { accounts: 4, regions: 2, instances: 40 });
    let (denied, closed) = ("100000000001", "100000000003");
    world.faults.push(Fault::always("DescribeInstances", Fault::denied()).at(denied, "ap-northeast-1"));
    world.faults.push(Fault::always("DescribeImages", Harm::Html(500)).at(denied, "ap-northeast-2"));
    world.closed.insert(closed.to_owned());
    let fake = Fake::start(world).unwrap();
    let args = ["state", "--organization", "--role-name", "audit", "--all-regions", "--output", "json"];
    let result = ran(&fake, &args);
    assert_eq!(result.status, 3, "{result:?}");
    let document = result.json();
    assert_eq!(document["summary"]["complete"], 4);
    let mut incomplete: Vec<String> = document["summary"]["incomplete"]
        .as_array()
        .unwrap()
        .iter()
        .map(|scan| {
            let gap = &scan["gaps"][0];
            let word = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
            [word(&scan["account"]), word(&scan["region"]), word(&gap["call"]), word(&gap["reason"])]
                .join(" ")
        })
        .collect();
    incomplete.sort();
    assert_eq!(
        incomplete,
        [
            "100000000001 ap-northeast-1 DescribeInstances denied",
            "100000000001 ap-northeast-2 DescribeImages service",
            "100000000003 * AssumeRole denied",
        ]
    );
    let table = ran(&fake, &args[..5]);
    assert_eq!(table.status, 3);
    assert!(table.stdout.contains("not scanned: 100000000003/*: AssumeRole denied"), "{}", table.stdout);
    assert!(table.stdout.contains("; 3 not (fully) scanned; "), "{}", table.stdout);
}

#[test]
fn a_region_that_is_not_opted_in_to_is_said_when_named_and_passed_over_when_not() {
    let mut world = World::new("111122223333", &["us-east-1", "af-south-1"]);
    world.regions[1].1 = false;
    let fake = Fake::start(world).unwrap();
    let named = ran(&fake, &["state", "--regions", "us-east-1,af-south-1"]);
    assert_eq!(named.status, 3, "{named:?}");
    assert!(
        named.stdout.contains("not scanned: 111122223333/af-south-1: DescribeInstances opted-out"),
        "{named:?}"
    );
    let all = ran(&fake, &["state", "--all-regions"]);
    assert_eq!(all.status, 0, "{all:?}");
}

#[test]
fn throttled_by_others_the_scan_waits_and_is_complete() {
    let mut world = World::new("111122223333", &["us-east-1"]);
    let place = ("111122223333".to_owned(), "us-east-1".to_owned());
    world.at(&place.0, &place.1).instances.push(Instance::new("i-1", v1()));
    world.throttle.drain(&place, "DescribeInstances");
    let fake = Fake::start(world).unwrap();
    let ran = ran(&fake, &["state"]);
    assert_eq!(ran.status, 0, "{ran:?}");
    let trips = fake.world().throttle.trips.values().copied().max();
    assert!(trips <= Some(1), "{trips:?}");
}

#[test]
fn filters_are_applied_by_ec2() {
    let mut world = World::new("111122223333", &["us-east-1"]);
    let here = world.at("111122223333", "us-east-1");
    for (id, team, options) in [
        ("i-1", "web", v1()),
        ("i-2", "shop", v1()),
        ("i-3", "web", Options::full("required", 1, "enabled", "disabled", "disabled")),
    ] {
        let mut instance = Instance::new(id, options);
        instance.tags.insert("team".to_owned(), team.to_owned());
        here.instances.push(instance);
    }
    let fake = Fake::start(world).unwrap();
    let args =
        ["state", "--instances-only", "--output", "jsonl", "--v1-only", "--filter", "tag:team=web,ops"];
    let lines = ran(&fake, &args).json_lines();
    let ids: Vec<_> =
        lines.iter().filter(|line| line["kind"] == "instance").map(|line| &line["id"]).collect();
    assert_eq!(ids, ["i-1"]);
}

#[test]
fn an_external_id_and_a_listing_role_are_passed_on() {
    let mut world = World::generate(Shape { accounts: 3, regions: 1, instances: 3 });
    world.external_id = Some("ticket-7".to_owned());
    let fake = Fake::start(world).unwrap();
    let scope = ["state", "--organization", "--role-name", "audit", "--regions", "ap-northeast-1"];
    let without = ran(&fake, &scope);
    assert_eq!(without.status, 3, "{without:?}");
    let listing = "arn:aws:iam::100000000002:role/lister";
    let args = [&scope[..], &["--external-id", "ticket-7", "--listing-role", listing]].concat();
    let with = ran(&fake, &args);
    assert_eq!(with.status, 0, "{with:?}");
    let world = fake.world();
    let listed_by: BTreeSet<&str> = world
        .calls
        .keys()
        .filter(|(_, action)| action == "ListAccounts")
        .map(|((account, _), _)| account.as_str())
        .collect();
    assert!(listed_by.contains("100000000002"), "{listed_by:?}");
}

#[test]
fn shards_together_are_the_whole() {
    let fake = Fake::start(World::generate(Shape { accounts: 12, regions: 1, instances: 60 })).unwrap();
    let mut ids = Vec::new();
    for shard in ["1/3", "2/3", "3/3"] {
        let args = [
            "state",
            "--organization",
            "--role-name",
            "audit",
            "--regions",
            "ap-northeast-1",
            "--instances-only",
            "--output",
            "jsonl",
            "--shard",
            shard,
        ];
        let lines = ran(&fake, &args).json_lines();
        ids.extend(lines.iter().filter(|line| line["kind"] == "instance").map(|line| line["id"].to_string()));
    }
    assert_eq!(ids.len(), 60);
    assert_eq!(ids.into_iter().collect::<BTreeSet<_>>().len(), 60);
}

#[test]
fn a_scan_that_was_cut_short_goes_on_from_its_checkpoint() {
    let mut world = World::generate(Shape { accounts: 4, regions: 2, instances: 80 });
    world
        .faults
        .push(Fault::always("DescribeInstances", Fault::denied()).at("100000000002", "ap-northeast-2"));
    let fake = Fake::start(world).unwrap();
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("scan.jsonl");
    let args = [
        "state",
        "--organization",
        "--role-name",
        "audit",
        "--all-regions",
        "--output",
        "json",
        "--checkpoint",
        file.to_str().unwrap(),
    ];
    let first = ran(&fake, &args);
    assert_eq!(first.status, 3, "{first:?}");
    let before = fake.world().called("DescribeInstances");
    assert_eq!(before, 8);
    fake.world().faults.clear();
    let second = ran(&fake, &args);
    assert_eq!(second.status, 0, "{second:?}");
    assert_eq!(fake.world().called("DescribeInstances"), before + 1, "only what was missing");
    let document = second.json();
    assert_eq!(document["summary"]["instances"], 80);
    assert_eq!(document["summary"]["complete"], 8);
}

#[test]
fn units_are_read_with_those_within_them_and_accounts_can_be_left_out() {
    let mut world = World::generate(Shape { accounts: 6, regions: 1, instances: 60 });
    let account = |n: u64| format!("{:012}", 100_000_000_000 + n);
    let unit = |id: &str| id.to_owned();
    world.units.insert(unit("ou-a"), (vec![unit("ou-b")], vec![account(1)]));
    // More than a page of units, the last of them with an account.
    let many: Vec<String> = (0..25).map(|n| format!("ou-b{n}")).collect();
    many.iter().for_each(|id| drop(world.units.insert(id.clone(), (Vec::new(), Vec::new()))));
    world.units.insert(unit("ou-b"), (many, vec![account(2), account(3)]));
    world.units.insert(unit("ou-b24"), (Vec::new(), vec![account(4)]));
    let fake = Fake::start(world).unwrap();
    let base = ["state", "--organization", "--role-name", "audit", "--all-regions", "--output", "json"];
    let accounts = |more: &[&str]| {
        let document = ran(&fake, &[&base[..], more].concat()).json();
        let found = document["resources"].as_array().unwrap().clone();
        let of = found.iter().map(|it| it["account"].as_str().unwrap().to_owned());
        of.collect::<BTreeSet<_>>().into_iter().collect::<Vec<_>>()
    };
    assert_eq!(accounts(&["--ou", "ou-a"]), [1, 2, 3, 4].map(account));
    assert_eq!(accounts(&["--ou", "ou-b", "--exclude-accounts", &account(3)]), [2, 4].map(account));
    let unknown = ran(&fake, &[&base[..], &["--ou", "ou-nowhere"]].concat());
    assert_eq!(unknown.status, 3, "{unknown:?}");
    assert!(unknown.stderr.contains("ParentNotFoundException"), "{unknown:?}");
}
