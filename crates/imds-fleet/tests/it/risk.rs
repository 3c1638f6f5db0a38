//! The risk of an instance: a number with reasons, and rows in its order.

use imds_fake_aws::world::Options;
use imds_fake_aws::{Fake, Fault, Instance, World};

use crate::change::{ACCOUNT, REGION, files};
use crate::harness::ran;

/// Instances in every order but that of their risk.
pub(crate) fn exposed() -> World {
    let mut world = World::new(ACCOUNT, &[REGION]);
    world.security_group_page = Some(1);
    let here = world.at(ACCOUNT, REGION);
    let rule = |protocol: &str, ports: Option<(i64, i64)>, range: &str| {
        (protocol.to_owned(), ports, range.to_owned())
    };
    for (id, rules) in [
        (
            "sg-shut",
            vec![rule("tcp", Some((22, 22)), "10.0.0.0/8"), rule("tcp", Some((443, 443)), "::1/128")],
        ),
        (
            "sg-ssh",
            vec![rule("tcp", Some((22, 22)), "0.0.0.0/0"), rule("udp", Some((1000, 2000)), "10.0.0.0/8")],
        ),
        ("sg-all6", vec![rule("-1", None, "::/0")]),
    ] {
        here.security_groups.insert(id.to_owned(), rules);
    }
    let mut add = |id: &str, tokens: &str, change: &dyn Fn(&mut Instance)| {
        let mut instance = Instance::new(id, Options::full(tokens, 1, "enabled", "disabled", "disabled"));
        instance.security_groups = vec!["sg-shut".to_owned()];
        change(&mut instance);
        here.instances.push(instance);
    };
    add("i-none", "optional", &|_| {});
    add("i-stopped", "optional", &|it| it.run_state = "stopped".to_owned());
    add("i-off", "required", &|it| {
        it.profile = Some("admin".to_owned());
        it.public_ip = Some("192.0.2.1".to_owned());
        it.security_groups = vec!["sg-ssh".to_owned()];
    });
    add("i-web", "optional", &|it| {
        it.public_ip = Some("192.0.2.2".to_owned());
        it.security_groups = vec!["sg-ssh".to_owned(), "sg-shut".to_owned()];
    });
    add("i-role", "optional", &|it| it.profile = Some("batch".to_owned()));
    add("i-all", "optional", &|it| {
        it.profile = Some("admin".to_owned());
        it.ipv6 = Some("2001:db8::7".to_owned());
        it.security_groups = vec!["sg-all6".to_owned()];
    });
    world
}

#[test]
fn instances_are_ranked_and_every_rank_has_its_reasons() {
    let fake = Fake::start(exposed()).unwrap();
    let document = ran(&fake, &["state", "--instances-only", "--sort", "risk", "--output", "json"]).json();
    let ranked: Vec<String> = document["resources"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| {
            let reasons: Vec<&str> =
                it["risk"]["reasons"].as_array().into_iter().flatten().filter_map(|it| it.as_str()).collect();
            format!("{} {} {}", it["id"].as_str().unwrap(), it["risk"]["score"], reasons.join(", "))
        })
        .collect();
    let expected = [
        "i-all 15 instance profile admin, public address 2001:db8::7, open to the world: sg-all6 (all), running",
        "i-role 9 instance profile batch, running",
        "i-web 7 public address 192.0.2.2, open to the world: sg-ssh (tcp 22), running",
        "i-none 1 running",
        "i-stopped 0 ",
        "i-off null ",
    ];
    assert_eq!(ranked, expected);
    // Each group is read once, and those of what answers no IMDSv1 are not.
    assert_eq!(fake.world().called("DescribeSecurityGroups"), 3, "a page each");
    for format in ["table", "csv", "jsonl"] {
        let shown = ran(&fake, &["state", "--instances-only", "--sort", "risk", "--output", format]).stdout;
        assert!(shown.contains("open to the world: sg-ssh (tcp 22)"), "{format}: {shown}");
        let at = |id: &str| shown.find(id).unwrap();
        assert!(at("i-all") < at("i-role") && at("i-role") < at("i-web"), "{format}: {shown}");
    }
    let refused =
        ran(&fake, &["state", "--sort", "risk", "--output", "parquet", "--output-dir", "/nonexistent/x"]);
    assert_eq!(refused.status, 2, "{refused:?}");
}

