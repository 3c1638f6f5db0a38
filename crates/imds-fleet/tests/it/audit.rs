//! `audit`: the known wrongs of the field, exit statuses, and every format.

use imds_fake_aws::world::Options;
use imds_fake_aws::{Fake, Fault, Image, Instance, Template, World};

use crate::harness::{Ran, ran};

const ACCOUNT: &str = "111122223333";

fn instances(given: &[(&str, Options)]) -> World {
    let mut world = World::new(ACCOUNT, &["us-east-1"]);
    let here = world.at(ACCOUNT, "us-east-1");
    here.instances = given.iter().map(|(id, options)| Instance::new(id, options.clone())).collect();
    here.defaults.options.http_tokens = Some("required".to_owned());
    here.defaults.enforced = true;
    world
}

fn required(hop: i64) -> Options {
    Options::full("required", hop, "enabled", "disabled", "disabled")
}

fn optional() -> Options {
    Options::full("optional", 1, "enabled", "disabled", "disabled")
}

/// `RULE ID` of each finding.
fn found(ran: &Ran) -> Vec<String> {
    let document = ran.json();
    let findings = document["findings"].as_array().unwrap();
    let word = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    findings.iter().map(|finding| format!("{} {}", word(&finding["rule"]), word(&finding["id"]))).collect()
}

#[test]
fn clean_is_0_findings_are_1_and_not_scanned_is_3() {
    let fake = Fake::start(instances(&[("i-1", required(2))])).unwrap();
    let clean = ran(&fake, &["audit"]);
    assert_eq!(clean.status, 0, "{clean:?}");
    assert!(clean.stdout.contains("rollback-impossible"), "{clean:?}");
    assert_eq!(ran(&fake, &["audit", "--fail-on", "informational"]).status, 1);
    fake.world().instance_mut("i-1").unwrap().options = optional();
    let findings = ran(&fake, &["audit"]);
    assert_eq!(findings.status, 1, "{findings:?}");
    fake.world().faults.push(Fault::always("GetInstanceMetadataDefaults", Fault::denied()));
    let incomplete = ran(&fake, &["audit"]);
    assert_eq!(incomplete.status, 3, "{incomplete:?}");
    assert!(
        incomplete.stdout.contains("not scanned: 111122223333/us-east-1: GetInstanceMetadataDefaults denied")
    );
}

#[test]
fn two_hops_are_fine_a_disabled_endpoint_is_safe_and_spot_is_included() {
    let mut off = optional();
    off.http_endpoint = Some("disabled".to_owned());
    let mut world =
        instances(&[("i-two", required(2)), ("i-off", off), ("i-spot", optional()), ("i-far", required(4))]);
    world.instance_mut("i-spot").unwrap().lifecycle = Some("spot".to_owned());
    let fake = Fake::start(world).unwrap();
    let ran = ran(&fake, &["audit", "--output", "json"]);
    assert_eq!(
        found(&ran),
        ["v1-allowed i-spot", "hop-limit-high i-far", &format!("rollback-impossible {ACCOUNT}")]
    );
    let document = ran.json();
    assert_eq!(document["findings"][0]["security_hub"], "EC2.8");
    assert_eq!(document["findings"][0]["config_rule"], "ec2-imdsv2-check");
}

#[test]
fn a_template_is_judged_by_its_default_version_and_by_what_stands_behind_it() {
    let mut world = instances(&[]);
    let here = world.at(ACCOUNT, "us-east-1");
    let tokens = |value: &str| Options { http_tokens: Some(value.to_owned()), ..Options::default() };
    let template = |id: &str, versions: &[Options], default| Template {
        id: id.to_owned(),
        name: id.to_owned(),
        versions: versions.iter().map(|options| (options.clone(), Some("ami-1".to_owned()))).collect(),
        default,
        ..Template::default()
    };
    here.templates = vec![
        template("lt-0old-good", &[tokens("required"), tokens("optional")], 2),
        template("lt-0nothing", &[Options::default()], 1),
        Template {
            versions: vec![(Options::default(), Some("ami-v2".to_owned()))],
            ..template("lt-0nothing-of-v2-image", &[], 1)
        },
    ];
    // An account that refuses such launches is another finding.
    here.defaults.enforced = false;
    here.images.push(Image { id: "ami-v2".to_owned(), own: true, imds_support: Some("v2.0".to_owned()) });
    let fake = Fake::start(world).unwrap();
    let args = ["audit", "--output", "json"];
    let with_default = ran(&fake, &args);
    let open: Vec<String> =
        found(&with_default).into_iter().filter(|it| it.starts_with("template")).collect();
    assert_eq!(open, ["template-v1 lt-0old-good"]);
    fake.world().at(ACCOUNT, "us-east-1").defaults.options.http_tokens = None;
    let without: Vec<String> =
        found(&ran(&fake, &args)).into_iter().filter(|it| it.starts_with("template")).collect();
    assert_eq!(without, ["template-v1 lt-0nothing", "template-v1 lt-0old-good"]);
}

