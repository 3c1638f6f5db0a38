//! `apply` and `rollback` killed with SIGKILL at every step: each instance is changed exactly once
//! or not at all.

use std::io::Read;
use std::process::Stdio;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use imds_fake_aws::world::Options;
use imds_fake_aws::{Fake, Fault, Group, Harm, Mixed, Moment, Template, World};
use imds_testkit::Kill;

use crate::change::{ACCOUNT, Files, REGION, files, odd, options, world};
use crate::harness::fleet;
use crate::launches::launches;

#[derive(Debug, PartialEq, Eq)]
enum Event {
    Held,
    Ended,
}

/// Runs the command until request number `step` is held, and kills it then. Says whether it came so
/// far.
pub(crate) fn killed_at(fake: &Fake, args: &[&str], step: u64, moment: Moment) -> bool {
    killed_in(fake, args, (None, step), moment)
}

/// Runs the command until a request is held, the one of this action that so many others went
/// before, and kills it then. Says whether it came so far.
fn killed_in(fake: &Fake, args: &[&str], (action, skip): (Option<&str>, u64), moment: Moment) -> bool {
    let action = action.map(str::to_owned);
    let hold = Fault { action, account: None, region: None, skip, times: 1, harm: Harm::Hold(moment) };
    fake.world().faults.push(hold);
    let (tell, events) = mpsc::channel();
    let held = tell.clone();
    fake.on_held(move || held.send(Event::Held).unwrap_or_default());
    let mut command = fleet(fake, args);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut stdout = child.stdout.take().unwrap();
    let reader = std::thread::spawn(move || {
        let mut text = String::new();
        let _ = stdout.read_to_string(&mut text);
        let _ = tell.send(Event::Ended);
    });
    let first = events.recv().unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    reader.join().unwrap();
    // What it sent before it died may arrive after it.
    fake.settle().unwrap();
    fake.world().faults.clear();
    first == Event::Held
}

fn begun(files: &Files) -> bool {
    std::fs::read_to_string(&files.journal).is_ok_and(|text| text.contains("\"begin\""))
}

/// What the journal's last line is about; nothing when there is none.
fn last_event(files: &Files) -> String {
    let text = std::fs::read_to_string(&files.journal).unwrap_or_default();
    let last = text.lines().last().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    last.map(|line| line["event"].as_str().unwrap().to_owned()).unwrap_or_default()
}

#[test]
fn apply_killed_at_every_request_resumes_and_rolls_back() {
    for moment in [Moment::Before, Moment::After] {
        let mut steps = 0;
        let mut last_events = std::collections::BTreeSet::new();
        loop {
            let fake = Fake::start(world(&odd())).unwrap();
            let before = options(&fake);
            let files = files();
            assert_eq!(files.plan(&fake, &[]).status, 0);
            let reached = killed_at(&fake, &files.apply_args(&[]), steps, moment);
            last_events.insert(last_event(&files));
            for instance in fake.world().places.values().flat_map(|here| &here.instances) {
                assert!(instance.changes <= 1, "{moment:?} {steps}: {instance:?}");
            }
            // Straight back from where it was killed, or onward and then back: both must restore
            // everything.
            if steps % 2 == 0 {
                let resumed = files.apply(&fake, &[]);
                assert_eq!(resumed.status, 0, "{moment:?} {steps}: {resumed:?}");
                for instance in fake.world().places.values().flat_map(|here| &here.instances) {
                    let expected = u32::from(instance.id != "i-done");
                    assert_eq!(instance.changes, expected, "{moment:?} {steps}: {instance:?}");
                    assert_eq!(
                        instance.options.http_tokens.as_deref(),
                        Some("required"),
                        "{moment:?} {steps}"
                    );
                }
            }
            if begun(&files) {
                let back = files.rollback(&fake, &[]);
                assert_eq!(back.status, 0, "{moment:?} {steps}: {back:?}");
            }
            assert_eq!(options(&fake), before, "{moment:?} {steps}");
            if !reached {
                break;
            }
            steps += 1;
        }
        // One identity, state and defaults, the probe; two waves of calls and their descriptions.
        assert!(steps > 10, "{steps}");
        // The first wave is one change, whose requests come one after the other: it alone is met at
        // every line of its own. In what order those of the second come, no two runs agree.
        for event in ["", "intent", "done", "applied"] {
            assert!(last_events.contains(event), "{moment:?}: {event:?} is not among {last_events:?}");
        }
    }
}

