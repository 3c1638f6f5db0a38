//! `plan`, `apply`, `rollback` of what instances are launched from: templates, groups that pin a
//! version, launch configurations.

use imds_fake_aws::world::Options;
use imds_fake_aws::{Fake, Fault, Group, Mixed, Template, World};

use crate::change::{ACCOUNT, Files, REGION, files};
use crate::harness::Ran;

fn of(template: &str, version: &str) -> (String, String) {
    (template.to_owned(), version.to_owned())
}

fn template(id: &str, versions: usize, default: usize) -> Template {
    let hops = |number: usize| Options {
        http_put_response_hop_limit: i64::try_from(number).ok(),
        ..Options::default()
    };
    Template {
        id: id.to_owned(),
        name: format!("name-of-{id}"),
        versions: (1..=versions).map(|number| (hops(number), Some(format!("ami-{number}")))).collect(),
        default,
        ..Template::default()
    }
}

fn group(name: &str, version: &str) -> Group {
    Group { name: name.to_owned(), template: Some(of("lt-0web", version)), ..Group::default() }
}

/// A template of three versions, the second the default, with groups that follow it in every way
/// but `$Latest`.
pub(crate) fn pinned(world: &mut World) {
    let here = world.at(ACCOUNT, REGION);
    here.templates = vec![template("lt-0web", 3, 2), template("lt-0arm", 1, 1)];
    here.groups = vec![
        group("follows", "$Default"),
        group("pins-default", "2"),
        group("pins-old", "1"),
        Group {
            name: "mixed".to_owned(),
            mixed: Some(Mixed {
                template: of("lt-0web", "1"),
                overrides: vec![
                    ("m7i.large".to_owned(), None),
                    ("m7g.large".to_owned(), Some(of("lt-0arm", "1"))),
                    ("m7a.large".to_owned(), Some(of("lt-0arm", "$Default"))),
                ],
                on_demand_percentage: Some("40".to_owned()),
            }),
            ..Group::default()
        },
    ];
}

fn world() -> World {
    let mut world = World::new(ACCOUNT, &[REGION]);
    pinned(&mut world);
    world
}

/// What there is of templates and groups but how often they were changed.
pub(crate) fn launches(fake: &Fake) -> String {
    let mut world = fake.world();
    let here = world.at(ACCOUNT, REGION);
    let templates: Vec<String> = here
        .templates
        .iter()
        .map(|it| {
            let versions: Vec<_> =
                (1..=it.versions.len()).filter(|number| !it.deleted.contains(number)).collect();
            format!("{} default {} of {versions:?}", it.id, it.default)
        })
        .collect();
    let groups: Vec<String> = here
        .groups
        .iter()
        .map(|it| format!("{} {:?} {:?} {:?}", it.name, it.template, it.configuration, it.mixed))
        .collect();
    [templates, groups].concat().join("\n")
}

fn plan(files: &Files, fake: &Fake, more: &[&str]) -> Ran {
    files.plan(fake, &[&["--no-instances"], more].concat())
}

#[test]
fn pinned_groups_are_found_and_left_out_unless_told() {
    let fake = Fake::start(world()).unwrap();
    let files = files();
    let planned = plan(&files, &fake, &["--launch-templates"]);
    assert_eq!(planned.status, 1, "{planned:?}");
    let place = format!("{ACCOUNT}/{REGION}");
    let left = |group: &str, version: u8, template: &str| {
        format!(
            "left out: {group} in {place}: pins version {version} of `{template}`; `--pinned-groups` moves it to a \
             new one\n"
        )
    };
    assert_eq!(
        planned.stdout,
        [
            left("mixed", 1, "lt-0arm"),
            left("mixed", 1, "lt-0web"),
            left("pins-old", 1, "lt-0web"),
            left("pins-default", 2, "lt-0web"),
            format!("2 changes to HttpTokens=required, 4 left out, in `{}`\n", files.plan.display()),
        ]
        .concat()
    );
    assert_eq!(files.apply(&fake, &[]).status, 0);
    assert!(fake.world().at(ACCOUNT, REGION).groups.iter().all(|group| group.changes == 0));
}

