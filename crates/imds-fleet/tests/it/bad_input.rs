//! Wrong arguments and files: a clear error, status 2, and nothing asked of AWS.

use imds_fake_aws::{Fake, World};

use crate::harness::ran;

#[test]
fn wrong_arguments() {
    let fake = Fake::start(World::new("111122223333", &["us-east-1"])).unwrap();
    let directory = tempfile::tempdir().unwrap();
    let accounts = directory.path().join("accounts");
    std::fs::write(&accounts, "111122223333 main\n# a comment\n12345\n").unwrap();
    let cases: [(&[&str], &str); 5] = [
        (&["state", "--shard", "4/3"], "`4/3` is not a shard"),
        (&["state", "--filter", "team"], "`team` is not a filter"),
        (&["state", "--regions", "a", "--all-regions"], "cannot be used with"),
        (&["state", "--accounts", "/nonexistent/accounts"], "cannot use `/nonexistent/accounts`"),
        (&["state", "--accounts", accounts.to_str().unwrap()], "`12345` in `"),
    ];
    for (args, says) in cases {
        let ran = ran(&fake, args);
        assert!(ran.status == 2 || ran.stderr.contains("cannot use"), "{args:?}: {ran:?}");
        assert!(ran.stderr.contains(says), "{args:?}: {ran:?}");
        assert!(ran.stderr.starts_with("error: "), "{args:?}: {ran:?}");
    }
    assert_eq!(fake.world().requests, 0);
}

#[test]
fn without_a_role_other_accounts_are_not_scanned() {
    let mut world = World::new("111122223333", &["us-east-1"]);
    world.at("444455556666", "us-east-1");
    let fake = Fake::start(world).unwrap();
    let ran = ran(&fake, &["state", "--organization"]);
    assert_eq!(ran.status, 3, "{ran:?}");
    assert!(ran.stdout.contains("444455556666/us-east-1: AssumeRole denied (no role to assume"), "{ran:?}");
}