#[test]
fn rollback_killed_at_every_request_goes_on_to_the_end() {
    for moment in [Moment::Before, Moment::After] {
        let mut steps = 0;
        loop {
            let fake = Fake::start(world(&odd())).unwrap();
            let before = options(&fake);
            let files = files();
            assert_eq!(files.plan(&fake, &[]).status, 0);
            assert_eq!(files.apply(&fake, &[]).status, 0);
            let journal = files.journal.to_str().unwrap().to_owned();
            let args = ["rollback", &journal, "--poll", "1ms", "--polls", "20"];
            let reached = killed_at(&fake, &args, steps, moment);
            let back = files.rollback(&fake, &[]);
            assert_eq!(back.status, 0, "{moment:?} {steps}: {back:?}");
            assert_eq!(options(&fake), before, "{moment:?} {steps}");
            for instance in fake.world().places.values().flat_map(|here| &here.instances) {
                let expected = if instance.id == "i-done" { 0 } else { 2 };
                assert_eq!(instance.changes, expected, "{moment:?} {steps}: {instance:?}");
                assert_eq!(instance.pending, 0, "{moment:?} {steps}: {instance:?}");
            }
            if !reached {
                break;
            }
            steps += 1;
        }
        assert!(steps > 5, "{steps}");
    }
}

/// Every kind of thing that a plan changes: instances, one of them off, account defaults with
/// enforcement, a template, a group that pins its default version, and a mixed one that pins
/// another.
fn everything() -> World {
    let mut world = world(&odd()[..2]);
    let here = world.at(ACCOUNT, REGION);
    here.defaults.options.http_put_response_hop_limit = Some(3);
    here.templates = vec![Template {
        id: "lt-0web".to_owned(),
        name: "web".to_owned(),
        versions: vec![(Options::default(), None), (Options::default(), Some("ami-2".to_owned()))],
        default: 2,
        ..Template::default()
    }];
    let of = |version: &str| ("lt-0web".to_owned(), version.to_owned());
    let pins = Group { name: "pins".to_owned(), template: Some(of("2")), ..Group::default() };
    let mixed = Mixed {
        template: of("1"),
        overrides: vec![("m7g.large".to_owned(), Some(of("2"))), ("m7i.large".to_owned(), None)],
        on_demand_percentage: Some("40".to_owned()),
    };
    here.groups = vec![pins, Group { name: "mixed".to_owned(), mixed: Some(mixed), ..Group::default() }];
    world
}

/// All of it, as text.
fn all(fake: &Fake) -> String {
    let defaults = fake.world().at(ACCOUNT, REGION).defaults.clone();
    let enforced = (defaults.enforced, defaults.enforced_set);
    format!("{:?}\n{:?} {enforced:?}\n{}", options(fake), defaults.options, launches(fake))
}

/// How often each thing was changed: instances, defaults, groups, and the versions that were made.
fn changes(fake: &Fake) -> (Vec<u32>, u32, Vec<u32>, usize) {
    let mut world = fake.world();
    let here = world.at(ACCOUNT, REGION);
    (
        here.instances.iter().map(|it| it.changes).collect(),
        here.defaults.changes,
        here.groups.iter().map(|it| it.changes).collect(),
        here.templates[0].versions.len() - 2,
    )
}

const EVERYTHING: [&str; 6] = [
    "--account-defaults",
    "--launch-templates",
    "--pinned-groups",
    "--http-tokens-enforced",
    "enabled",
    "--allow-irreversible",
];

/// The calls that change something, and the one between two waves: how many dry runs come first,
/// and how many calls there are then at least. Which comes when among others of its wave differs
/// from run to run, but each comes.
const CALLS: [(&str, u64, u64); 6] = [
    ("ModifyInstanceMetadataOptions", 1, 2),
    ("CreateLaunchTemplateVersion", 2, 2),
    ("ModifyLaunchTemplate", 1, 1),
    ("UpdateAutoScalingGroup", 0, 3),
    ("ModifyInstanceMetadataDefaults", 1, 1),
    ("GetMetricData", 0, 2),
];

#[test]
fn apply_of_everything_killed_at_every_call_changes_each_thing_once() {
    for moment in [Moment::Before, Moment::After] {
        for (call, dry, least) in CALLS {
            for time in dry..dry + least {
                let fake = Fake::start(everything()).unwrap();
                let before = all(&fake);
                let files = files();
                let planned = files.plan(&fake, &EVERYTHING);
                assert!(planned.stdout.starts_with("7 changes to "), "{planned:?}");
                let reached = killed_in(&fake, &files.apply_args(&[]), (Some(call), time), moment);
                let (instances, defaults, groups, versions) = changes(&fake);
                let at = format!("{call} {time} {moment:?}");
                assert!(reached && begun(&files), "{at}");
                assert!(instances.iter().all(|it| *it <= 1) && defaults <= 1 && versions <= 2, "{at}");
                assert!(groups[0] <= 1 && groups[1] <= 2, "{at}: {groups:?}");
                // Each point both ways: onward and then back, and straight back.
                if (time % 2 == 0) == (moment == Moment::Before) {
                    let resumed = files.apply(&fake, &[]);
                    assert_eq!(resumed.status, 0, "{at}: {resumed:?}");
                    assert!(resumed.stdout.ends_with("7 of 7 changes in force\n"), "{at}: {resumed:?}");
                    // The mixed group pins two versions: two changes, each made once.
                    assert_eq!(changes(&fake), (vec![1, 1], 1, vec![1, 2], 2), "{at}");
                    assert_eq!(options(&fake)["i-off"].http_endpoint.as_deref(), Some("disabled"), "{at}");
                }
                let back = files.rollback(&fake, &[]);
                assert_eq!(back.status, 0, "{at}: {back:?}");
                assert_eq!(all(&fake), before, "{at}");
            }
        }
    }
}