#[test]
fn an_exception_in_force_is_shown_and_does_not_fail() {
    let fake = Fake::start(instances(&[("i-1", optional())])).unwrap();
    let directory = tempfile::tempdir().unwrap();
    let policy = directory.path().join("policy.toml");
    std::fs::write(
        &policy,
        "[[exception]]\nrule = \"v1-allowed\"\nid = \"i-1\"\nowner = \"shop@example.com\"\n\
         reason = \"agent 1.2\"\nexpires = \"2026-12-31\"\n",
    )
    .unwrap();
    let policy = policy.to_str().unwrap();
    let before = ran(&fake, &["audit", "--policy", policy, "--as-of", "2026-12-31"]);
    assert_eq!(before.status, 0, "{before:?}");
    assert!(before.stdout.contains("excepted      v1-allowed"), "{before:?}");
    let after = ran(&fake, &["audit", "--policy", policy, "--as-of", "2027-01-01"]);
    assert_eq!(after.status, 1, "{after:?}");
    assert!(after.stdout.contains("the exception of shop@example.com expired on 2026-12-31"), "{after:?}");
}

#[test]
fn a_malformed_policy_is_refused_before_anything_is_asked() {
    let fake = Fake::start(instances(&[])).unwrap();
    let directory = tempfile::tempdir().unwrap();
    let policy = directory.path().join("policy.toml");
    std::fs::write(&policy, "max_hops = 2\n").unwrap();
    let ran = ran(&fake, &["audit", "--policy", policy.to_str().unwrap()]);
    assert_eq!(ran.status, 2, "{ran:?}");
    assert!(ran.stderr.contains("policy.toml`: TOML parse error at line 1, column 1"), "{ran:?}");
    assert!(ran.stderr.contains("unknown field `max_hops`"), "{ran:?}");
    assert_eq!(fake.world().requests, 0);
}

#[test]
fn every_format_tells_of_the_same_findings() {
    let mut world = instances(&[("i-1", optional()), ("i-2", required(2)), ("i-3", optional())]);
    world.accounts.push("444455556666".to_owned());
    let fake = Fake::start(world).unwrap();
    let audit = |format| ran(&fake, &["audit", "--organization", "--output", format]);
    let sarif = audit("sarif").json();
    assert_eq!(sarif["version"], "2.1.0");
    let run = &sarif["runs"][0];
    let ids: Vec<_> = run["results"].as_array().unwrap().iter().map(|result| &result["ruleId"]).collect();
    assert_eq!(ids, ["v1-allowed", "v1-allowed", "rollback-impossible"]);
    for result in run["results"].as_array().unwrap() {
        let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
        assert_eq!(run["tool"]["driver"]["rules"][index]["id"], result["ruleId"]);
    }
    assert_eq!(run["invocations"][0]["executionSuccessful"], false);
    let ocsf = audit("ocsf").json();
    assert_eq!(ocsf.as_array().unwrap().len(), 3);
    assert_eq!(ocsf[0]["class_uid"], 2003);
    assert_eq!(ocsf[0]["finding_info"]["uid"], "111122223333/us-east-1/instance/i-1/v1-allowed");
    let junit = audit("junit").stdout;
    assert_eq!(junit.matches("<failure type=\"v1-allowed\"").count(), 2, "{junit}");
    assert_eq!(junit.matches("<error message=").count(), 1, "{junit}");
    let metrics = audit("openmetrics").stdout;
    assert!(metrics.contains("imds_fleet_findings{rule=\"v1-allowed\",excepted=\"false\"} 2\n"), "{metrics}");
    assert!(metrics.contains("imds_fleet_places{scanned=\"incomplete\"} 1\n"), "{metrics}");
    assert!(metrics.ends_with("# EOF\n"), "{metrics}");
    assert_eq!(audit("csv").stdout.lines().count(), 4);
    let lines = audit("jsonl").json_lines();
    assert_eq!(lines.iter().filter(|line| line["rule"] == "v1-allowed").count(), 2);
    assert_eq!(lines.iter().filter(|line| line["kind"] == "scan").count(), 2);
}

#[test]
fn the_rules_are_listed_without_credentials() {
    let mut command = crate::harness::bare(std::path::Path::new("/nonexistent"));
    command.args(["rules", "--output", "json"]);
    let ran = crate::harness::run(command);
    assert_eq!((ran.status, ran.stderr.as_str()), (0, ""));
    assert_eq!(ran.json().as_array().unwrap().len(), 16);
}