#[test]
fn pinned_groups_are_moved_and_moved_back() {
    let fake = Fake::start(world()).unwrap();
    let before = launches(&fake);
    let files = files();
    let planned = plan(&files, &fake, &["--launch-templates", "--pinned-groups"]);
    assert!(planned.stdout.starts_with("6 changes to HttpTokens=required, 0 left out"), "{planned:?}");
    let applied = files.apply(&fake, &[]);
    assert_eq!(applied.status, 0, "{applied:?}");
    {
        let mut world = fake.world();
        let here = world.at(ACCOUNT, REGION);
        let web = here.templates[0].clone();
        // One from the default, one from the version that two groups pin, anyone who asked first.
        assert_eq!((web.versions.len(), here.templates[1].versions.len()), (5, 2));
        let made_from = |text: &(String, String)| -> (i64, String, String) {
            let template = here.templates.iter().find(|it| it.id == text.0).unwrap();
            let (options, image) = &template.versions[text.1.parse::<usize>().unwrap() - 1];
            let hops = options.http_put_response_hop_limit.unwrap();
            (hops, image.clone().unwrap(), options.http_tokens.clone().unwrap_or_default())
        };
        let required = |number: i64| (number, format!("ami-{number}"), "required".to_owned());
        assert_eq!(made_from(&of("lt-0web", &web.default.to_string())), required(2));
        let group = |name: &str| here.groups.iter().find(|group| group.name == name).unwrap();
        assert_eq!(group("follows").template, Some(of("lt-0web", "$Default")));
        assert_eq!(made_from(group("pins-default").template.as_ref().unwrap()), required(2));
        assert_eq!(made_from(group("pins-old").template.as_ref().unwrap()), required(1));
        let mixed = group("mixed").mixed.clone().unwrap();
        assert_eq!(made_from(&mixed.template), required(1));
        assert_eq!(mixed.template, *group("pins-old").template.as_ref().unwrap(), "one version for both");
        assert_eq!(mixed.overrides[0], ("m7i.large".to_owned(), None));
        assert_eq!(made_from(mixed.overrides[1].1.as_ref().unwrap()), required(1));
        assert_eq!(mixed.overrides[2].1, Some(of("lt-0arm", "$Default")));
        assert_eq!(mixed.on_demand_percentage.as_deref(), Some("40"), "the rest of the policy is kept");
        assert_eq!(group("follows").changes, 0);
    }
    let again = files.apply(&fake, &[]);
    assert_eq!(again.status, 0, "{again:?}");
    let back = files.rollback(&fake, &[]);
    assert_eq!(
        (back.status, back.stdout.as_str()),
        (0, "6 restored, 0 as before, 0 not restored\n"),
        "{back:?}"
    );
    assert_eq!(launches(&fake), before, "the versions that were made are gone, too");
}

#[test]
fn groups_alone_leave_the_default_where_it_is() {
    let fake = Fake::start(world()).unwrap();
    let before = launches(&fake);
    let files = files();
    let planned = plan(&files, &fake, &["--pinned-groups"]);
    assert!(planned.stdout.starts_with("4 changes to HttpTokens=required, 0 left out"), "{planned:?}");
    assert_eq!(files.apply(&fake, &[]).status, 0);
    assert_eq!(fake.world().at(ACCOUNT, REGION).templates[0].default, 2);
    // Someone else comes to use the version that was made: it stays, and that is said.
    let made = fake.world().at(ACCOUNT, REGION).groups[2].template.clone();
    let mut other = group("of-someone-else", "1");
    other.template = made;
    let latest = fake.world().at(ACCOUNT, REGION).templates[0].latest().to_string();
    other.template.as_mut().unwrap().1 = latest;
    fake.world().at(ACCOUNT, REGION).groups.push(other);
    let back = files.rollback(&fake, &["--polls", "1"]);
    assert_eq!(back.status, 3, "{back:?}");
    assert!(back.stdout.contains(": the version that was made of it is still in use\n"), "{back:?}");
    fake.world().at(ACCOUNT, REGION).groups.pop();
    let freed = files.rollback(&fake, &[]);
    assert_eq!(freed.status, 0, "{freed:?}");
    assert_eq!(launches(&fake), before);
}

#[test]
fn a_group_that_someone_else_moved_is_left_alone() {
    let fake = Fake::start(world()).unwrap();
    let files = files();
    assert_eq!(plan(&files, &fake, &["--pinned-groups"]).status, 0);
    fake.world().at(ACCOUNT, REGION).groups[2].template = Some(of("lt-0web", "3"));
    let refused = files.apply(&fake, &[]);
    assert_eq!(refused.status, 2, "{refused:?}");
    assert_eq!(refused.stdout, format!("`pins-old` in {ACCOUNT}/{REGION} has been changed\n"));
    assert_eq!(fake.world().at(ACCOUNT, REGION).templates[0].versions.len(), 3, "nothing was made");
    fake.world().at(ACCOUNT, REGION).groups[2].template = Some(of("lt-0web", "1"));
    assert_eq!(files.apply(&fake, &[]).status, 0);
    fake.world().at(ACCOUNT, REGION).groups[2].template = Some(of("lt-0web", "3"));
    let back = files.rollback(&fake, &[]);
    assert_eq!(back.status, 3, "{back:?}");
    let says = format!(
        "not restored: `pins-old` in {ACCOUNT}/{REGION}: someone else has moved it since: set the version that the plan \
         names by hand\n"
    );
    assert!(back.stdout.starts_with(&says), "{back:?}");
    let forced = files.rollback(&fake, &["--force"]);
    assert!(forced.stdout.starts_with(&says), "{forced:?}");
    assert_eq!(fake.world().at(ACCOUNT, REGION).groups[2].template, Some(of("lt-0web", "3")));
}

