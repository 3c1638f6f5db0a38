//! `apply` and `rollback` killed with SIGKILL at every step: each instance is changed exactly once or not at all.

use std::io::Read;
use std::process::Stdio;
use std::sync::mpsc;

use imds_fake_aws::{Fake, Fault, Harm, Moment};

use crate::change::{Files, files, odd, options, world};
use crate::harness::fleet;

#[derive(Debug, PartialEq, Eq)]
enum Event {
    Held,
    Ended,
}

/// Runs the command until request number `step` is held, and kills it then. Says whether it came so far.
pub(crate) fn killed_at(fake: &Fake, args: &[&str], step: u64, moment: Moment) -> bool {
    let hold =
        Fault { action: None, account: None, region: None, skip: step, times: 1, harm: Harm::Hold(moment) };
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

#[test]
fn apply_killed_at_every_request_resumes_and_rolls_back() {
    let mut all_lines = std::collections::BTreeSet::new();
    for moment in [Moment::Before, Moment::After] {
        let mut steps = 0;
        let mut lines = std::collections::BTreeSet::new();
        loop {
            let fake = Fake::start(world(&odd())).unwrap();
            let before = options(&fake);
            let files = files();
            assert_eq!(files.plan(&fake, &[]).status, 0);
            let reached = killed_at(&fake, &files.apply_args(&[]), steps, moment);
            lines.insert(std::fs::read_to_string(&files.journal).unwrap_or_default().lines().count());
            for instance in fake.world().places.values().flat_map(|here| &here.instances) {
                assert!(instance.changes <= 1, "{moment:?} {steps}: {instance:?}");
            }
            // Straight back from where it was killed, or onward and then back: both must restore everything.
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
        // One identity, state and defaults, the probe; three waves of a call and its descriptions.
        assert!(steps > 10, "{steps}");
        // Killed before the journal's first line, near its end, and at several lines between; which ones, depends on
        // which request of a wave comes first.
        assert!(lines.len() > 4, "{lines:?}");
        assert!(lines.first() == Some(&0) && lines.last().is_some_and(|last| *last > 8), "{lines:?}");
        all_lines.extend(lines);
    }
    assert!(all_lines.len() > 7, "{all_lines:?}");
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
            let reached = killed_at(&fake, &["rollback", &journal], steps, moment);
            let back = files.rollback(&fake, &[]);
            assert_eq!(back.status, 0, "{moment:?} {steps}: {back:?}");
            assert_eq!(options(&fake), before, "{moment:?} {steps}");
            for instance in fake.world().places.values().flat_map(|here| &here.instances) {
                assert!(instance.changes <= 2, "{moment:?} {steps}: {instance:?}");
            }
            if !reached {
                break;
            }
            steps += 1;
        }
        assert!(steps > 5, "{steps}");
    }
}
