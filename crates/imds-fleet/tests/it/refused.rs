//! Whatever is wrong with what `plan`, `apply`, `rollback` and `audit` are given or meet: the whole
//! message, the exit code, and nothing half done.

use imds_fake_aws::{Fake, Fault, Harm, World};

use crate::change::{ACCOUNT, Files, REGION, files, odd, options, world};
use crate::harness::{Ran, ran};

const PLACE: &str = "111122223333/us-east-1";

fn expired() -> Harm {
    Harm::Error(400, "RequestExpired".to_owned(), "Request has expired.".to_owned())
}

fn opted_out() -> Harm {
    let text = "You are not subscribed to this service.";
    Harm::Error(403, "OptInRequired".to_owned(), text.to_owned())
}

/// A fake, and a plan of three changes for it.
fn planned() -> (Fake, Files) {
    let fake = Fake::start(world(&odd())).unwrap();
    let files = files();
    assert_eq!(files.plan(&fake, &[]).status, 0);
    (fake, files)
}

#[track_caller]
fn said(ran: &Ran, status: i32, stdout: &str, stderr: &str) {
    assert_eq!((ran.status, ran.stdout.as_str(), ran.stderr.as_str()), (status, stdout, stderr));
}

#[test]
fn a_scan_that_meets_a_refusal_plans_the_rest_and_says_what_it_did_not_see() {
    for (harm, says) in [
        (expired(), "DescribeInstances expired (RequestExpired: Request has expired.)"),
        (
            Fault::denied(),
            "DescribeInstances denied (UnauthorizedOperation: You are not authorized to perform this operation.)",
        ),
        (opted_out(), "DescribeInstances opted-out (OptInRequired: You are not subscribed to this service.)"),
    ] {
        let mut world = World::new(ACCOUNT, &[REGION, "eu-west-1"]);
        for region in [REGION, "eu-west-1"] {
            let (_, options) = odd().swap_remove(0);
            world.at(ACCOUNT, region).instances.push(imds_fake_aws::Instance::new("i-0", options));
        }
        world.faults.push(Fault::always("DescribeInstances", harm).at(ACCOUNT, "eu-west-1"));
        let fake = Fake::start(world).unwrap();
        let files = files();
        let planned = files.plan(&fake, &["--regions", "us-east-1,eu-west-1"]);
        let stdout = format!(
            "not scanned: {ACCOUNT}/eu-west-1: {says}\n1 changes to HttpTokens=required, 0 left out, in `{}`\n",
            files.plan.display()
        );
        said(&planned, 3, &stdout, "");
        let plan: serde_json::Value = serde_json::from_slice(&std::fs::read(&files.plan).unwrap()).unwrap();
        assert_eq!(plan["not_scanned"][0], format!("{ACCOUNT}/eu-west-1: {says}"), "who reviews it sees it");
        said(
            &files.apply(&fake, &[]),
            0,
            "wave 1 of 1: 1 changes; 1 of 1 changes in force\n1 of 1 changes in force\n",
            "",
        );
    }
}

#[test]
fn a_refusal_before_the_first_change_stops_apply_and_nothing_is_done() {
    let denied = "UnauthorizedOperation: You are not authorized to perform this operation.";
    let cases = [
        ("GetCallerIdentity", expired(), "expired: RequestExpired: Request has expired."),
        ("DescribeInstances", expired(), "expired: RequestExpired: Request has expired."),
        ("ModifyInstanceMetadataOptions", expired(), "expired: RequestExpired: Request has expired."),
        ("DescribeInstances", Fault::denied(), &format!("denied: {denied}")),
        ("ModifyInstanceMetadataOptions", Fault::denied(), &format!("denied: {denied}")),
        ("GetInstanceMetadataDefaults", Fault::denied(), &format!("denied: {denied}")),
        (
            "DescribeInstances",
            opted_out(),
            "opted-out: OptInRequired: You are not subscribed to this service.",
        ),
    ];
    let (fake, files) = planned();
    let before = options(&fake);
    for (call, harm, says) in cases {
        let hint = if harm == expired() { "hint: the credentials have expired: sign in again\n" } else { "" };
        fake.world().faults = vec![Fault::always(call, harm)];
        // Credentials that are not accepted are a wrong configuration.
        let status = if call == "GetCallerIdentity" { 2 } else { 3 };
        said(&files.apply(&fake, &[]), status, "", &format!("error: `{call}` {says}\n{hint}"));
        assert_eq!(options(&fake), before);
        assert!(fake.world().modified.is_empty());
        let journal = std::fs::read_to_string(&files.journal).unwrap_or_default();
        assert_eq!(journal, "", "{call}");
    }
    fake.world().faults.clear();
    assert_eq!(files.apply(&fake, &[]).status, 0, "the same plan, once it may");
}

