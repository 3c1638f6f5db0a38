//! The timeline as agents see it: what each event changes among all the paths that they poll, and
//! that it changes nothing else there.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use imds_emulator::{Clock, Emulator, EventText};

use crate::raw::{body, get, status, token};
use crate::timeline::{accepted, refused};

// aws/aws-node-termination-handler, pkg/ec2metadata/ec2metadata.go.
const ACTION: &str = "/latest/meta-data/spot/instance-action";
const REBALANCE: &str = "/latest/meta-data/events/recommendations/rebalance";
const SCHEDULED: &str = "/latest/meta-data/events/maintenance/scheduled";
// Amazon EC2 Auto Scaling User Guide, "Retrieve the target lifecycle state through instance
// metadata".
const STATE: &str = "/latest/meta-data/autoscaling/target-lifecycle-state";
// The elder of the first: EC2 User Guide, "Spot Instance interruption notices".
const TERMINATION: &str = "/latest/meta-data/spot/termination-time";
// EC2 User Guide, "View scheduled events for your instances".
const HISTORY: &str = "/latest/meta-data/events/maintenance/history";
// Every AWS SDK; the second is what tells of a role at all (EC2 User Guide, "Instance metadata
// categories").
const ROLE: &str = "/latest/meta-data/iam/security-credentials/my-role";
const INFO: &str = "/latest/meta-data/iam/info";
// EC2 User Guide, "View tags for your EC2 instances using instance metadata".
const TAGS: &str = "/latest/meta-data/tags/instance";
const TAG: &str = "/latest/meta-data/tags/instance/Stage";
// canonical/cloud-init, DataSourceEc2.py.
const PINNED_DATA: &str = "/2021-03-23/user-data";
const DATA: &str = "/latest/user-data";
// aws/aws-ec2-instance-connect-config, eic_curl_authorized_keys.
const KEYS: &str = "/latest/meta-data/managed-ssh-keys/active-keys/ec2-user/";

const POLLED: [&str; 13] = [
    ACTION,
    REBALANCE,
    SCHEDULED,
    STATE,
    TERMINATION,
    HISTORY,
    ROLE,
    INFO,
    TAGS,
    TAG,
    PINNED_DATA,
    DATA,
    KEYS,
];

