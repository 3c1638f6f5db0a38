//! A scan that is killed with SIGKILL and run again with its checkpoint.

use std::collections::BTreeSet;

use imds_fake_aws::{Fake, Moment, Shape, World};

use crate::harness::ran;
use crate::killed::killed_at;

#[test]
fn a_scan_killed_at_any_request_goes_on_from_its_checkpoint_and_is_complete() {
    let mut killed = 0;
    let mut kept = BTreeSet::new();
    loop {
        let fake = Fake::start(World::generate(Shape { accounts: 3, regions: 2, instances: 60 })).unwrap();
        let directory = tempfile::tempdir().unwrap();
        let checkpoint = directory.path().join("scan.jsonl");
        let args = [
            &["state", "--instances-only", "--organization", "--role-name", "audit", "--all-regions"][..],
            &["--concurrency", "1", "--output", "json", "--checkpoint", checkpoint.to_str().unwrap()],
        ]
        .concat();
        let reached = killed_at(&fake, &args, killed, Moment::Before);
        let text = std::fs::read_to_string(&checkpoint).unwrap_or_default();
        let done = text.lines().filter(|line| line.contains("\"kind\":\"scan\"")).count() as u64;
        kept.insert(done);

        fake.world().calls.clear();
        let again = ran(&fake, &args);
        assert_eq!((again.status, again.stderr.as_str()), (0, ""), "killed at {killed}: {again:?}");
        assert_eq!(fake.world().called("DescribeInstances"), 6 - done, "killed at {killed}");
        let document = again.json();
        let found = document["resources"].as_array().unwrap();
        let ids: BTreeSet<&str> = found.iter().filter_map(|it| it["id"].as_str()).collect();
        assert_eq!((found.len(), ids.len()), (60, 60), "killed at {killed}");
        assert_eq!(document["summary"]["complete"], 6, "killed at {killed}");
        if !reached {
            break;
        }
        killed += 1;
    }
    assert!(killed >= 13, "requests: {killed}");
    assert!(kept.len() >= 6, "places done when killed: {kept:?}");
}
