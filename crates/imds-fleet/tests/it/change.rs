//! `plan`, `apply`, `rollback`: only what was reviewed, and always a rollback.

use std::collections::BTreeMap;
use std::path::PathBuf;

use imds_fake_aws::world::Options;
use imds_fake_aws::{Fake, Fault, Harm, Instance, Template, World};

use crate::harness::{Ran, ran};

pub(crate) const ACCOUNT: &str = "111122223333";
pub(crate) const REGION: &str = "us-east-1";

pub(crate) fn world(instances: &[(&str, Options)]) -> World {
    let mut world = World::new(ACCOUNT, &[REGION]);
    world.pending_descriptions = 1;
    world.at(ACCOUNT, REGION).instances =
        instances.iter().map(|(id, options)| Instance::new(id, options.clone())).collect();
    world
}

/// An instance of each kind that has been got wrong: off, with odd hop limit, with tags, with the
/// IPv6 endpoint.
pub(crate) fn odd() -> Vec<(&'static str, Options)> {
    vec![
        ("i-0", Options::full("optional", 1, "enabled", "disabled", "disabled")),
        ("i-off", Options::full("optional", 64, "disabled", "enabled", "enabled")),
        ("i-tags", Options::full("optional", 3, "enabled", "disabled", "enabled")),
        ("i-done", Options::full("required", 2, "enabled", "disabled", "disabled")),
    ]
}

pub(crate) fn options(fake: &Fake) -> BTreeMap<String, Options> {
    let world = fake.world();
    let instances = world.places.values().flat_map(|contents| &contents.instances);
    instances.map(|instance| (instance.id.clone(), instance.options.clone())).collect()
}

pub(crate) struct Files {
    _directory: tempfile::TempDir,
    pub(crate) plan: PathBuf,
    pub(crate) journal: PathBuf,
}

pub(crate) fn files() -> Files {
    let directory = tempfile::tempdir().unwrap();
    let plan = directory.path().join("plan.json");
    let journal = directory.path().join("plan.json.journal");
    Files { _directory: directory, plan, journal }
}

impl Files {
    pub(crate) fn plan(&self, fake: &Fake, more: &[&str]) -> Ran {
        self.plan_ready(fake, &[&["--include-unknown"], more].concat())
    }

    /// Plans for the instances only that are known to be ready.
    pub(crate) fn plan_ready(&self, fake: &Fake, more: &[&str]) -> Ran {
        let args = ["plan", "--out", self.plan.to_str().unwrap(), "--http-tokens", "required"];
        ran(fake, &[&args[..], more].concat())
    }