/// An event, and what every path that it changes answers from then on: the status, and a part of
/// the body.
type Row = (&'static str, Vec<(&'static str, &'static str)>);

fn timeline() -> Vec<Row> {
    let every = |status| POLLED.iter().map(|path| (*path, status)).collect::<Vec<_>>();
    let mut rows = vec![
        (r#"{"event":"rebalance"}"#, vec![(REBALANCE, r#"200 {"noticeTime": "2027-03-01T12:00:"#)]),
        (
            r#"{"event":"interrupt"}"#,
            vec![
                (ACTION, r#"200 {"action": "terminate", "time": "2027-03-01T12:02:"#),
                (TERMINATION, "200 2027-03-01T12:02:"),
            ],
        ),
        (
            r#"{"event":"interrupt","action":"stop"}"#,
            vec![(ACTION, r#"200 {"action": "stop", "time": "2027-03-01T12:02:"#), (TERMINATION, "404")],
        ),
        (
            r#"{"event":"interrupt","action":"hibernate"}"#,
            vec![(ACTION, r#"200 {"action": "hibernate", "time": "2027-03-01T12:00:"#)],
        ),
        (r#"{"event":"clear-spot"}"#, vec![(ACTION, "404"), (REBALANCE, "404")]),
    ];
    for (event, state) in [
        (r#"{"event":"target-lifecycle-state","state":"none"}"#, "404"),
        (r#"{"event":"target-lifecycle-state","state":"Detached"}"#, "200 Detached"),
        (r#"{"event":"target-lifecycle-state","state":"InService"}"#, "200 InService"),
        (r#"{"event":"target-lifecycle-state","state":"Standby"}"#, "200 Standby"),
        (r#"{"event":"target-lifecycle-state","state":"Warmed:Hibernated"}"#, "200 Warmed:Hibernated"),
        (r#"{"event":"target-lifecycle-state","state":"Warmed:Running"}"#, "200 Warmed:Running"),
        (r#"{"event":"target-lifecycle-state","state":"Warmed:Stopped"}"#, "200 Warmed:Stopped"),
        (r#"{"event":"target-lifecycle-state","state":"Warmed:Terminated"}"#, "200 Warmed:Terminated"),
        (r#"{"event":"target-lifecycle-state","state":"Terminated"}"#, "200 Terminated"),
    ] {
        rows.push((event, vec![(STATE, state)]));
    }
    rows.extend([
        (
            r#"{"event":"schedule-maintenance","id":"instance-event-1","not-before":"2027-04-01T02:00:00Z"}"#,
            vec![(SCHEDULED, r#""NotBefore" : "1 Apr 2027 02:00:00 GMT""#)],
        ),
        (
            r#"{"event":"complete-maintenance","id":"instance-event-1"}"#,
            vec![(SCHEDULED, "200 []"), (HISTORY, r#""Description" : "[Completed] scheduled reboot""#)],
        ),
        (
            r#"{"event":"schedule-maintenance","id":"instance-event-2","not-before":"2027-04-01T02:00:00Z"}"#,
            vec![(SCHEDULED, r#""EventId" : "instance-event-2""#)],
        ),
        (
            r#"{"event":"cancel-maintenance","id":"instance-event-2"}"#,
            vec![(SCHEDULED, "200 []"), (HISTORY, r#""Description" : "[Canceled] scheduled reboot""#)],
        ),
        (r#"{"event":"tag","key":"Stage","value":"blue"}"#, vec![(TAGS, "Stage"), (TAG, "200 blue")]),
        (r#"{"event":"tag","key":"Stage","value":"green"}"#, vec![(TAG, "200 green")]),
        (r#"{"event":"untag","key":"Stage"}"#, vec![(TAGS, "200 "), (TAG, "404")]),
        (r#"{"event":"user-data","value":"new"}"#, vec![(PINNED_DATA, "200 new"), (DATA, "200 new")]),
        (r#"{"event":"user-data"}"#, vec![(PINNED_DATA, "404"), (DATA, "404")]),
        (r#"{"event":"rotate-credentials"}"#, vec![(ROLE, "AccessKeyId"), (INFO, "LastUpdated")]),
        (
            r#"{"event":"set","path":"managed-ssh-keys/active-keys/ec2-user","value":"ssh-ed25519 AAAA"}"#,
            vec![(KEYS, "200 ssh-ed25519 AAAA")],
        ),
        (r#"{"event":"unset","path":"managed-ssh-keys/active-keys/ec2-user"}"#, vec![(KEYS, "404")]),
        (r#"{"event":"options","tags":"disabled"}"#, vec![(TAGS, "200 ")]),
        (r#"{"event":"options","tags":"enabled"}"#, vec![(TAGS, "200 ")]),
        (r#"{"event":"fault","fault":"503"}"#, every("503")),
    ]);
    rows
}

/// What a poller with a session token gets from each path.
fn poll(emulator: &Emulator, token: &str) -> BTreeMap<&'static str, String> {
    let header = format!("X-aws-ec2-metadata-token: {token}\r\n");
    POLLED
        .iter()
        .map(|path| {
            let answer = get(emulator, path, &header);
            let code = status(&answer);
            (*path, if code == 200 { format!("200 {}", body(&answer)) } else { code.to_string() })
        })
        .collect()
}

fn happen(emulator: &Emulator, json: &str) -> String {
    // Each event has its own second, so that times in values differ.
    assert!(emulator.service().step(Duration::from_secs(1)));
    let text: EventText = serde_json::from_str(json).unwrap();
    emulator.service().apply(text.event().unwrap());
    text.event
}

#[test]
fn each_event_changes_what_agents_poll_and_nothing_else() {
    let clock = Clock::stepped("2027-03-01T12:00:00Z".parse().unwrap());
    let emulator = Emulator::builder().clock(clock).start().unwrap();
    let token = token(&emulator, 21_600);
    let mut before = poll(&emulator, &token);
    let mut seen = BTreeSet::new();
    for (event, changes) in timeline() {
        seen.insert(happen(&emulator, event));
        let after = poll(&emulator, &token);
        let changed: BTreeSet<_> = POLLED.into_iter().filter(|path| before[path] != after[path]).collect();
        let expected: BTreeSet<_> = changes.iter().map(|(path, _)| *path).collect();
        assert_eq!(changed, expected, "{event}: {after:?}");
        for (path, part) in changes {
            assert!(after[path].contains(part), "{event}: {path}: {}", after[path]);
        }
        before = after;
    }
    seen.insert(happen(&emulator, r#"{"event":"clear-faults"}"#));
    seen.insert(happen(&emulator, r#"{"event":"terminate"}"#));
    refused(&emulator);
    seen.insert(happen(&emulator, r#"{"event":"start"}"#));
    accepted(&emulator);
    let last = poll(&emulator, &token);
    for path in [ACTION, REBALANCE, STATE] {
        assert_eq!(last[path], "404", "nothing is announced at {path}");
    }
    seen.insert(happen(&emulator, r#"{"event":"auto-scaling","walk":"launch","pending":"0s","wait":"1h"}"#));
    assert_eq!(poll(&emulator, &token)[STATE], "200 InService");
    assert_eq!(emulator.service().lifecycle_state(), Some("Pending:Wait"));
    seen.insert(happen(&emulator, r#"{"event":"complete-lifecycle-action"}"#));
    assert_ne!(emulator.service().lifecycle_state(), Some("Pending:Wait"));
    assert_eq!(seen, names(), "an event that is not here");
}

/// Every event's name, as the error names them.
fn names() -> BTreeSet<String> {
    let error = EventText::named("?").event().unwrap_err();
    let list = error.split_once("one of ").unwrap().1;
    list.split(", ").map(|name| name.trim_matches('`').to_owned()).collect()
}
