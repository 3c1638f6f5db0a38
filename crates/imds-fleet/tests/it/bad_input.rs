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
        (
            &["state", "--accounts", "/nonexistent/accounts"],
            "cannot read `/nonexistent/accounts`: it does not exist",
        ),
        (&["state", "--accounts", accounts.to_str().unwrap()], "`12345` in `"),
    ];
    for (args, says) in cases {
        let ran = ran(&fake, args);
        assert_eq!(ran.status, 2, "{args:?}: {ran:?}");
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

/// Files that the command line names and that cannot be what is asked for: status 2, the name and
/// the cause, the file as it was, and nothing asked of AWS.
#[test]
fn files_that_cannot_be_used() {
    let fake = Fake::start(World::new("111122223333", &["us-east-1"])).unwrap();
    let directory = tempfile::tempdir().unwrap();
    let at = |name: &str| directory.path().join(name).display().to_string();
    let [folder, missing, notes, pipe] = ["folder", "missing", "notes", "pipe"].map(at);
    std::fs::create_dir(&folder).unwrap();
    std::fs::write(&notes, "precious").unwrap();
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let below = format!("{notes}/plan.json");
    let state = |option| ["state", option];
    let cases: Vec<(Vec<&str>, &str, &str)> = vec![
        (vec!["rollback", &folder], &folder, "it is a directory"),
        (vec!["rollback", &pipe], &pipe, "it is a pipe or a device"),
        (vec!["rollback", &missing], &missing, "it does not exist"),
        (vec!["rollback", "/dev/null"], "/dev/null", "it is a pipe or a device"),
        (vec!["rollback", &notes], &notes, "is not a journal"),
        (vec!["apply", &folder], &folder, "it is a directory"),
        (vec!["apply", &missing], &missing, "it does not exist"),
        (vec!["apply", &below], &below, "a part of the path is not a directory"),
        (vec!["apply", &notes], &notes, "expected value at line 1 column 1"),
        ([&state("--accounts")[..], &[&folder]].concat(), &folder, "it is a directory"),
        ([&state("--checkpoint")[..], &[&folder]].concat(), &folder, "it is a directory"),
        ([&state("--checkpoint")[..], &[&pipe]].concat(), &pipe, "it is a pipe or a device"),
        ([&state("--checkpoint")[..], &[&notes]].concat(), &notes, "is not a checkpoint"),
        (vec!["state", "--source", "file", "--file", &folder], &folder, "it is a directory"),
        (vec!["state", "--source", "file", "--file", &missing], &missing, "it does not exist"),
        (vec!["state", "--source", "file", "--file", &notes], &notes, "is not a state file"),
        (vec!["audit", "--policy", &folder], &folder, "it is a directory"),
        (vec!["report", "--out", &folder], &folder, "directory"),
        (vec!["report", "--out", &below], &below, "not a directory"),
        (vec!["plan", "--hop-limit", "2", "--out", &folder], &folder, "it exists already"),
        (vec!["plan", "--hop-limit", "2", "--out", &below], &below, "a part of the path is not a directory"),
        (
            vec!["plan", "--http-tokens", "required", "--usage-file", &folder, "--out", &missing],
            &folder,
            "it is a directory",
        ),
    ];
    for (args, path, says) in cases {
        let ran = ran(&fake, &args);
        assert_eq!((ran.status, ran.stdout.as_str()), (2, ""), "{args:?}: {ran:?}");
        assert!(ran.stderr.starts_with("error: "), "{args:?}: {ran:?}");
        assert!(ran.stderr.contains(&format!("`{path}`")) && ran.stderr.contains(says), "{args:?}: {ran:?}");
        assert_eq!(ran.stderr.lines().count(), 1, "{args:?}: {ran:?}");
        assert_eq!(std::fs::read_to_string(&notes).unwrap(), "precious", "{args:?}");
    }
    assert!(!std::path::Path::new(&missing).exists());
}
