//! `rollback`: done is what is in force, and it goes on where it was stopped.

use imds_fake_aws::{Fake, Fault};

use crate::change::{files, odd, options, world};

#[test]
fn waits_until_what_was_before_is_in_force() {
    let fake = Fake::start(world(&odd())).unwrap();
    let before = options(&fake);
    let files = files();
    assert_eq!(files.plan(&fake, &[]).status, 0);
    assert_eq!(files.apply(&fake, &[]).status, 0);
    // More descriptions than it takes looks: it gives up, and says for what it did.
    fake.world().pending_descriptions = 1000;
    let given_up = files.rollback(&fake, &["--polls", "2"]);
    assert_eq!(given_up.status, 3, "{given_up:?}");
    let lines: Vec<String> = ["i-0", "i-off", "i-tags"]
        .map(|id| format!("not restored: `{id}` in 111122223333/us-east-1: is still `pending`\n"))
        .into();
    for line in &lines {
        assert!(given_up.stdout.contains(line), "{line}: {given_up:?}");
    }
    assert!(given_up.stdout.ends_with("3 restored, 0 as before, 3 not restored\n"), "{given_up:?}");
    assert_eq!(options(&fake), before);
    let modified = fake.world().modified.len();
    for instance in &mut fake.world().places.values_mut().next().unwrap().instances {
        instance.pending = instance.pending.min(3);
    }
    // Run again it only waits: the calls are made.
    let waited = files.rollback(&fake, &[]);
    assert_eq!(
        (waited.status, waited.stdout.as_str()),
        (0, "0 restored, 3 as before, 0 not restored\n"),
        "{waited:?}"
    );
    assert_eq!(fake.world().modified.len(), modified);
    assert!(fake.world().places.values().flat_map(|here| &here.instances).all(|it| it.pending == 0));
    let calls = fake.world().requests;
    // Of what is seen to be in force nothing is asked any more.
    let again = files.rollback(&fake, &[]);
    assert_eq!(again.stdout, "0 restored, 3 as before, 0 not restored\n");
    assert_eq!(fake.world().requests, calls + 1, "nothing but who calls");
}

#[test]
fn what_is_denied_is_said_and_done_when_run_again() {
    let fake = Fake::start(world(&odd())).unwrap();
    let before = options(&fake);
    let files = files();
    assert_eq!(files.plan(&fake, &[]).status, 0);
    assert_eq!(files.apply(&fake, &[]).status, 0);
    let denied = Fault { skip: 1, ..Fault::always("ModifyInstanceMetadataOptions", Fault::denied()) };
    fake.world().faults.push(denied);
    let back = files.rollback(&fake, &[]);
    assert_eq!(back.status, 3, "{back:?}");
    let says = "`ModifyInstanceMetadataOptions` denied: UnauthorizedOperation: You are not authorized to perform \
                this operation.\n";
    assert_eq!(back.stdout.matches(says).count(), 2, "{back:?}");
    assert!(back.stdout.ends_with("1 restored, 0 as before, 2 not restored\n"), "{back:?}");
    fake.world().faults.clear();
    let onward = files.rollback(&fake, &[]);
    assert_eq!((onward.status, onward.stdout.as_str()), (0, "2 restored, 1 as before, 0 not restored\n"));
    assert_eq!(options(&fake), before);
}
