//! `policy`: exactly what the commands call is allowed, and it is enough.

use std::collections::BTreeSet;

use imds_fake_aws::{Fake, Shape, World};

use crate::change::{ACCOUNT, REGION, files, odd, world};
use crate::harness::{bare, ran, run};
use crate::launches::pinned;

fn document(args: &[&str]) -> serde_json::Value {
    let mut command = bare(std::path::Path::new("/nonexistent"));
    command.arg("policy").args(args);
    let printed = run(command);
    assert_eq!((printed.status, printed.stderr.as_str()), (0, ""), "{printed:?}");
    printed.json()
}

/// The actions that a policy allows.
fn actions(args: &[&str]) -> BTreeSet<String> {
    let policy = document(args);
    let statements = policy["Statement"].as_array().unwrap();
    let of = |it: &serde_json::Value| it["Action"].as_array().unwrap().clone();
    statements.iter().flat_map(of).map(|action| action.as_str().unwrap().to_owned()).collect()
}

#[test]
fn every_command_runs_with_what_its_policy_allows_and_not_with_one_action_less() {
    let mut given = world(&odd());
    pinned(&mut given);
    given.at(ACCOUNT, REGION).groups[0].warm_pool = Some(Vec::new());
    given.instance_mut("i-0").unwrap().security_groups = vec!["sg-1".to_owned()];
    let fake = Fake::start(given).unwrap();
    let allow = |allowed: &BTreeSet<String>| fake.world().allowed = Some(allowed.clone());
    let read = actions(&["read"]);
    allow(&read);
    for args in [&["state"][..], &["audit"], &["usage"], &["state", "--all-regions"]] {
        let complete = ran(&fake, args);
        assert!(complete.status < 2, "{args:?}: {complete:?}");
    }
    // Nothing is allowed that is not needed: without any one of them something is incomplete.
    for action in read.iter().filter(|action| *action != "ssm:GetParameters") {
        let mut less = read.clone();
        less.remove(action);
        allow(&less);
        let runs = [&["state", "--all-regions"][..], &["usage"]].map(|args| ran(&fake, args));
        assert!(runs.iter().any(|run| run.status == 3), "{action}: {runs:?}");
        let service_words =
            runs.iter().any(|run| format!("{run:?}").contains("is not authorized to perform"));
        assert!(service_words, "{action}: {runs:?}");
    }
    let files = files();
    allow(&read);
    let all = ["--launch-templates", "--pinned-groups", "--account-defaults"];
    assert_eq!(files.plan(&fake, &[&all[..], &["--usage"]].concat()).status, 0);
    allow(&actions(&["apply", "--launch-templates", "--account-defaults"]));
    let applied = files.apply(&fake, &[]);
    assert_eq!(applied.status, 0, "{applied:?}");
    let back = files.rollback(&fake, &[]);
    assert_eq!(back.status, 0, "{back:?}");
}

#[test]
fn instances_alone_need_little() {
    let fake = Fake::start(world(&odd())).unwrap();
    let read = actions(&["read", "--instances-only"]);
    let expected = [
        "cloudwatch:GetMetricData",
        "ec2:DescribeInstances",
        "ec2:DescribeRegions",
        "ec2:DescribeSecurityGroups",
    ];
    assert_eq!(read, expected.map(str::to_owned).into());
    fake.world().allowed = Some(read);
    assert_eq!(ran(&fake, &["state", "--instances-only"]).status, 0);
    let files = files();
    fake.world().allowed = None;
    assert_eq!(files.plan(&fake, &[]).status, 0);
    fake.world().allowed = Some(actions(&["apply"]));
    assert_eq!(files.apply(&fake, &[]).status, 0);
    assert_eq!(files.rollback(&fake, &[]).status, 0);
}

#[test]
fn an_organization_needs_the_list_of_its_accounts_and_their_role() {
    let fake = Fake::start(World::generate(Shape { accounts: 3, regions: 1, instances: 9 })).unwrap();
    let allowed = actions(&["read", "--organization", "--role-name", "audit"]);
    assert!(allowed.contains("sts:AssumeRole"), "{allowed:?}");
    fake.world().allowed = Some(allowed.clone());
    let args = ["state", "--organization", "--role-name", "audit", "--regions", "ap-northeast-1"];
    let complete = ran(&fake, &args);
    assert_eq!(complete.status, 0, "{complete:?}");
    fake.world().allowed = Some(actions(&["read"]));
    assert_eq!(ran(&fake, &args).status, 3);
}

#[test]
fn a_stack_set_makes_the_role_and_the_organization_keeps_v1_off() {
    let template = document(&[
        "read",
        "--output",
        "stackset",
        "--trusted-account",
        ACCOUNT,
        "--external-id",
        "e",
        "--role-name",
        "audit",
    ]);
    let role = &template["Resources"]["Role"]["Properties"];
    assert_eq!(role["RoleName"], "audit");
    let trust = &role["AssumeRolePolicyDocument"]["Statement"][0];
    assert_eq!(trust["Principal"]["AWS"]["Fn::Sub"], format!("arn:${{AWS::Partition}}:iam::{ACCOUNT}:root"));
    assert_eq!(trust["Condition"]["StringEquals"]["sts:ExternalId"], "e");
    let document = document(&["organization", "--exempt", "arn:aws:iam::*:role/break-glass"]);
    let statements = document["service_control_policy"]["Statement"].as_array().unwrap();
    assert_eq!(statements.len(), 3);
    for statement in statements {
        assert_eq!(
            statement["Condition"]["ArnNotLike"]["aws:PrincipalArn"][0],
            "arn:aws:iam::*:role/break-glass"
        );
    }
    assert_eq!(statements[1]["Condition"]["Null"]["ec2:Attribute/HttpTokens"], "false");
    assert_eq!(statements[2]["Condition"]["NumericLessThan"]["ec2:RoleDelivery"], "2.0");
    let defaults = &document["declarative_policy_ec2"]["ec2_attributes"]["instance_metadata_defaults"];
    assert_eq!(defaults["http_tokens"]["@@assign"], "required");
    assert_eq!(REGION, "us-east-1");
}