#[test]
fn what_is_not_known_counts_and_says_so() {
    let fake = Fake::start(exposed()).unwrap();
    fake.world().faults.push(Fault::always("DescribeSecurityGroups", Fault::denied()));
    let shown = ran(&fake, &["state", "--instances-only", "--output", "json"]);
    assert_eq!(shown.status, 3, "{shown:?}");
    let document = shown.json();
    let of = |id: &str| {
        let found = document["resources"].as_array().unwrap().iter().find(|it| it["id"] == id).cloned();
        found.unwrap()["risk"].clone()
    };
    assert_eq!(of("i-none")["score"], 3);
    assert_eq!(of("i-none")["reasons"][0], "the rules of its security groups are not known");
    assert_eq!(document["summary"]["incomplete"][0]["gaps"][0]["call"], "DescribeSecurityGroups");
    // Neither a plan nor usage has a use for them.
    assert_eq!(files().plan(&fake, &["--instances-only", "--allow-irreversible"]).status, 0);
    assert_eq!(ran(&fake, &["usage"]).status, 0);
    // A group that is gone since is not known either.
    fake.world().faults.clear();
    fake.world().at(ACCOUNT, REGION).security_groups.clear();
    let document = ran(&fake, &["state", "--instances-only", "--output", "json"]).json();
    assert_eq!(document["resources"][0]["risk"]["score"], 3);
}

#[test]
fn files_say_what_they_hold_and_no_more() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("instances.json");
    let whole = serde_json::json!({
        "InstanceId": "i-whole", "State": { "Name": "running" }, "MetadataOptions": { "HttpTokens": "optional", "HttpEndpoint": "enabled" },
        "SecurityGroups": [{ "GroupId": "sg-1" }], "PublicIpAddress": "192.0.2.9",
        "IamInstanceProfile": { "Arn": "arn:aws:iam::111122223333:instance-profile/app" },
    });
    let selected = serde_json::json!({
        "InstanceId": "i-selected", "State": { "Name": "running" }, "MetadataOptions": { "HttpTokens": "optional", "HttpEndpoint": "enabled" },
    });
    let document =
        serde_json::json!({ "Reservations": [{ "OwnerId": ACCOUNT, "Instances": [whole, selected] }] });
    std::fs::write(&file, document.to_string()).unwrap();
    let mut command = crate::harness::bare(directory.path());
    command.args([
        "state",
        "--source",
        "file",
        "--file",
        file.to_str().unwrap(),
        "--output",
        "json",
        "--backoff",
        "1ms",
    ]);
    let document = crate::harness::run(command).json();
    let reasons = |number: usize| document["resources"][number]["risk"]["reasons"].clone();
    assert_eq!(
        reasons(0),
        serde_json::json!([
            "instance profile app",
            "public address 192.0.2.9",
            "the rules of its security groups are not known",
            "running"
        ])
    );
    assert_eq!(reasons(1)[0], "instance profile, addresses and security groups are not known");
}

#[test]
fn the_report_has_risk_and_reasons() {
    let fake = Fake::start(exposed()).unwrap();
    let directory = tempfile::tempdir().unwrap();
    let page = directory.path().join("report.html");
    let written = ran(&fake, &["report", "--out", page.to_str().unwrap()]);
    assert_eq!(written.status, 0, "{written:?}");
    let html = std::fs::read_to_string(&page).unwrap();
    for says in
        ["<button>Risk</button>", "<button>Reasons</button>", ",15,\"instance profile admin, public address "]
    {
        assert!(html.contains(says), "{says}");
    }
}
