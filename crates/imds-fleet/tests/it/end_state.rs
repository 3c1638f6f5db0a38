//! The end state by account and Region: required by default, enforced, held by the organization.

use imds_fake_aws::world::Options;
use imds_fake_aws::{Fake, Fault, World};

use crate::harness::ran;

const ACCOUNTS: [&str; 4] = ["111122223333", "222233334444", "333344445555", "444455556666"];
const WHOLE: &str = r#"{"ec2_attributes":{"exception_message":{"instance_metadata_defaults":"ask"},"instance_metadata_defaults":{"http_tokens":"required","http_tokens_enforced":"enabled"}}}"#;

/// The first account has reached it in one of two Regions, the second has a policy that is not in
/// force yet, the third one that asks for too little, the fourth none.
fn organization() -> World {
    let mut world = World::new(ACCOUNTS[0], &["us-east-1", "eu-west-1"]);
    for account in ACCOUNTS {
        for region in ["us-east-1", "eu-west-1"] {
            let defaults = &mut world.at(account, region).defaults;
            let reached = account != ACCOUNTS[3] && !(account == ACCOUNTS[0] && region == "eu-west-1");
            if reached {
                defaults.options = Options { http_tokens: Some("required".to_owned()), ..Options::default() };
                defaults.enforced = account != ACCOUNTS[2];
            }
            defaults.declarative_policy = matches!(account, "111122223333" | "333344445555");
        }
    }
    for account in &ACCOUNTS[..2] {
        world.declared.insert((*account).to_owned(), WHOLE.to_owned());
    }
    let little = WHOLE.replace(",\"http_tokens_enforced\":\"enabled\"", "");
    world.declared.insert(ACCOUNTS[2].to_owned(), little);
    world
}

const SCOPE: [&str; 4] = ["--organization", "--role-name", "audit", "--all-regions"];

#[test]
fn it_is_shown_for_each_account_and_region_of_the_organization() {
    let fake = Fake::start(organization()).unwrap();
    let document = ran(&fake, &[&["state", "--output", "json"][..], &SCOPE].concat());
    assert_eq!(document.status, 0, "{document:?}");
    let document = document.json();
    let mut ends: Vec<String> = document["resources"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|it| it["kind"] == "account_defaults")
        .map(|it| {
            let missing: Vec<&str> = it["end_state"]["missing"]
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(|it| it.as_str())
                .collect();
            format!(
                "{} {}: {}",
                it["account"].as_str().unwrap(),
                it["region"].as_str().unwrap(),
                missing.join(", ")
            )
        })
        .collect();
    ends.sort();
    let (tokens, enforced) =
        ("the default of `HttpTokens` is not `required`", "`HttpTokensEnforced` is not `enabled`");
    let none = "no declarative policy of the organization holds it";
    let little = "the declarative policy says `nothing` for `http_tokens_enforced`, not `enabled`";
    let expected = [
        format!("111122223333 eu-west-1: {tokens}, {enforced}"),
        "111122223333 us-east-1: ".to_owned(),
        "222233334444 eu-west-1: the declarative policy is not in force here yet".to_owned(),
        "222233334444 us-east-1: the declarative policy is not in force here yet".to_owned(),
        format!("333344445555 eu-west-1: {enforced}, {little}"),
        format!("333344445555 us-east-1: {enforced}, {little}"),
        format!("444455556666 eu-west-1: {tokens}, {enforced}, {none}"),
        format!("444455556666 us-east-1: {tokens}, {enforced}, {none}"),
    ];
    assert_eq!(ends, expected);
    assert_eq!(document["summary"]["end_state_reached"], 1);
    assert_eq!(fake.world().called("DescribeEffectivePolicy"), 4, "once for each account");
    let table = ran(&fake, &[&["state"][..], &SCOPE].concat()).stdout;
    assert!(
        table.contains("; end state reached\n") && table.contains(", end state reached in 1\n"),
        "{table}"
    );
    let directory = tempfile::tempdir().unwrap();
    let page = directory.path().join("report.html");
    let _ = ran(&fake, &[&["report", "--out", page.to_str().unwrap()][..], &SCOPE].concat());
    let html = std::fs::read_to_string(&page).unwrap();
    assert!(html.contains("Reached in 1 of 8: "), "the report");
    assert!(html.contains("<td>not reached</td>"), "the report");
    // One account by itself is asked nothing of an organization.
    let before = fake.world().called("DescribeEffectivePolicy");
    let alone = ran(&fake, &["state"]).stdout;
    assert!(alone.contains("managed by declarative-policy, IMDSv2 enforced; end state reached"), "{alone}");
    assert_eq!(fake.world().called("DescribeEffectivePolicy"), before);
}

#[test]
fn a_policy_that_cannot_be_read_is_a_gap_and_no_end_state() {
    let fake = Fake::start(organization()).unwrap();
    let denied = imds_fake_aws::Harm::Error(400, "AccessDeniedException".to_owned(), "no".to_owned());
    fake.world().faults.push(Fault::always("DescribeEffectivePolicy", denied).at(ACCOUNTS[1], "us-east-1"));
    let shown = ran(&fake, &[&["state"][..], &SCOPE].concat());
    assert_eq!(shown.status, 3, "{shown:?}");
    for says in [
        "not scanned: 222233334444/eu-west-1: DescribeEffectivePolicy denied (",
        "end state not reached: whether a declarative policy holds it could not be read",
    ] {
        assert!(shown.stdout.contains(says), "{says}: {shown:?}");
    }
    fake.world().faults.clear();
    fake.world().declared.insert(ACCOUNTS[1].to_owned(), "{ no JSON".to_owned());
    let shown = ran(&fake, &[&["state"][..], &SCOPE].concat());
    assert_eq!(shown.status, 3, "{shown:?}");
    assert!(shown.stdout.contains("the effective policy cannot be read: "), "{shown:?}");
}