#[test]
fn credentials_that_expire_under_way_stop_apply_where_it_is_and_rollback_too() {
    let (fake, files) = planned();
    let before = options(&fake);
    // The dry run and the first wave go through.
    let fault = Fault { skip: 2, ..Fault::always("ModifyInstanceMetadataOptions", expired()) };
    fake.world().faults = vec![fault];
    let stopped = files.apply(&fake, &[]);
    assert_eq!((stopped.status, stopped.stderr.as_str()), (3, ""), "{stopped:?}");
    // Which of the two of the second wave comes first, differs from run to run.
    let says = |id: &str| {
        format!(
            "wave 1 of 2: 1 changes; 1 of 3 changes in force\nwave 2 of 2: 2 changes; 1 of 3 changes in force\n1 of 3 \
             changes in force\nstopped: `{id}` in {PLACE}: `ModifyInstanceMetadataOptions` expired: RequestExpired: Request has \
             expired.\nto go on: imds-fleet apply {} --pause 0 --poll 1ms --polls 20 --backoff 1ms\nto go back: imds-fleet \
             rollback {}\n",
            files.plan.display(),
            files.journal.display()
        )
    };
    assert!([says("i-off"), says("i-tags")].contains(&stopped.stdout), "{stopped:?}");
    assert_eq!(fake.world().modified.len(), 1);
    fake.world().faults = vec![Fault::always("ModifyInstanceMetadataOptions", expired())];
    let back = format!(
        "not restored: `i-0` in {PLACE}: `ModifyInstanceMetadataOptions` expired: RequestExpired: Request has \
         expired.\n0 restored, 0 as before, 1 not restored\n"
    );
    said(&files.rollback(&fake, &[]), 3, &back, "");
    fake.world().faults.clear();
    said(&files.rollback(&fake, &[]), 0, "1 restored, 0 as before, 0 not restored\n", "");
    assert_eq!(options(&fake), before);
}

#[test]
fn a_plan_older_than_the_state_is_refused_as_a_whole() {
    let fake = Fake::start(world(&odd())).unwrap();
    let files = files();
    assert_eq!(files.plan(&fake, &["--hop-limit-exact", "2"]).status, 0);
    fake.world().instance_mut("i-tags").unwrap().options.http_put_response_hop_limit = Some(9);
    fake.world().instance_mut("i-0").unwrap().options.http_put_response_hop_limit = Some(5);
    said(
        &files.apply(&fake, &[]),
        2,
        &format!("`i-0` in {PLACE} has been changed\n`i-tags` in {PLACE} has been changed\n"),
        "error: 2 things are not as they were when the plan was made: make a new one\n",
    );
    assert!(fake.world().modified.is_empty());
    assert_eq!(std::fs::read_to_string(&files.journal).unwrap(), "", "not begun");
    said(
        &files.rollback(&fake, &[]),
        2,
        "",
        &format!("error: journal `{}` has not begun: nothing to undo\n", files.journal.display()),
    );
}

