//! `HttpTokensEnforced`: shown, judged, set only when asked for twice, and taken back first of all.

use imds_fake_aws::Fake;
use imds_fake_aws::world::Defaults;

use crate::change::{ACCOUNT, REGION, files, odd, options, world};
use crate::harness::ran;

fn defaults(fake: &Fake) -> Defaults {
    Defaults { changes: 0, ..fake.world().at(ACCOUNT, REGION).defaults.clone() }
}

fn same(a: &Defaults, b: &Defaults) -> bool {
    (&a.options, a.enforced, a.enforced_set) == (&b.options, b.enforced, b.enforced_set)
}

#[test]
fn is_shown_and_judged() {
    let fake = Fake::start(world(&[])).unwrap();
    let judged = |rule: &str| {
        let audit = ran(&fake, &["audit", "--output", "json"]).json();
        let findings = audit["findings"].as_array().unwrap().clone();
        findings.iter().find(|it| it["rule"] == rule).map(|it| it["severity"].as_str().unwrap().to_owned())
    };
    let state = ran(&fake, &["state"]).stdout;
    assert!(!state.contains(", IMDSv2 enforced") && state.contains("; IMDSv2 enforced in 0 of 1"), "{state}");
    assert_eq!(judged("default-not-enforced").as_deref(), Some("low"));
    assert_eq!(judged("rollback-impossible"), None);
    fake.world().at(ACCOUNT, REGION).defaults.enforced = true;
    assert!(ran(&fake, &["state"]).stdout.contains("account defaults, managed by account, IMDSv2 enforced"));
    assert_eq!(judged("default-not-enforced"), None);
    assert_eq!(judged("rollback-impossible").as_deref(), Some("informational"));
}

#[test]
fn is_not_planned_without_saying_that_there_is_no_rollback() {
    let fake = Fake::start(world(&odd())).unwrap();
    let files = files();
    let planned = files.plan(&fake, &["--http-tokens-enforced", "enabled"]);
    assert_eq!(planned.status, 1, "{planned:?}");
    assert_eq!(
        planned.stdout,
        format!(
            "left out: account-defaults in {ACCOUNT}/{REGION}: `HttpTokensEnforced` makes rollback impossible: \
             EC2 then refuses to set any instance back to IMDSv1, and to launch one that allows it (2 instances of the \
             account allow it here); `--allow-irreversible` plans it all the same\n\
             3 changes to HttpTokens=required HttpTokensEnforced=enabled, 1 left out, in `{}`\n",
            files.plan.display()
        )
    );
    assert_eq!(files.apply(&fake, &[]).status, 0);
    assert!(!defaults(&fake).enforced);
}

#[test]
fn is_set_last_and_taken_back_first() {
    for set in [false, true] {
        let mut world = world(&odd());
        world.at(ACCOUNT, REGION).defaults.enforced_set = set;
        let fake = Fake::start(world).unwrap();
        let (before, instances) = (defaults(&fake), options(&fake));
        let files = files();
        let told = ["--account-defaults", "--http-tokens-enforced", "enabled", "--allow-irreversible"];
        let planned = files.plan(&fake, &told);
        assert_eq!(planned.status, 0, "{planned:?}");
        let plan: serde_json::Value = serde_json::from_slice(&std::fs::read(&files.plan).unwrap()).unwrap();
        let change = &plan["changes"][3];
        let prior = if set { serde_json::json!("disabled") } else { serde_json::Value::Null };
        assert_eq!(change["http_tokens_enforced"]["prior"], prior, "{plan}");
        assert_eq!(change["http_tokens_enforced"]["new"], "enabled");
        // A gate that stays shut keeps the last wave from coming.
        let gated = files.apply(&fake, &["--gate-command", "false"]);
        assert_eq!(gated.status, 3, "{gated:?}");
        assert!(!defaults(&fake).enforced, "{gated:?}");
        let applied = files.apply(&fake, &[]);
        assert_eq!(applied.status, 0, "{applied:?}");
        assert!(applied.stdout.contains("wave 3 of 3: 1 changes; 4 of 4 changes in force\n"), "{applied:?}");
        let after = defaults(&fake);
        assert!(after.enforced && after.options.http_tokens.as_deref() == Some("required"), "{after:?}");
        let back = files.rollback(&fake, &[]);
        assert_eq!(
            (back.status, back.stdout.as_str()),
            (0, "4 restored, 0 as before, 0 not restored\n"),
            "{back:?}"
        );
        assert!(same(&defaults(&fake), &before), "{:?}", defaults(&fake));
        assert_eq!(options(&fake), instances);
    }
}

#[test]
fn alone_it_needs_no_other_option_and_off_needs_no_leave() {
    let fake = Fake::start(world(&odd())).unwrap();
    let instances = options(&fake);
    for (wanted, leave) in [("enabled", vec!["--allow-irreversible"]), ("disabled", vec![])] {
        let before = defaults(&fake);
        let files = files();
        let args = ["plan", "--out", files.plan.to_str().unwrap(), "--http-tokens-enforced", wanted];
        let planned = ran(&fake, &[&args[..], &leave].concat());
        assert_eq!(planned.status, 0, "{planned:?}");
        assert!(planned.stdout.starts_with(&format!("1 changes to HttpTokensEnforced={wanted}, 0 left out")));
        assert_eq!(files.apply(&fake, &[]).status, 0);
        assert_eq!(defaults(&fake).enforced, wanted == "enabled");
        assert_eq!(files.rollback(&fake, &[]).status, 0);
        assert!(same(&defaults(&fake), &before), "{wanted}: {:?}", defaults(&fake));
        let mut world = fake.world();
        let defaults = &mut world.at(ACCOUNT, REGION).defaults;
        (defaults.enforced, defaults.enforced_set) = (true, true);
    }
    assert_eq!(options(&fake), instances);
}

#[test]
fn of_the_organization_is_left_to_it() {
    let mut world = world(&[]);
    world.at(ACCOUNT, REGION).defaults.declarative_policy = true;
    let fake = Fake::start(world).unwrap();
    let files = files();
    let planned = files.plan(&fake, &["--http-tokens-enforced", "enabled", "--allow-irreversible"]);
    assert_eq!(planned.status, 1, "{planned:?}");
    assert!(
        planned.stdout.starts_with(&format!(
            "left out: account-defaults in {ACCOUNT}/{REGION}: managed by a declarative policy of the organization \
             (ask the platform team)\n0 changes"
        )),
        "{planned:?}"
    );
}
