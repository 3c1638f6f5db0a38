//! What large plans always meet: instances that are gone, changes of others, instances that do not
//! run, answers that lag behind, and an operator who presses Ctrl-C.

use std::process::Stdio;

use imds_fake_aws::world::Options;
use imds_fake_aws::{Fake, Fault, Harm, Instance, Moment, World};

use crate::change::{ACCOUNT, REGION, files, options, world};
use crate::harness::fleet;

pub(crate) fn many(count: usize) -> World {
    let v1 = Options::full("optional", 1, "enabled", "disabled", "disabled");
    let mut world = world(&[]);
    let here = world.at(ACCOUNT, REGION);
    here.instances = (0..count).map(|n| Instance::new(&format!("i-{n:03}"), v1.clone())).collect();
    world
}

#[test]
fn what_is_gone_or_changed_otherwise_or_stopped_holds_nothing_up() {
    let mut world = many(30);
    world.instance_mut("i-004").unwrap().run_state = "stopped".to_owned();
    let fake = Fake::start(world).unwrap();
    let before = options(&fake);
    let files = files();
    assert_eq!(files.plan(&fake, &[]).status, 0);
    {
        let mut world = fake.world();
        // Gone before it begins, gone under way, ending, already done by someone else, changed in
        // another option.
        world.at(ACCOUNT, REGION).instances.retain(|it| it.id != "i-000");
        world.vanishing.insert("i-020".to_owned());
        world.instance_mut("i-002").unwrap().run_state = "shutting-down".to_owned();
        world.instance_mut("i-003").unwrap().options.http_tokens = Some("required".to_owned());
        world.instance_mut("i-005").unwrap().options.http_put_response_hop_limit = Some(7);
    }
    let applied = files.apply(&fake, &[]);
    assert_eq!(applied.status, 0, "{applied:?}");
    assert!(
        applied.stdout.ends_with("26 of 30 changes in force, 3 gone, 1 made by someone else before\n"),
        "{applied:?}"
    );
    let journal = std::fs::read_to_string(&files.journal).unwrap();
    assert_eq!(journal.matches("\"event\":\"gone\"").count(), 3);
    assert_eq!(options(&fake)["i-005"].http_put_response_hop_limit, Some(7));
    // Again: nothing is asked of what is gone, nothing done twice.
    let changed = fake.world().modified.len();
    let again = files.apply(&fake, &[]);
    assert_eq!((again.status, fake.world().modified.len()), (0, changed), "{again:?}");
    fake.world().at(ACCOUNT, REGION).instances.retain(|it| it.id != "i-006");
    fake.world().vanishing.insert("i-007".to_owned());
    let back = files.rollback(&fake, &[]);
    assert_eq!(back.status, 0, "{back:?}");
    assert_eq!(back.stdout, "24 restored, 0 as before, 0 not restored, 2 gone\n");
    let after = options(&fake);
    assert_eq!(after["i-003"].http_tokens.as_deref(), Some("required"), "theirs, not ours to undo");
    assert_eq!(after["i-005"].http_put_response_hop_limit, Some(7));
    assert_eq!(after["i-004"], before["i-004"]);
}

#[test]
fn what_is_shown_late_is_neither_done_twice_nor_taken_for_undone() {
    let mut world = many(3);
    world.stale_descriptions = 3;
    let fake = Fake::start(world).unwrap();
    let before = options(&fake);
    let files = files();
    assert_eq!(files.plan(&fake, &[]).status, 0);
    let applied = files.apply(&fake, &[]);
    assert_eq!(applied.status, 0, "{applied:?}");
    assert_eq!(fake.world().modified.len(), 3);
    // Stopped right after a call was answered: the description still shows what was before.
    let late = crate::change::files();
    let fake = Fake::start(many(3)).unwrap();
    assert_eq!(late.plan(&fake, &[]).status, 0);
    fake.world().stale_descriptions = 2;
    let stopped = late.apply(&fake, &["--polls", "0"]);
    assert_eq!(stopped.status, 3, "{stopped:?}");
    let back = late.rollback(&fake, &[]);
    assert_eq!(back.status, 0, "{back:?}");
    assert_eq!(options(&fake), before, "set back though it seemed to be so already");
}

