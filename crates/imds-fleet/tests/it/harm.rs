//! What a change must never do: lose a file, leave something half made, take for granted what could
//! not be read, lower a hop limit, or touch what a service owns.

use imds_fake_aws::world::Options;
use imds_fake_aws::{Fake, Fault, Group, Instance, Template, World};

use crate::change::{ACCOUNT, REGION, files, odd, options, world};
use crate::harness::ran;
use crate::launches::{launches, pinned};

fn v1(hops: i64) -> Options {
    Options::full("optional", hops, "enabled", "disabled", "disabled")
}

#[test]
fn a_file_that_is_no_journal_is_left_as_it_is() {
    let fake = Fake::start(world(&odd())).unwrap();
    let files = files();
    assert_eq!(files.plan(&fake, &[]).status, 0);
    let foreign = files.journal.with_extension("txt");
    let path = foreign.to_str().unwrap().to_owned();
    let torn_begin = "{\"at\":\"2026-11-25T00:00:00Z\",\"event\":\"beg";
    for text in
        ["precious", "precious\n", "a\nb\nc", "{\"at\":\"x\"}\nprecious", "{\"a\":1}", "\u{0}\u{1}\n\u{2}"]
    {
        for args in [vec!["rollback", &path], vec!["apply", files.plan.to_str().unwrap(), "--journal", &path]]
        {
            std::fs::write(&foreign, text).unwrap();
            let refused = ran(&fake, &args);
            assert_eq!(refused.status, 2, "{args:?} {text:?}: {refused:?}");
            assert!(
                refused.stderr.contains("is not a journal of `imds-fleet apply`"),
                "{text:?}: {refused:?}"
            );
            assert_eq!(std::fs::read_to_string(&foreign).unwrap(), text, "{args:?}");
        }
    }
    assert!(fake.world().modified.is_empty());
    // A first line that was cut by a crash is a journal that has not begun: rollback leaves it,
    // apply goes on.
    std::fs::write(&foreign, torn_begin).unwrap();
    let nothing = ran(&fake, &["rollback", &path]);
    assert_eq!(nothing.status, 2, "{nothing:?}");
    assert_eq!(std::fs::read_to_string(&foreign).unwrap(), torn_begin);
    assert_eq!(files.apply(&fake, &["--journal", &path]).status, 0);
}

#[test]
fn a_version_that_was_made_before_the_group_could_not_be_moved_is_taken_back() {
    let mut world = World::new(ACCOUNT, &[REGION]);
    pinned(&mut world);
    world.at(ACCOUNT, REGION).groups.truncate(3);
    let fake = Fake::start(world).unwrap();
    for (action, options) in [
        ("UpdateAutoScalingGroup", ["--pinned-groups", "--no-instances"]),
        ("ModifyLaunchTemplate", ["--launch-templates", "--no-instances"]),
    ] {
        let before = launches(&fake);
        let files = files();
        let planned = files.plan(&fake, &options);
        assert!(files.plan.exists(), "{planned:?}");
        // The dry run is allowed, the call is not; a group may not be moved without
        // ec2:RunInstances.
        let allowed = [
            "cloudwatch:GetMetricData",
            "ec2:DescribeInstances",
            "ec2:DescribeLaunchTemplateVersions",
            "ec2:CreateLaunchTemplateVersion",
            "ec2:ModifyLaunchTemplate",
            "ec2:DeleteLaunchTemplateVersions",
            "autoscaling:DescribeAutoScalingGroups",
            "autoscaling:UpdateAutoScalingGroup",
        ];
        if action == "UpdateAutoScalingGroup" {
            fake.world().allowed = Some(allowed.map(str::to_owned).into());
        } else {
            let mut fault = Fault::always(action, Fault::denied());
            fault.skip = 1;
            fake.world().faults.push(fault);
        }
        let stopped = files.apply(&fake, &[]);
        assert_eq!(stopped.status, 3, "{stopped:?}");
        assert!(stopped.stdout.contains(action), "{stopped:?}");
        let made = launches(&fake);
        assert_ne!(made, before, "a version was made");
        fake.world().allowed = None;
        fake.world().faults.clear();
        let back = files.rollback(&fake, &[]);
        assert_eq!(back.status, 0, "{back:?}");
        assert_eq!(launches(&fake), before, "and is gone");
    }
}

#[test]
fn groups_that_could_not_be_read_keep_templates_out_of_the_plan() {
    let mut world = World::new(ACCOUNT, &[REGION]);
    pinned(&mut world);
    world.at(ACCOUNT, REGION).groups[0].template = Some(("lt-0web".to_owned(), "$Latest".to_owned()));
    world.faults.push(Fault::always("DescribeAutoScalingGroups", Fault::denied()));
    let fake = Fake::start(world).unwrap();
    let files = files();
    let planned = files.plan(&fake, &["--no-instances", "--launch-templates", "--pinned-groups"]);
    assert_eq!(planned.status, 3, "{planned:?}");
    assert!(planned.stdout.contains("\n0 changes to "), "{planned:?}");
    let says =
        format!("left out: lt-0web in {ACCOUNT}/{REGION}: which groups launch from it could not be read");
    assert!(planned.stdout.contains(&says), "{planned:?}");
}