    pub(crate) fn apply_args<'a>(&'a self, more: &[&'a str]) -> Vec<&'a str> {
        let args = ["apply", self.plan.to_str().unwrap(), "--pause", "0", "--poll", "1ms"];
        let polls = if more.contains(&"--polls") { &[][..] } else { &["--polls", "20"] };
        [&args[..], polls, more].concat()
    }

    pub(crate) fn apply(&self, fake: &Fake, more: &[&str]) -> Ran {
        ran(fake, &self.apply_args(more))
    }

    pub(crate) fn rollback(&self, fake: &Fake, more: &[&str]) -> Ran {
        let mut args = vec!["rollback", self.journal.to_str().unwrap(), "--poll", "1ms"];
        if !more.contains(&"--polls") {
            args.extend(["--polls", "20"]);
        }
        ran(fake, &[&args[..], more].concat())
    }
}

#[test]
fn there_and_back_again() {
    let fake = Fake::start(world(&odd())).unwrap();
    let before = options(&fake);
    let files = files();
    let planned = files.plan(&fake, &[]);
    assert_eq!(planned.status, 0, "{planned:?}");
    assert_eq!(fake.world().modified.len(), 0, "a plan changes nothing");
    let applied = files.apply(&fake, &[]);
    assert_eq!(applied.status, 0, "{applied:?}");
    assert!(applied.stdout.ends_with("3 of 3 changes in force\n"), "{applied:?}");
    let tokens_only = Options { http_tokens: Some("required".to_owned()), ..Options::default() };
    for (id, sent) in &fake.world().modified {
        assert_eq!(*sent, tokens_only, "only what changes is sent, to {id}");
    }
    let after = options(&fake);
    assert_eq!(after["i-off"].http_endpoint.as_deref(), Some("disabled"), "a disabled endpoint stays so");
    assert!(after.values().all(|options| options.http_tokens.as_deref() == Some("required")));
    assert_eq!(fake.world().instance("i-done").unwrap().changes, 0);

    let again = files.apply(&fake, &[]);
    assert_eq!(again.status, 0, "{again:?}");
    assert_eq!(fake.world().modified.len(), 3, "nothing is done twice");

    let back = files.rollback(&fake, &[]);
    assert_eq!(
        (back.status, back.stdout.as_str()),
        (0, "3 restored, 0 as before, 0 not restored\n"),
        "{back:?}"
    );
    assert_eq!(options(&fake), before);
    let twice = files.rollback(&fake, &[]);
    assert_eq!(twice.stdout, "0 restored, 3 as before, 0 not restored\n");
    let onward = files.apply(&fake, &[]);
    assert_eq!(onward.status, 2, "{onward:?}");
    assert!(onward.stderr.contains("the plan was rolled back"), "{onward:?}");
}

#[test]
fn defaults_and_templates_go_there_and_back_too() {
    let mut world = world(&[]);
    let here = world.at(ACCOUNT, REGION);
    here.defaults.options.http_put_response_hop_limit = Some(3);
    let sets = Options { http_put_response_hop_limit: Some(2), ..Options::default() };
    here.templates.push(Template {
        id: "lt-0web".to_owned(),
        name: "web".to_owned(),
        versions: vec![(sets.clone(), Some("ami-1".to_owned()))],
        default: 1,
        ..Template::default()
    });
    let fake = Fake::start(world).unwrap();
    let files = files();
    let planned = files.plan(&fake, &["--account-defaults", "--launch-templates"]);
    assert!(planned.stdout.starts_with("2 changes"), "{planned:?}");
    let applied = files.apply(&fake, &[]);
    assert_eq!(applied.status, 0, "{applied:?}");
    {
        let mut world = fake.world();
        let here = world.at(ACCOUNT, REGION);
        assert_eq!(here.defaults.options.http_tokens.as_deref(), Some("required"));
        assert_eq!(here.defaults.options.http_put_response_hop_limit, Some(3));
        let template = &here.templates[0];
        assert_eq!((template.default, template.versions.len()), (2, 2));
        let (options, image) = &template.versions[1];
        assert_eq!(options.http_tokens.as_deref(), Some("required"));
        assert_eq!(options.http_put_response_hop_limit, Some(2));
        assert_eq!(image.as_deref(), Some("ami-1"), "everything else is taken over");
    }
    let back = files.rollback(&fake, &[]);
    assert_eq!(back.stdout, "2 restored, 0 as before, 0 not restored\n", "{back:?}");
    let mut world = fake.world();
    let here = world.at(ACCOUNT, REGION);
    assert_eq!(here.defaults.options.http_tokens, None, "no preference, as before");
    assert_eq!(here.defaults.options.http_put_response_hop_limit, Some(3));
    assert_eq!(here.templates[0].default, 1);
}

#[test]
fn where_there_is_no_rollback_nothing_is_planned_unless_told() {
    let mut world = world(&odd());
    world.at(ACCOUNT, REGION).defaults.enforced = true;
    let fake = Fake::start(world).unwrap();
    let refused = files();
    let planned = refused.plan(&fake, &[]);
    assert_eq!(planned.status, 1, "{planned:?}");
    assert!(planned.stdout.contains("i-0 in 111122223333/us-east-1: rollback is impossible"), "{planned:?}");
    assert!(planned.stdout.contains("\n0 changes to HttpTokens=required, 3 left out"), "{planned:?}");

    let told = files();
    assert_eq!(told.plan(&fake, &["--allow-irreversible"]).status, 0);
    assert_eq!(told.apply(&fake, &[]).status, 0);
    let changed = fake.world().modified.len();
    let refused = told.rollback(&fake, &[]);
    assert_eq!(refused.status, 2, "{refused:?}");
    assert_eq!(
        refused.stderr,
        "error: rollback is impossible in 111122223333/us-east-1: `HttpTokensEnforced` is `enabled`, and EC2 refuses \
         to set 3 instances back to IMDSv1; turn it off first, or restore the rest with `--allow-irreversible`\n"
    );
    assert_eq!(fake.world().modified.len(), changed);
    let back = told.rollback(&fake, &["--allow-irreversible"]);
    assert_eq!(back.status, 3, "{back:?}");
    assert_eq!(back.stdout.matches("httpTokensEnforced is enabled").count(), 3, "{back:?}");
    assert!(back.stdout.ends_with("0 restored, 0 as before, 3 not restored\n"), "{back:?}");
    fake.world().at(ACCOUNT, REGION).defaults.enforced = false;
    let freed = told.rollback(&fake, &[]);
    assert_eq!((freed.status, freed.stdout.as_str()), (0, "3 restored, 0 as before, 0 not restored\n"));
}

#[test]
fn enforcement_that_was_turned_on_since_stops_apply_before_it_begins() {
    let fake = Fake::start(world(&odd())).unwrap();
    let files = files();
    assert_eq!(files.plan(&fake, &[]).status, 0);
    fake.world().at(ACCOUNT, REGION).defaults.enforced = true;
    let applied = files.apply(&fake, &[]);
    assert_eq!(applied.status, 2, "{applied:?}");
    assert!(applied.stderr.contains("rollback is impossible in 111122223333/us-east-1"), "{applied:?}");
    assert_eq!(fake.world().modified.len(), 0);
}

#[test]
fn what_may_not_be_changed_is_left_out_with_the_reason() {
    let mut world = world(&odd());
    world.instance_mut("i-0").unwrap().operator = Some("eks.amazonaws.com".to_owned());
    world.instance_mut("i-off").unwrap().run_state = "stopping".to_owned();
    world.instance_mut("i-tags").unwrap().options.http_protocol_ipv6 = None;
    world.at(ACCOUNT, REGION).defaults.declarative_policy = true;
    let fake = Fake::start(world).unwrap();
    let planned = files().plan(&fake, &["--account-defaults"]);
    assert_eq!(planned.status, 1, "{planned:?}");
    for reason in [
        "i-0 in 111122223333/us-east-1: managed by eks.amazonaws.com: change it there",
        "i-off in 111122223333/us-east-1: is `stopping`",
        "i-tags in 111122223333/us-east-1: not all five options are known",
        "account-defaults in 111122223333/us-east-1: managed by a declarative policy of the organization (ask the platform team)",
    ] {
        assert!(planned.stdout.contains(reason), "{reason}: {planned:?}");
    }
}

#[test]
fn a_denied_change_is_found_by_the_probe_before_anything_is_done() {
    let fake = Fake::start(world(&odd())).unwrap();
    let files = files();
    assert_eq!(files.plan(&fake, &[]).status, 0);
    fake.world().faults.push(Fault::always("ModifyInstanceMetadataOptions", Fault::denied()));
    let applied = files.apply(&fake, &[]);
    assert_eq!(applied.status, 3, "{applied:?}");
    assert!(
        applied.stderr.contains("`ModifyInstanceMetadataOptions` denied: UnauthorizedOperation"),
        "{applied:?}"
    );
    assert_eq!(fake.world().called("ModifyInstanceMetadataOptions"), 1);
    assert_eq!(fake.world().modified.len(), 0);
}

#[test]
fn a_change_that_stays_pending_stops_the_waves() {
    let mut world = world(&odd());
    world.pending_descriptions = 1000;
    let fake = Fake::start(world).unwrap();
    let files = files();
    assert_eq!(files.plan(&fake, &[]).status, 0);
    let applied = files.apply(&fake, &[]);
    assert_eq!(applied.status, 3, "{applied:?}");
    assert!(applied.stdout.contains("stopped: 1 changes are not in force in time"), "{applied:?}");
    assert_eq!(fake.world().modified.len(), 1, "the first wave is one");
}

#[test]
fn refused_v1_calls_close_the_gate_and_so_does_a_command() {
    for metric in [true, false] {
        let fake = Fake::start(world(&odd())).unwrap();
        let files = files();
        assert_eq!(files.plan(&fake, &[]).status, 0);
        let mut more = vec!["--gate-command", "false"];
        if metric {
            more.clear();
            let ids = ["i-0", "i-off", "i-tags"];
            let soon = crate::harness::now().as_second();
            for id in ids {
                let key = (id.to_owned(), "MetadataNoTokenRejected".to_owned());
                // Wherever the run's minute falls, one of these lies in it.
                fake.world().metrics.insert(key, (0..10).map(|minute| (soon + minute * 60, 1.0)).collect());
            }
        }
        let applied = files.apply(&fake, &more);
        assert_eq!(applied.status, 3, "{applied:?}");
        let says =
            if metric { "refuses IMDSv1 calls that something still makes" } else { "`false` ended with" };
        assert!(applied.stdout.contains("stopped: gate closed: "), "{applied:?}");
        assert!(applied.stdout.contains(says), "{applied:?}");
        assert_eq!(fake.world().modified.len(), 1, "the first wave is one");
        fake.world().metrics.clear();
        let onward = files.apply(&fake, &[]);
        assert_eq!(onward.status, 0, "{onward:?}");
        assert_eq!(fake.world().modified.len(), 3);
    }
}

#[test]
fn what_someone_else_changed_since_is_not_undone_unless_forced() {
    let fake = Fake::start(world(&odd())).unwrap();
    let before = options(&fake);
    let files = files();
    assert_eq!(files.plan(&fake, &["--hop-limit-exact", "4"]).status, 0);
    assert_eq!(files.apply(&fake, &[]).status, 0);
    fake.world().instance_mut("i-tags").unwrap().options.http_put_response_hop_limit = Some(9);
    let back = files.rollback(&fake, &[]);
    assert_eq!(back.status, 3, "{back:?}");
    assert!(
        back.stdout.contains("`i-tags` in 111122223333/us-east-1: someone else has changed it since"),
        "{back:?}"
    );
    let forced = files.rollback(&fake, &["--force"]);
    assert_eq!(forced.status, 0, "{forced:?}");
    assert_eq!(options(&fake), before);
}

#[test]
fn an_answer_that_got_lost_is_looked_into_and_not_repeated_blindly() {
    let fake = Fake::start(world(&odd())).unwrap();
    let files = files();
    assert_eq!(files.plan(&fake, &[]).status, 0);
    let lost = Fault { skip: 1, times: 1, ..Fault::always("ModifyInstanceMetadataOptions", Harm::Html(502)) };
    fake.world().faults.push(lost);
    let applied = files.apply(&fake, &[]);
    assert_eq!(applied.status, 3, "{applied:?}");
    assert!(applied.stdout.contains("status 502 without an AWS error code"), "{applied:?}");
    let onward = files.apply(&fake, &[]);
    assert_eq!(onward.status, 0, "{onward:?}");
    assert!(fake.world().places.values().flat_map(|here| &here.instances).all(|it| it.changes <= 1));
}