#[test]
fn every_account_and_region_that_refuses_is_named() {
    let mut world = World::new(ACCOUNT, &[REGION, "eu-west-1", "eu-west-2"]);
    for region in [REGION, "eu-west-1", "eu-west-2"] {
        let v1 = Options::full("optional", 1, "enabled", "disabled", "disabled");
        world.at(ACCOUNT, region).instances.push(Instance::new(&format!("i-{region}"), v1));
    }
    let fake = Fake::start(world).unwrap();
    let files = files();
    assert_eq!(files.plan(&fake, &["--all-regions"]).status, 0);
    for region in ["eu-west-1", "eu-west-2"] {
        let denied = Fault::always("ModifyInstanceMetadataOptions", Fault::denied()).at(ACCOUNT, region);
        fake.world().faults.push(denied);
    }
    let refused = files.apply(&fake, &[]);
    assert_eq!(refused.status, 3, "{refused:?}");
    assert!(refused.stderr.starts_with("error: 2 calls failed:\n"), "{refused:?}");
    for region in ["eu-west-1", "eu-west-2"] {
        assert!(
            refused
                .stderr
                .contains(&format!("\n  {ACCOUNT}/{region}: `ModifyInstanceMetadataOptions` denied"))
        );
    }
    assert!(fake.world().modified.is_empty());
}

#[test]
fn rollback_reads_in_batches_as_apply_does() {
    // More would wait for the limits that are kept here.
    let fake = Fake::start(many(45)).unwrap();
    let files = files();
    assert_eq!(files.plan(&fake, &[]).status, 0);
    fake.world().calls.clear();
    assert_eq!(files.apply(&fake, &[]).status, 0);
    let apply = fake.world().called("DescribeInstances");
    fake.world().calls.clear();
    let back = files.rollback(&fake, &[]);
    assert_eq!(back.status, 0, "{back:?}");
    let rollback = fake.world().called("DescribeInstances");
    assert!(rollback <= apply, "{rollback} of {apply}");
    assert_eq!(fake.world().called("ModifyInstanceMetadataOptions"), 45);
}

#[test]
fn interrupted_it_says_what_is_done_and_how_to_go_on_and_back() {
    let fake = Fake::start(many(5)).unwrap();
    let before = options(&fake);
    let files = files();
    assert_eq!(files.plan(&fake, &[]).status, 0);
    // The dry run and the first wave go through; a call of the second is never answered.
    let hold = Fault {
        action: Some("ModifyInstanceMetadataOptions".to_owned()),
        account: None,
        region: None,
        skip: 2,
        times: 4,
        harm: Harm::Hold(Moment::After),
    };
    fake.world().faults.push(hold);
    let (tell, held) = std::sync::mpsc::channel();
    fake.on_held(move || tell.send(()).unwrap_or_default());
    let mut command = fleet(&fake, &files.apply_args(&[]));
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    held.recv().unwrap();
    let pid = child.id().to_string();
    assert!(std::process::Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
    let ended = child.wait_with_output().unwrap();
    let stdout = String::from_utf8(ended.stdout).unwrap();
    assert_eq!(ended.status.code(), Some(3), "{stdout}");
    assert!(stdout.starts_with("wave 1 of 2: 1 changes; 1 of 5 changes in force\n"), "as it goes: {stdout}");
    assert!(stdout.contains("\ninterrupted: of 5 changes 1 in force, "), "{stdout}");
    assert!(stdout.contains("announced, which may have been made or not\n"), "{stdout}");
    let next = format!(
        "to go on: imds-fleet apply {} --pause 0 --poll 1ms --polls 20 --backoff 1ms\nto go back: imds-fleet rollback {}\n",
        files.plan.display(),
        files.journal.display()
    );
    assert!(stdout.ends_with(&next), "{stdout}");
    fake.world().faults.clear();
    let back = files.rollback(&fake, &[]);
    assert_eq!(back.status, 0, "{back:?}");
    assert_eq!(options(&fake), before);
}