#[test]
fn a_group_that_came_to_follow_latest_since_stops_apply() {
    let mut world = World::new(ACCOUNT, &[REGION]);
    pinned(&mut world);
    let fake = Fake::start(world).unwrap();
    let files = files();
    let planned = files.plan(&fake, &["--no-instances", "--launch-templates"]);
    assert!(planned.stdout.contains("2 changes to "), "{planned:?}");
    fake.world().at(ACCOUNT, REGION).groups[0].template = Some(("lt-0web".to_owned(), "$Latest".to_owned()));
    let refused = files.apply(&fake, &[]);
    assert_eq!(refused.status, 2, "{refused:?}");
    assert!(refused.stdout.contains("`follows` in 111122223333/us-east-1 has come to launch from `$Latest`"));
    assert_eq!(fake.world().at(ACCOUNT, REGION).templates[0].versions.len(), 3);
    // Not known is not none.
    fake.world().faults.push(Fault::always("DescribeAutoScalingGroups", Fault::denied()));
    let unknown = files.apply(&fake, &[]);
    assert_eq!(unknown.status, 3, "{unknown:?}");
    assert!(unknown.stderr.contains("`DescribeAutoScalingGroups` denied"), "{unknown:?}");
    assert_eq!(fake.world().at(ACCOUNT, REGION).templates[0].versions.len(), 3);
}

#[test]
fn a_hop_limit_is_only_lowered_by_name() {
    let mut given = world(&[("i-1", v1(1)), ("i-2", v1(2)), ("i-3", v1(3))]);
    let here = given.at(ACCOUNT, REGION);
    here.defaults.options.http_put_response_hop_limit = Some(3);
    let template = |id: &str, hops: Option<i64>| Template {
        id: id.to_owned(),
        name: id.to_owned(),
        versions: vec![(Options { http_put_response_hop_limit: hops, ..Options::default() }, None)],
        default: 1,
        ..Template::default()
    };
    // The second takes the three hops of the account, which a limit of its own would lower.
    here.templates = vec![template("lt-1", Some(1)), template("lt-none", None), template("lt-3", Some(3))];
    let fake = Fake::start(given).unwrap();
    let all = ["--account-defaults", "--launch-templates"];
    let ids = |limit: &[&str]| -> Vec<String> {
        let files = files();
        let args = ["plan", "--out", files.plan.to_str().unwrap()];
        let planned = ran(&fake, &[&args[..], limit, &all].concat());
        assert!(files.plan.exists(), "{planned:?}");
        let plan: serde_json::Value = serde_json::from_slice(&std::fs::read(&files.plan).unwrap()).unwrap();
        let changes = plan["changes"].as_array().unwrap();
        changes.iter().map(|it| it["id"].as_str().unwrap_or("account-defaults").to_owned()).collect()
    };
    assert_eq!(ids(&["--hop-limit", "2"]), ["i-1", "lt-1"]);
    assert_eq!(
        ids(&["--hop-limit", "64"]),
        ["i-1", "i-2", "i-3", "lt-1", "lt-3", "lt-none", "account-defaults"]
    );
    assert_eq!(
        ids(&["--hop-limit-exact", "2"]),
        ["i-1", "i-3", "lt-1", "lt-3", "lt-none", "account-defaults"]
    );
    fake.world().at(ACCOUNT, REGION).defaults.options.http_put_response_hop_limit = None;
    assert!(ids(&["--hop-limit", "1"]).is_empty(), "a default of 1 would lower what an image gives");
    let both = ran(&fake, &["plan", "--out", "x", "--hop-limit", "2", "--hop-limit-exact", "2"]);
    assert_eq!(both.status, 2, "{both:?}");
}

#[test]
fn tags_are_not_enabled_where_a_key_cannot_be_shown() {
    for (key, fits) in [
        ("a/b", false),
        ("two words", false),
        ("_index", false),
        ("..", false),
        ("tag\u{e9}", false),
        ("a:b@c+d=e,f.g-h_1", true),
    ] {
        let mut world = world(&[("i-1", v1(1))]);
        world.instance_mut("i-1").unwrap().tags.insert(key.to_owned(), String::new());
        let here = world.at(ACCOUNT, REGION);
        here.templates = vec![Template {
            id: "lt-1".to_owned(),
            name: "one".to_owned(),
            versions: vec![(Options::default(), None)],
            default: 1,
            instance_tags: [(key.to_owned(), String::new())].into(),
            ..Template::default()
        }];
        let fake = Fake::start(world).unwrap();
        let files = files();
        let args = ["plan", "--tags", "enabled", "--launch-templates", "--out", files.plan.to_str().unwrap()];
        let planned = ran(&fake, &args);
        assert_eq!(planned.status, i32::from(!fits), "{key}: {planned:?}");
        assert_eq!(
            planned.stdout.matches("cannot be shown in instance metadata").count(),
            if fits { 0 } else { 2 }
        );
        if fits {
            assert_eq!(files.apply(&fake, &[]).status, 0, "EC2 agrees on {key}");
        }
    }
}