#[test]
fn what_cannot_be_changed_is_named_with_the_way_out() {
    let mut world = world();
    let here = world.at(ACCOUNT, REGION);
    here.templates = vec![template("lt-0web", 3, 2)];
    let mut nodes = group("nodes", "2");
    nodes.tags.insert("eks:nodegroup-name".to_owned(), "main".to_owned());
    let old = Group { name: "old".to_owned(), configuration: Some("lc".to_owned()), ..Group::default() };
    here.groups = vec![group("newest", "$Latest"), group("pins", "1"), nodes, old];
    let required = Options { http_tokens: Some("required".to_owned()), ..Options::default() };
    here.configurations = vec![
        ("lc".to_owned(), Options::default(), "ami-1".to_owned()),
        ("lc-good".to_owned(), required, "ami-1".to_owned()),
        ("lc-unused".to_owned(), Options::default(), "ami-1".to_owned()),
    ];
    let fake = Fake::start(world).unwrap();
    let files = files();
    let planned = plan(&files, &fake, &["--launch-templates", "--pinned-groups"]);
    assert_eq!(planned.status, 1, "{planned:?}");
    let would_be = |version: u8| {
        format!(
            "a version made from version {version} would become `$Latest`, which `newest` launches from, instead of \
             version 3: make a version there that sets the options"
        )
    };
    let place = format!("{ACCOUNT}/{REGION}");
    assert_eq!(
        planned.stdout,
        format!(
            "left out: pins in {place}: {}\n\
             left out: lt-0web in {place}: {}\n\
             left out: nodes in {place}: pins version 2 of `lt-0web`; owned by EKS: set `metadataOptions` in the \
             launch template of the node group and update the node group; `--include-owned eks` plans it all the same\n\
             left out: newest in {place}: launches from `$Latest` of `lt-0web`, which is version 3 and not the default: \
             make a version there that sets the options\n\
             left out: lc in {place}: a launch configuration cannot be changed; have `old` launch from a launch \
             template instead\n\
             left out: lc-unused in {place}: a launch configuration cannot be changed; no group launches from it: \
             delete it\n\
             0 changes to HttpTokens=required, 6 left out, in `{}`\n",
            would_be(1),
            would_be(2),
            files.plan.display()
        )
    );
}

#[test]
fn a_group_on_latest_gets_what_is_made_of_the_latest_and_gets_it_back() {
    let mut world = world();
    let here = world.at(ACCOUNT, REGION);
    here.templates = vec![template("lt-0web", 3, 3)];
    here.groups = vec![group("newest", "$Latest")];
    let fake = Fake::start(world).unwrap();
    let files = files();
    assert_eq!(plan(&files, &fake, &["--launch-templates"]).status, 0);
    assert_eq!(files.apply(&fake, &[]).status, 0);
    assert_eq!(fake.world().at(ACCOUNT, REGION).templates[0].latest(), 4);
    assert_eq!(files.rollback(&fake, &[]).status, 0);
    assert_eq!(fake.world().at(ACCOUNT, REGION).templates[0].latest(), 3, "`$Latest` is what it was");
}

#[test]
fn each_kind_of_change_is_probed_before_anything_is_done() {
    let mut world = world();
    let options = Options::full("optional", 1, "enabled", "disabled", "disabled");
    world.at(ACCOUNT, REGION).instances.push(imds_fake_aws::Instance::new("i-1", options));
    let fake = Fake::start(world).unwrap();
    let files = files();
    let all = ["--launch-templates", "--pinned-groups", "--account-defaults"];
    assert_eq!(files.plan(&fake, &all).status, 0);
    for action in ["CreateLaunchTemplateVersion", "ModifyLaunchTemplate", "ModifyInstanceMetadataDefaults"] {
        fake.world().faults = vec![Fault::always(action, Fault::denied())];
        let applied = files.apply(&fake, &[]);
        assert_eq!(applied.status, 3, "{applied:?}");
        assert_eq!(
            (applied.stdout.as_str(), applied.stderr),
            (
                "",
                format!(
                    "error: `{action}` denied: UnauthorizedOperation: You are not authorized to perform this \
                     operation.\n"
                )
            )
        );
        assert_eq!(fake.world().modified.len(), 0);
    }
    // Auto Scaling has no dry run: what it denies stops the run where it is, and the rest is as the
    // journal says.
    fake.world().faults = vec![Fault::always("UpdateAutoScalingGroup", Fault::denied())];
    let stopped = files.apply(&fake, &[]);
    assert_eq!(stopped.status, 3, "{stopped:?}");
    assert!(
        stopped.stdout.contains(": `UpdateAutoScalingGroup` denied: UnauthorizedOperation: "),
        "{stopped:?}"
    );
    fake.world().faults.clear();
    assert_eq!(files.apply(&fake, &[]).status, 0);
}