#[test]
fn malformed_plans_and_journals_are_refused_before_anything_is_asked() {
    let fake = Fake::start(world(&[])).unwrap();
    let files = files();
    let good = serde_json::json!({
        "schema_version": 1, "made_at": "2026-11-21T00:00:00Z", "wanted": {}, "allow_irreversible": false,
        "changes": [{ "account": ACCOUNT, "region": REGION, "kind": "instance", "id": "i-0",
            "prior": { "http_tokens": "optional" }, "new": { "http_tokens": "required" } }],
        "left_out": [],
    });
    let with = |change: &dyn Fn(&mut serde_json::Value)| {
        let mut plan = good.clone();
        change(&mut plan);
        plan.to_string()
    };
    let cases = [
        (good.to_string(), "does not hold all five prior options of `i-0`"),
        (with(&|plan| plan["schema_version"] = 2.into()), "has version 2, this program knows 1"),
        (with(&|plan| plan["changes"][0]["new"] = serde_json::json!({})), "changes nothing of `i-0`"),
        (
            with(&|plan| {
                plan["changes"][0]["http_tokens_enforced"] = serde_json::json!({ "new": "enabled" });
                plan["changes"][0]["prior"] = serde_json::json!({
                    "http_tokens": "optional", "http_endpoint": "enabled", "http_put_response_hop_limit": 1,
                    "http_protocol_ipv6": "disabled", "instance_metadata_tags": "disabled",
                });
            }),
            "has `http_tokens_enforced` for `i-0`, which has no such thing",
        ),
        ("{".to_owned(), "EOF while parsing an object at line 1 column 1"),
        ("[]".to_owned(), "invalid length 0, expected struct Plan with 10 elements at line 1 column 2"),
    ];
    for (text, says) in cases {
        std::fs::write(&files.plan, text).unwrap();
        let stderr = format!("error: plan `{}`: {says}\n", files.plan.display());
        said(&files.apply(&fake, &[]), 2, "", &stderr);
        assert!(!files.journal.exists(), "{says}");
    }
    let word = with(&|plan| plan["changes"][0]["new"]["http_tokens"] = "banana".into());
    std::fs::write(&files.plan, &word).unwrap();
    let refused = files.apply(&fake, &[]);
    assert_eq!(refused.status, 2, "{refused:?}");
    let start = format!(
        "error: plan `{}`: unknown variant `banana`, expected `optional` or `required` at line 1 column ",
        files.plan.display()
    );
    assert!(refused.stderr.starts_with(&start), "{refused:?}");
    std::fs::remove_file(&files.plan).unwrap();
    let stderr = format!("error: cannot read `{}`: it does not exist\n", files.plan.display());
    said(&files.apply(&fake, &[]), 2, "", &stderr);
    let journal = files.journal.display();
    let stderr = format!("error: cannot open `{journal}`: it does not exist\n");
    said(&files.rollback(&fake, &[]), 2, "", &stderr);
    std::fs::write(&files.journal, "").unwrap();
    let stderr = format!("error: journal `{journal}` has not begun: nothing to undo\n");
    said(&files.rollback(&fake, &[]), 2, "", &stderr);
    std::fs::write(&files.journal, "shopping list\n").unwrap();
    let stderr = format!(
        "error: `{journal}` is not a journal of `imds-fleet apply` and was left as it is: line 1: expected value at \
         line 1 column 1\n"
    );
    said(&files.rollback(&fake, &[]), 2, "", &stderr);
    assert_eq!(std::fs::read_to_string(&files.journal).unwrap(), "shopping list\n");
    assert_eq!(fake.world().requests, 0);
}

