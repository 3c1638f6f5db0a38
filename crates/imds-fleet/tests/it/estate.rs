//! Launch sources besides groups: EC2 Fleet and Spot Fleet requests, warm pools, template versions
//! that only the tags of instances name.

use imds_fake_aws::world::Options;
use imds_fake_aws::{Fake, Fault, FleetLaunch, FleetRequest, Group, Image, Instance, Template, World};
use serde_json::Value;

use crate::change::{ACCOUNT, REGION, files};
use crate::harness::ran;

fn v2() -> Options {
    Options { http_tokens: Some("required".to_owned()), ..Options::default() }
}

fn template(id: &str, versions: Vec<Options>, default: usize) -> Template {
    Template {
        id: id.to_owned(),
        name: format!("name-of-{id}"),
        versions: versions.into_iter().map(|options| (options, Some("ami-plain".to_owned()))).collect(),
        default,
        ..Template::default()
    }
}

fn of(template: &str, version: &str) -> FleetLaunch {
    FleetLaunch { template: Some((template.to_owned(), version.to_owned())), image: None }
}

fn request(id: &str, state: &str, kind: &str, launches: Vec<FleetLaunch>) -> FleetRequest {
    FleetRequest {
        id: id.to_owned(),
        state: state.to_owned(),
        kind: kind.to_owned(),
        launches,
        ..FleetRequest::default()
    }
}

/// An account with a launch source of each kind.
pub(crate) fn estate() -> World {
    let mut world = World::new(ACCOUNT, &[REGION]);
    // Every listing is paged.
    world.fleet_page = Some(1);
    let here = world.at(ACCOUNT, REGION);
    let image = |id: &str, v2: bool| Image {
        id: id.to_owned(),
        own: false,
        imds_support: v2.then(|| "v2.0".to_owned()),
    };
    here.images = vec![image("ami-plain", false), image("ami-v2", true)];
    here.templates = vec![
        // Version 1 allows IMDSv1, version 2 (the default) and 3 do not.
        template("lt-0web", vec![Options::default(), v2(), v2()], 2),
        template("lt-0batch", vec![Options::default(), Options::default(), v2()], 3),
    ];
    let with_image = |image: &str| FleetLaunch { image: Some(image.to_owned()), ..of("lt-0web", "2") };
    let specification = |image: &str| FleetLaunch { template: None, image: Some(image.to_owned()) };
    here.fleets = vec![
        request("fleet-old", "active", "maintain", vec![of("lt-0web", "1")]),
        request(
            "fleet-default",
            "active",
            "maintain",
            vec![of("lt-0web", "$Default"), with_image("ami-plain")],
        ),
        request("fleet-instant", "active", "instant", vec![of("lt-0web", "1")]),
        request("fleet-gone", "deleted_running", "maintain", vec![of("lt-0web", "1")]),
        request("fleet-latest", "modifying", "request", vec![of("lt-0web", "$Latest")]),
    ];
    here.spot_fleets = vec![
        request("sfr-plain", "active", "maintain", vec![specification("ami-plain")]),
        request("sfr-v2", "active", "maintain", vec![specification("ami-v2"), of("lt-0web", "2")]),
        request("sfr-over", "cancelled_running", "maintain", vec![specification("ami-plain")]),
    ];
    // The second page of a warm pool holds the one that allows IMDSv1.
    let mut held: Vec<(String, String)> = Vec::new();
    for number in 0..51 {
        let tokens = if number == 50 { "optional" } else { "required" };
        let mut instance = Instance::new(
            &format!("i-warm{number}"),
            Options::full(tokens, 1, "enabled", "disabled", "disabled"),
        );
        instance.run_state = "stopped".to_owned();
        instance.tags.insert("aws:autoscaling:groupName".to_owned(), "web".to_owned());
        held.push((instance.id.clone(), "Warmed:Stopped".to_owned()));
        here.instances.push(instance);
    }
    here.groups = vec![Group {
        name: "web".to_owned(),
        template: Some(("lt-0web".to_owned(), "$Default".to_owned())),
        warm_pool: Some(held),
        ..Group::default()
    }];
    // Batch names version 2 by its number; its instances say so. Version 9 is deleted.
    for (id, version) in [("i-batch1", "2"), ("i-batch2", "2"), ("i-gone", "9")] {
        let mut instance = Instance::new(id, Options::full("optional", 1, "enabled", "disabled", "disabled"));
        for (key, value) in [
            ("aws:ec2launchtemplate:id", "lt-0batch"),
            ("aws:ec2launchtemplate:version", version),
            ("AWSBatchServiceTag", "batch"),
        ] {
            instance.tags.insert(key.to_owned(), value.to_owned());
        }
        here.instances.push(instance);
    }
    world
}