#[test]
fn rollback_of_everything_killed_at_every_call_goes_on_to_the_end() {
    // Two instances, a default version, two changes of one group and one of another, two versions,
    // the defaults.
    let calls = [
        ("ModifyInstanceMetadataOptions", 2),
        ("ModifyLaunchTemplate", 1),
        ("UpdateAutoScalingGroup", 3),
        ("DeleteLaunchTemplateVersions", 2),
        ("ModifyInstanceMetadataDefaults", 1),
    ];
    for moment in [Moment::Before, Moment::After] {
        for (call, times) in calls {
            for time in 0..times {
                let fake = Fake::start(everything()).unwrap();
                let before = all(&fake);
                let files = files();
                assert_eq!(files.plan(&fake, &EVERYTHING).status, 0);
                assert_eq!(files.apply(&fake, &[]).status, 0);
                let journal = files.journal.to_str().unwrap().to_owned();
                let args = ["rollback", &journal, "--poll", "1ms", "--polls", "20"];
                let reached = killed_in(&fake, &args, (Some(call), time), moment);
                let at = format!("{call} {time} {moment:?}");
                assert!(reached, "{at}");
                let back = files.rollback(&fake, &[]);
                assert_eq!(back.status, 0, "{at}: {back:?}");
                assert_eq!(all(&fake), before, "{at}");
                let (instances, defaults, groups, versions) = changes(&fake);
                assert_eq!((instances, defaults, groups, versions), (vec![2, 2], 2, vec![2, 4], 2), "{at}");
            }
        }
    }
}

/// The command, killed at a drawn moment of this time.
fn killed_within(fake: &Fake, args: &[&str], longest: Duration, kill: &mut Kill) {
    let mut child = fleet(fake, args).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    kill.strike(&mut child, longest);
    child.wait().unwrap();
    fake.settle().unwrap();
}

/// Not at a request but between any two instructions. `IMDS_KILLS` sets the number of kills, 6 by
/// default; the moments follow from the number of the kill, and `IMDS_KILL` runs that one alone.
#[test]
fn apply_and_rollback_killed_at_any_moment_lose_nothing_and_do_nothing_twice() {
    // How long an apply takes: what is killed later than that was not killed.
    let mut usual = None;
    for mut kill in Kill::all(6) {
        let number = kill.number;
        let fake = Fake::start(everything()).unwrap();
        let before = all(&fake);
        let files = files();
        assert_eq!(files.plan(&fake, &EVERYTHING).status, 0);
        let journal = files.journal.to_str().unwrap().to_owned();
        let back_args = ["rollback", &journal, "--poll", "1ms", "--polls", "20"];
        let apply_args = files.apply_args(&[]);
        let is_rollback = number % 2 == 1;
        let args = if is_rollback { &back_args[..] } else { &apply_args[..] };
        let took = *usual.get_or_insert_with(|| {
            // On a world and files of its own.
            let (fake, files) = (Fake::start(everything()).unwrap(), crate::change::files());
            assert_eq!(files.plan(&fake, &EVERYTHING).status, 0);
            #[allow(clippy::disallowed_methods, reason = "the moments are spread over a run")]
            let started = Instant::now();
            assert_eq!(files.apply(&fake, &[]).status, 0);
            started.elapsed()
        });
        if is_rollback {
            assert_eq!(files.apply(&fake, &[]).status, 0, "kill {number}");
        }
        for _ in 0..=kill.draw(2) {
            killed_within(&fake, args, took, &mut kill);
        }
        let (instances, defaults, groups, versions) = changes(&fake);
        let most = if is_rollback { 2 } else { 1 };
        assert!(instances.iter().all(|it| *it <= most) && defaults <= most, "kill {number}: {instances:?}");
        assert!(groups[0] <= most && groups[1] <= 2 * most && versions <= 2, "kill {number}: {groups:?}");
        // Onward and then back, or straight back.
        if !is_rollback && kill.draw(2) == 0 {
            let resumed = files.apply(&fake, &[]);
            assert_eq!(resumed.status, 0, "kill {number}: {resumed:?}");
            assert_eq!(changes(&fake), (vec![1, 1], 1, vec![1, 2], 2), "kill {number}");
        }
        if begun(&files) {
            let back = files.rollback(&fake, &[]);
            assert_eq!(back.status, 0, "kill {number}: {back:?}");
        }
        assert_eq!(all(&fake), before, "kill {number}");
    }
}