#[test]
fn a_journal_of_another_plan_and_a_plan_that_is_there_are_kept() {
    let (fake, files) = planned();
    assert_eq!(files.apply(&fake, &[]).status, 0);
    let text = std::fs::read_to_string(&files.plan).unwrap();
    let again = files.plan(&fake, &[]);
    let stderr = format!(
        "error: cannot write `{}`: it exists already; a plan is never overwritten\n",
        files.plan.display()
    );
    said(&again, 2, "", &stderr);
    assert_eq!(std::fs::read_to_string(&files.plan).unwrap(), text);
    let journal = std::fs::read_to_string(&files.journal).unwrap();
    std::fs::write(&files.plan, format!("{text}\n")).unwrap();
    said(&files.apply(&fake, &[]), 2, "", "error: the journal belongs to another plan\n");
    assert_eq!(std::fs::read_to_string(&files.journal).unwrap(), journal);
    assert_eq!(fake.world().modified.len(), 3);
    std::fs::write(&files.plan, text).unwrap();
    assert_eq!(files.rollback(&fake, &[]).status, 0);
    said(&files.apply(&fake, &[]), 2, "", "error: the plan was rolled back: make a new one\n");
    assert_eq!(fake.world().modified.len(), 6);
}

#[test]
fn nothing_wanted_is_nothing_asked() {
    let fake = Fake::start(world(&odd())).unwrap();
    let files = files();
    let plan = ran(&fake, &["plan", "--out", files.plan.to_str().unwrap()]);
    said(&plan, 2, "", "error: nothing to change: say for example `--http-tokens required`\n");
    // What would not be scanned cannot be planned.
    for option in
        ["--account-defaults", "--launch-templates", "--pinned-groups", "--http-tokens-enforced=enabled"]
    {
        let refused = files.plan(&fake, &["--instances-only", option]);
        assert_eq!(refused.status, 2, "{refused:?}");
        let says = option.split('=').next().unwrap();
        let start = "error: the argument '--instances-only' cannot be used with";
        assert!(refused.stderr.starts_with(start) && refused.stderr.contains(says), "{refused:?}");
    }
    assert_eq!(fake.world().requests, 0);
    assert!(!files.plan.exists());
}

#[test]
fn malformed_policies_are_refused_before_anything_is_asked() {
    let fake = Fake::start(world(&[])).unwrap();
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("policy.toml");
    let exception = |line: &str| {
        format!("[[exception]]\nrule = \"v1-allowed\"\nowner = \"ops\"\nreason = \"agent\"\n{line}\n")
    };
    let cases = [
        (
            "max_hops = 2\n".to_owned(),
            "TOML parse error at line 1, column 1\n  |\n1 | max_hops = 2\n  | ^^^^^^^^\nunknown field `max_hops`, \
             expected one of `max_hop_limit`, `containers`, `rules`, `exception`",
        ),
        (
            "[rules]\nv1-alowed = \"off\"\n".to_owned(),
            "no rule is called `v1-alowed`; there are v1-allowed, state-unknown, v2-pending, hop-limit-high, \
             hop-limit-low, ipv6-endpoint, tags-exposed, template-v1, launch-configuration-v1, fleet-request-v1, warm-pool-v1, user-data-v1, launch-refused, default-not-required, \
             default-not-enforced, rollback-impossible",
        ),
        (
            exception(""),
            "TOML parse error at line 1, column 1\n  |\n1 | [[exception]]\n  | ^^^^^^^^^^^^^\nmissing field `expires`",
        ),
        (
            exception("expires = \"2026-12-31\"\ntag = \"legacy\""),
            "an exception from `v1-allowed` has a tag that is not `KEY=VALUE`",
        ),
    ];
    for (text, says) in cases {
        std::fs::write(&path, &text).unwrap();
        for command in ["audit", "report"] {
            let page = directory.path().join("page.html");
            let mut args = vec![command, "--policy", path.to_str().unwrap()];
            if command == "report" {
                args.extend(["--out", page.to_str().unwrap()]);
            }
            let refused = ran(&fake, &args);
            assert_eq!((refused.status, refused.stdout.as_str()), (2, ""), "{refused:?}");
            let stderr = format!("error: policy `{}`: {says}\n", path.display());
            assert_eq!(refused.stderr, stderr);
            assert!(!page.exists());
        }
    }
    assert_eq!(fake.world().requests, 0);
}