fn state(fake: &Fake) -> Value {
    let shown = ran(fake, &["state", "--output", "json"]);
    assert_eq!(shown.status, 0, "{shown:?}");
    shown.json()
}

fn of_kind<'a>(document: &'a Value, kind: &str) -> Vec<&'a Value> {
    document["resources"].as_array().unwrap().iter().filter(|it| it["kind"] == kind).collect()
}

#[test]
fn fleet_requests_that_may_still_launch_are_read_page_by_page() {
    let fake = Fake::start(estate()).unwrap();
    let document = state(&fake);
    let requests: Vec<String> = of_kind(&document, "fleet_request")
        .iter()
        .flat_map(|it| {
            it["sources"].as_array().unwrap().iter().map(|source| {
                format!(
                    "{} {} {} {}",
                    it["id"].as_str().unwrap(),
                    source["version"].as_str().unwrap_or("-"),
                    source["image_id"].as_str().unwrap_or("-"),
                    source["effective"]["http_tokens"]["value"].as_str().unwrap()
                )
            })
        })
        .collect();
    let expected = [
        "fleet-old 1 - optional",
        "fleet-default $Default - required",
        "fleet-default 2 ami-plain required",
        "fleet-latest $Latest - required",
        "sfr-plain - ami-plain optional",
        "sfr-v2 - ami-v2 required",
        "sfr-v2 2 - required",
    ];
    assert_eq!(requests, expected);
    assert_eq!(fake.world().called("DescribeFleets"), 4, "a page each, the instant one left out");
    let templates = of_kind(&document, "launch_template");
    let version = |id: &str, number: i64| {
        let found = templates.iter().find(|it| it["id"] == id && it["version"] == number);
        found.unwrap_or_else(|| panic!("{id} {number}: {templates:?}"))
    };
    assert_eq!(version("lt-0web", 1)["fleets"][0]["request"], "fleet-old");
    assert_eq!(version("lt-0web", 3)["fleets"][0]["version"], "$Latest");
    let shown = ran(&fake, &["state"]).stdout;
    for says in [
        "EC2 Fleet request (maintain): template lt-0web version 1, next launch: optional (from platform)",
        "Spot Fleet request (maintain): launch specification with image ami-plain, next launch: optional",
        "warm pool (Stopped) of 51 instances",
        "launch template name-of-lt-0batch version 2, in the tags of 2 instances, owned by Batch",
        "not covered (`--output json` says why): ",
    ] {
        assert!(shown.contains(says), "{says}: {shown}");
    }
}

#[test]
fn the_account_default_decides_for_a_launch_specification() {
    let mut world = estate();
    world.at(ACCOUNT, REGION).defaults.options = v2();
    let fake = Fake::start(world).unwrap();
    let document = state(&fake);
    for request in of_kind(&document, "fleet_request") {
        for source in request["sources"].as_array().unwrap() {
            assert_eq!(source["effective"]["http_tokens"]["value"], "required", "{request}");
        }
    }
}

#[test]
fn each_launch_source_is_judged_once() {
    let fake = Fake::start(estate()).unwrap();
    let document = ran(&fake, &["audit", "--output", "json"]).json();
    let found: Vec<String> = document["findings"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|it| it["kind"] != "instance" && it["kind"] != "account_defaults")
        .map(|it| {
            let text = |key: &str| it[key].as_str().unwrap().to_owned();
            format!("{} {} {}: {}", text("severity"), text("rule"), text("id"), text("message"))
        })
        .collect();
    let expected = [
        "high template-v1 lt-0batch: version 2, in the tags of 2 instances launches with `HttpTokens` `optional` from \
         the platform",
        "high template-v1 lt-0web: version 1, used by fleet-old launches with `HttpTokens` `optional` from the platform",
        "high fleet-request-v1 sfr-plain: Spot Fleet request: launch specification with image ami-plain launches with \
         `HttpTokens` `optional` from the platform",
        "medium warm-pool-v1 web: 1 of 51 instances: i-warm50",
    ];
    assert_eq!(found, expected);
}