#[test]
fn enforcement_names_what_could_not_be_launched_any_more() {
    let mut world = world(&odd());
    pinned(&mut world);
    let here = world.at(ACCOUNT, REGION);
    here.groups.truncate(3);
    here.groups.push(Group {
        name: "old".to_owned(),
        configuration: Some("lc".to_owned()),
        ..Group::default()
    });
    here.configurations = vec![("lc".to_owned(), v1(1), "ami-1".to_owned())];
    let fake = Fake::start(world).unwrap();
    let enforce = ["--no-instances", "--http-tokens-enforced", "enabled", "--allow-irreversible"];
    let planned = files().plan(&fake, &enforce);
    assert_eq!(planned.status, 1, "{planned:?}");
    for named in [
        "from launch template `lt-0arm` version 1;",
        "from launch template `lt-0web` version 1 (groups `pins-old`);",
        "from launch template `lt-0web` version 2 (groups `pins-default`, `follows`);",
        "from launch configuration `lc` (groups `old`);",
    ] {
        assert!(planned.stdout.contains(named), "{named}: {planned:?}");
    }
    assert!(planned.stdout.contains("0 changes to"), "{planned:?}");
    // What the same plan fixes is not named, and leave is taken by name.
    let fixed = files().plan(&fake, &[&enforce[..], &["--launch-templates", "--pinned-groups"]].concat());
    assert!(!fixed.stdout.contains("fail from launch template"), "{fixed:?}");
    assert!(fixed.stdout.contains("fail from launch configuration `lc`"), "{fixed:?}");
    let told = files();
    assert_eq!(told.plan(&fake, &[&enforce[..], &["--allow-launch-failures"]].concat()).status, 0);
    // It holds for the whole account, whatever a filter leaves out.
    let filtered = files().plan(&fake, &[&enforce[..], &["--filter", "instance-id=i-off"]].concat());
    assert_eq!(filtered.status, 2, "{filtered:?}");
    assert!(filtered.stderr.contains("holds for every instance of an account"), "{filtered:?}");
    // And once it is on, audit says that the launch is refused, not that it allows IMDSv1.
    fake.world().at(ACCOUNT, REGION).defaults.enforced = true;
    let audit = ran(&fake, &["audit", "--output", "json"]);
    assert!(!audit.stdout.contains("\"rule\":\"template-v1\""), "{audit:?}");
    assert!(audit.stdout.contains("\"rule\":\"launch-refused\""), "{audit:?}");
}

#[test]
fn what_a_service_owns_is_left_out_with_what_to_do_there() {
    let tags = [
        ("eks:nodegroup-name", "EKS"),
        ("AmazonECSManaged", "ECS"),
        ("AWSBatchServiceTag", "Batch"),
        ("elasticbeanstalk:environment-name", "Elastic Beanstalk"),
        ("aws:elasticmapreduce:job-flow-id", "EMR"),
        ("karpenter.sh/nodepool", "Karpenter"),
        ("aws:cloudformation:stack-name", "CloudFormation"),
    ];
    let mut world = world(&[]);
    let here = world.at(ACCOUNT, REGION);
    for (n, (tag, _)) in tags.iter().enumerate() {
        let tags: std::collections::BTreeMap<String, String> = [((*tag).to_owned(), "x".to_owned())].into();
        let mut instance = Instance::new(&format!("i-{n}"), v1(1));
        instance.tags = tags.clone();
        here.instances.push(instance);
        let owned = Template {
            id: format!("lt-0{n}"),
            name: format!("t{n}"),
            versions: vec![(Options::default(), None)],
            default: 1,
            tags,
            ..Template::default()
        };
        here.templates.push(owned);
    }
    let fake = Fake::start(world).unwrap();
    let planned = files().plan(&fake, &["--launch-templates"]);
    assert!(planned.stdout.contains("\n0 changes to "), "{planned:?}");
    for (n, (_, owner)) in tags.iter().enumerate() {
        for id in [format!("i-{n}"), format!("lt-0{n}")] {
            let says = format!("left out: {id} in {ACCOUNT}/{REGION}: owned by {owner}: ");
            assert!(planned.stdout.contains(&says), "{says}: {planned:?}");
        }
    }
    let told = files().plan(&fake, &["--launch-templates", "--include-owned", "emr,cloudformation"]);
    assert!(told.stdout.contains("\n4 changes to "), "{told:?}");
    assert_eq!(options(&fake).len(), tags.len());
}
