//! What many changes meet: calls at the same time, as many as were asked for; instances that
//! do not run, and instances that go away under way.

use imds_fake_aws::{Fake, Instance, Shape, World};

use crate::change::{Files, files};

const ROLE: [&str; 2] = ["--role-name", "audit"];

/// Every third instance is one to change.
fn world(shape: Shape) -> World {
    let mut world = World::generate(shape);
    world.pending_descriptions = 2;
    world
}

fn planned(fake: &Fake) -> Files {
    let files = files();
    let scope = ["--organization", "--all-regions", "--instances-only", "--allow-irreversible"];
    let planned = files.plan(fake, &[&scope[..], &ROLE].concat());
    assert_eq!(planned.status, 0, "{planned:?}");
    files
}

fn each(fake: &Fake, see: impl Fn(&Instance)) {
    fake.world().places.values().flat_map(|here| &here.instances).for_each(see);
}

#[test]
fn stopped_instances_and_those_that_stop_or_go_under_way_hold_no_wave() {
    // 400 changes, ten in each account and Region.
    let shape = Shape { accounts: 10, regions: 4, instances: 1200 };
    let fake = Fake::start(world(shape)).unwrap();
    // Every nineteenth is stopped, and shows `pending` from its change until it starts.
    let stopped = fake
        .world()
        .places
        .values()
        .flat_map(|here| &here.instances)
        .filter(|it| it.run_state == "stopped")
        .count();
    assert!(stopped > 50, "{stopped}");
    let files = planned(&fake);
    {
        let mut world = fake.world();
        for n in (0..1200).step_by(3) {
            let id = format!("i-{n:017x}");
            match n % 60 {
                // Stopped since the plan was made, stopping, and gone when it is changed.
                3 => world.instance_mut(&id).unwrap().run_state = "stopped".to_owned(),
                6 => {
                    world.vanishing.insert(id);
                }
                _ => {}
            }
        }
        world.calls.clear();
    }
    let applied = files.apply(&fake, &ROLE);
    assert_eq!(applied.status, 0, "{applied:?}");
    assert!(applied.stdout.ends_with("380 of 400 changes in force, 20 gone\n"), "{applied:?}");
    // Each of 40 account/Regions is read for the check, and in a wave until its running instances
    // are in force: three times. Waiting for those that do not run would be twenty times.
    let read = fake.world().called("DescribeInstances");
    assert!(read < 40 + 4 * 40 * 4, "{read}");
    let back = files.rollback(&fake, &ROLE);
    assert_eq!(back.status, 0, "{back:?}");
    assert_eq!(back.stdout, "380 restored, 0 as before, 0 not restored\n");
    each(&fake, |it| assert!(it.changes == 0 || it.changes == 2, "{it:?}"));
}

#[test]
fn apply_and_rollback_have_as_many_calls_under_way_as_asked_for_and_no_more() {
    for concurrency in [1, 4] {
        let shape = Shape { accounts: 8, regions: 2, instances: 288 };
        let fake = Fake::start(world(shape)).unwrap();
        let files = planned(&fake);
        // Long enough for the others to arrive.
        fake.world().delay = std::time::Duration::from_millis(if concurrency == 1 { 0 } else { 50 });
        let text = concurrency.to_string();
        let args = [&ROLE[..], &["--concurrency", &text]].concat();
        let mut calls = Vec::new();
        for verb in ["apply", "rollback"] {
            fake.world().most_at_once = 0;
            fake.world().calls.clear();
            let done = if verb == "apply" { files.apply(&fake, &args) } else { files.rollback(&fake, &args) };
            assert_eq!(done.status, 0, "{verb} {concurrency}: {done:?}");
            let most = fake.world().most_at_once;
            assert!(most <= concurrency && most > concurrency / 2, "{verb}: {most} of {concurrency}");
            assert_eq!(
                fake.world().called("GetInstanceMetadataDefaults"),
                if verb == "apply" { 0 } else { 16 }
            );
            calls.push(fake.world().calls.values().sum::<u64>());
        }
        assert!(calls[1] <= calls[0], "rollback makes no more calls than apply: {calls:?}");
    }
}