#[test]
fn a_call_that_is_denied_or_unknown_makes_the_scan_incomplete_and_is_named() {
    for action in ["DescribeFleets", "DescribeSpotFleetRequests", "DescribeWarmPool"] {
        let fake = Fake::start(estate()).unwrap();
        fake.world().faults.push(Fault::always(action, Fault::denied()));
        let shown = ran(&fake, &["state"]);
        assert_eq!(shown.status, 3, "{action}: {shown:?}");
        assert!(
            shown.stdout.contains(&format!("not scanned: {ACCOUNT}/{REGION}: {action} denied (")),
            "{shown:?}"
        );
        fake.world().faults.clear();
        let unknown =
            imds_fake_aws::Harm::Error(400, "InvalidAction".to_owned(), "not valid here".to_owned());
        fake.world().faults.push(Fault::always(action, unknown));
        let shown = ran(&fake, &["state"]);
        assert_eq!(shown.status, 3, "{action}: {shown:?}");
        assert!(shown.stdout.contains(&format!("{action} unsupported (")), "{shown:?}");
    }
    // What launches from a template is not known then: one may follow `$Latest`.
    let mut world = estate();
    world.at(ACCOUNT, REGION).templates[0].versions[1].0 = Options::default();
    let fake = Fake::start(world).unwrap();
    fake.world().faults.push(Fault::always("DescribeFleets", Fault::denied()));
    let planned = files().plan(&fake, &["--launch-templates", "--no-instances"]);
    assert!(
        planned.stdout.contains("which groups launch from it could not be read, or which fleet requests"),
        "{planned:?}"
    );
}

#[test]
fn a_plan_names_the_fleet_requests_that_it_does_not_change() {
    let mut world = estate();
    let here = world.at(ACCOUNT, REGION);
    here.templates[0].versions[1].0 = Options::default();
    here.instances.clear();
    here.groups.clear();
    let fake = Fake::start(world).unwrap();
    let planned = files().plan(&fake, &["--launch-templates"]);
    assert_eq!(planned.status, 1, "{planned:?}");
    for says in [
        "fleet-old in 111122223333/us-east-1: launches from version 1 of `lt-0web` by its number: make the request anew",
        "sfr-v2 in 111122223333/us-east-1: launches from version 2 of `lt-0web` by its number",
        "sfr-plain in 111122223333/us-east-1: Spot Fleet request launches from a launch specification with image \
         ami-plain, which has no metadata options",
        "lt-0web in 111122223333/us-east-1: a version made from version 2 would become `$Latest`, which `fleet-latest` \
         launches from, instead of version 3",
    ] {
        assert!(planned.stdout.contains(says), "{says}: {planned:?}");
    }
    // Enforcement names what its next launch would break, fleet requests too.
    let args = ["--http-tokens-enforced", "enabled", "--allow-irreversible", "--no-instances"];
    let refused = files().plan(&fake, &args);
    for says in ["(fleet requests `fleet-old`)", "Spot Fleet request `sfr-plain`: launch specification"] {
        assert!(refused.stdout.contains(says), "{says}: {refused:?}");
    }
}

#[test]
fn what_is_not_covered_has_a_reason_and_a_command() {
    let fake = Fake::start(World::new(ACCOUNT, &[REGION])).unwrap();
    let document = state(&fake);
    let listed = document["summary"]["not_covered"].as_array().unwrap();
    let docs = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/fleet.md")).unwrap();
    for service in ["Image Builder", "EMR", "SageMaker", "Cloud9", "Lightsail", "Batch", "EKS"] {
        let found = listed.iter().find(|it| it["what"].as_str().unwrap().contains(service));
        let found = found.unwrap_or_else(|| panic!("{service}: {listed:?}"));
        assert!(!found["reason"].as_str().unwrap().is_empty());
        assert!(found["command"].as_str().unwrap().starts_with("aws "), "{found}");
    }
    let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let docs = words(&docs);
    for found in listed {
        for key in ["what", "command"] {
            let text = words(found[key].as_str().unwrap());
            assert!(docs.contains(&text), "docs/fleet.md lacks `{text}`");
        }
    }
}
