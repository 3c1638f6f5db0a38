//! Events as a real agent sees them: through the paths that it polls.

use std::time::Duration;

use imds_emulator::{Clock, Emulator, EventText, parse_scenario};

use crate::raw::{body, get, status};

const SPOT: &str = "/latest/meta-data/spot/instance-action";
const STATE: &str = "/latest/meta-data/autoscaling/target-lifecycle-state";

fn stepped() -> Clock {
    Clock::stepped("2027-03-01T12:00:00Z".parse().unwrap())
}

fn happens(emulator: &Emulator, json: &str) {
    let text: EventText = serde_json::from_str(json).unwrap();
    emulator.service().apply(text.event().unwrap());
}

fn read(emulator: &Emulator, path: &str) -> String {
    let answer = get(emulator, path, "");
    if status(&answer) == 200 { body(&answer).to_owned() } else { status(&answer).to_string() }
}

#[test]
fn a_scenario_from_recommendation_to_termination() {
    let scenario = "[[step]]\nafter = '30s'\nevent = 'rebalance'\n[[step]]\nafter = '60s'\nevent = 'interrupt'\n\
                    [[step]]\nafter = '3m'\nevent = 'terminate'\n[[step]]\nafter = '4m'\nevent = 'start'\n";
    let mut builder = Emulator::builder().clock(stepped());
    for (after, event) in parse_scenario(scenario).unwrap() {
        builder = builder.event(after, event);
    }
    let emulator = builder.start().unwrap();
    let rebalance = "/latest/meta-data/events/recommendations/rebalance";
    assert_eq!((read(&emulator, rebalance), read(&emulator, SPOT)), ("404".into(), "404".into()));
    assert!(emulator.service().step(Duration::from_secs(30)));
    assert_eq!(read(&emulator, rebalance), r#"{"noticeTime": "2027-03-01T12:00:30Z"}"#);
    assert_eq!(read(&emulator, SPOT), "404");
    assert!(emulator.service().step(Duration::from_secs(30)));
    assert_eq!(read(&emulator, SPOT), r#"{"action": "terminate", "time": "2027-03-01T12:03:00Z"}"#);
    assert_eq!(read(&emulator, "/latest/meta-data/spot/termination-time"), "2027-03-01T12:03:00Z");
    assert_eq!(read(&emulator, "/latest/meta-data/spot/"), "instance-action\ntermination-time");
    assert!(emulator.service().step(Duration::from_secs(120)));
    refused(&emulator);
    assert!(emulator.service().step(Duration::from_secs(60)));
    accepted(&emulator);
    assert_eq!(read(&emulator, SPOT), "404");
}

/// Waits, without sleeping, until connections are refused: the server's thread closes its socket a
/// moment after the event.
pub(crate) fn refused(emulator: &Emulator) {
    while std::net::TcpStream::connect(emulator.address()).is_ok() {
        std::thread::yield_now();
    }
    let error = std::net::TcpStream::connect(emulator.address()).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionRefused);
}

/// Waits, without sleeping, until connections are accepted again.
pub(crate) fn accepted(emulator: &Emulator) {
    while std::net::TcpStream::connect(emulator.address()).is_err() {
        std::thread::yield_now();
    }
}

#[test]
fn spot_actions() {
    let emulator = Emulator::builder().clock(stepped()).start().unwrap();
    happens(&emulator, r#"{"event":"interrupt","action":"stop"}"#);
    assert_eq!(read(&emulator, SPOT), r#"{"action": "stop", "time": "2027-03-01T12:02:00Z"}"#);
    assert_eq!(read(&emulator, "/latest/meta-data/spot/termination-time"), "404");
    happens(&emulator, r#"{"event":"interrupt","action":"hibernate"}"#);
    assert_eq!(read(&emulator, SPOT), r#"{"action": "hibernate", "time": "2027-03-01T12:00:00Z"}"#);
    happens(&emulator, r#"{"event":"clear-spot"}"#);
    assert_eq!(read(&emulator, SPOT), "404");
}

#[test]
fn every_target_lifecycle_state() {
    let emulator = Emulator::builder().clock(stepped()).start().unwrap();
    for state in [
        "Detached",
        "InService",
        "Standby",
        "Terminated",
        "Warmed:Hibernated",
        "Warmed:Running",
        "Warmed:Stopped",
        "Warmed:Terminated",
    ] {
        happens(&emulator, &format!(r#"{{"event":"target-lifecycle-state","state":"{state}"}}"#));
        assert_eq!(read(&emulator, STATE), state);
    }
    happens(&emulator, r#"{"event":"target-lifecycle-state","state":"none"}"#);
    assert_eq!(read(&emulator, STATE), "404");
}

#[test]
fn maintenance_goes_from_scheduled_to_history() {
    let emulator = Emulator::builder().clock(stepped()).start().unwrap();
    let (scheduled, history) =
        ("/latest/meta-data/events/maintenance/scheduled", "/latest/meta-data/events/maintenance/history");
    for (id, end, marker) in
        [("instance-event-1", "complete", "[Completed] "), ("instance-event-2", "cancel", "[Canceled] ")]
    {
        happens(
            &emulator,
            &format!(
                r#"{{"event":"schedule-maintenance","id":"{id}","code":"system-reboot","description":"reboot",
                   "not-before":"2027-04-01T02:00:00Z"}}"#
            ),
        );
        let events: serde_json::Value = serde_json::from_str(&read(&emulator, scheduled)).unwrap();
        assert_eq!(
            (&events[0]["State"], &events[0]["NotBefore"]),
            (&"active".into(), &"1 Apr 2027 02:00:00 GMT".into())
        );
        happens(&emulator, &format!(r#"{{"event":"{end}-maintenance","id":"{id}"}}"#));
        assert_eq!(read(&emulator, scheduled), "[]");
        let events: serde_json::Value = serde_json::from_str(&read(&emulator, history)).unwrap();
        let newest = events.as_array().unwrap().last().unwrap();
        assert_eq!(newest["Description"], format!("{marker}reboot"));
    }
}

#[test]
fn tags_and_user_data_change() {
    let emulator = Emulator::builder().clock(stepped()).start().unwrap();
    happens(&emulator, r#"{"event":"tag","key":"Stage","value":"blue"}"#);
    assert_eq!(read(&emulator, "/latest/meta-data/tags/instance/Stage"), "blue");
    happens(&emulator, r#"{"event":"untag","key":"Stage"}"#);
    assert_eq!(read(&emulator, "/latest/meta-data/tags/instance/Stage"), "404");
    happens(&emulator, r#"{"event":"user-data","value":"new"}"#);
    assert_eq!(read(&emulator, "/latest/user-data"), "new");
    happens(&emulator, r#"{"event":"user-data"}"#);
    assert_eq!(read(&emulator, "/latest/user-data"), "404");
    assert_eq!(read(&emulator, "/latest/"), "dynamic\nmeta-data");
}

#[test]
fn credentials_rotate_before_they_expire_and_differ_by_version() {
    let emulator = Emulator::builder().clock(stepped()).start().unwrap();
    let path = "/latest/meta-data/iam/security-credentials/my-role";
    let token = crate::raw::token(&emulator, 21_600);
    let v2 = |emulator: &Emulator| -> serde_json::Value {
        let answer = get(emulator, path, &format!("X-aws-ec2-metadata-token: {token}\r\n"));
        serde_json::from_str(body(&answer)).unwrap()
    };
    let first = v2(&emulator);
    assert_eq!(
        (&first["AccessKeyId"], &first["Expiration"]),
        (&"ASIAIOSFODNN7EXAMPLE".into(), &"2027-03-01T18:00:00Z".into())
    );
    let v1: serde_json::Value = serde_json::from_str(&read(&emulator, path)).unwrap();
    assert_ne!(v1["AccessKeyId"], first["AccessKeyId"]);
    // Five minutes and a second before the end they are the same, five minutes before it they are
    // new.
    assert!(emulator.service().step(Duration::from_secs(21_600 - 301)));
    assert_eq!(v2(&emulator), first);
    assert!(emulator.service().step(Duration::from_secs(1)));
    let second = v2(&emulator);
    assert_ne!(second["AccessKeyId"], first["AccessKeyId"]);
    happens(&emulator, r#"{"event":"rotate-credentials"}"#);
    assert_ne!(v2(&emulator)["AccessKeyId"], second["AccessKeyId"]);
}

#[test]
fn options_are_pending_then_applied() {
    let emulator = Emulator::builder().clock(stepped()).start().unwrap();
    happens(&emulator, r#"{"event":"options","tokens":"required","tags":"disabled","pending":"10s"}"#);
    let shown = |emulator: &Emulator| emulator.service().options().state.as_str();
    assert_eq!((shown(&emulator), read(&emulator, "/latest/meta-data/mac").len()), ("pending", 17));
    assert!(emulator.service().step(Duration::from_secs(10)));
    assert_eq!((shown(&emulator), read(&emulator, "/latest/meta-data/mac")), ("applied", "401".into()));
    happens(&emulator, r#"{"event":"options","endpoint":"disabled"}"#);
    assert_eq!(read(&emulator, "/"), "403");
    happens(&emulator, r#"{"event":"options","endpoint":"enabled","tokens":"optional"}"#);
    assert_eq!(read(&emulator, "/latest/meta-data/tags/"), "404");
}

#[test]
fn tokens_end() {
    let emulator = Emulator::builder().clock(stepped()).start().unwrap();
    let token = crate::raw::token(&emulator, 2);
    let with_token = |emulator: &Emulator| {
        get(emulator, "/latest/meta-data/mac", &format!("X-aws-ec2-metadata-token: {token}\r\n"))
    };
    let left =
        |answer: &str| crate::raw::header(answer, "X-Aws-Ec2-Metadata-Token-Ttl-Seconds").map(str::to_owned);
    assert_eq!(left(&with_token(&emulator)).as_deref(), Some("2"));
    assert!(emulator.service().step(Duration::from_secs(1)));
    assert_eq!(left(&with_token(&emulator)).as_deref(), Some("1"));
    assert!(emulator.service().step(Duration::from_secs(1)));
    assert_eq!(status(&with_token(&emulator)), 401);
}

#[test]
fn what_is_set_reaches_all_that_follows_from_it() {
    let set = |pairs: &[(&str, &str)]| {
        let builder = Emulator::builder().tokens(imds_emulator::HttpTokens::Optional);
        pairs.iter().fold(builder, |builder, (path, value)| builder.set(path, *value)).start().unwrap()
    };
    let document = |emulator: &Emulator| read(emulator, "/latest/dynamic/instance-identity/document");
    let region = set(&[("placement/region", "eu-west-1")]);
    assert_eq!(read(&region, "/latest/meta-data/placement/availability-zone"), "eu-west-1a");
    assert_eq!(read(&region, "/latest/meta-data/placement/availability-zone-id"), "euw1-az1");
    assert_eq!(read(&region, "/latest/meta-data/local-hostname"), "ip-10-0-0-157.eu-west-1.compute.internal");
    assert!(document(&region).contains("eu-west-1a"), "{}", document(&region));
    let zone = set(&[("placement/availability-zone", "cn-north-1b")]);
    assert_eq!(read(&zone, "/latest/meta-data/placement/region"), "cn-north-1");
    assert_eq!(read(&zone, "/latest/meta-data/services/partition"), "aws-cn");
    let kind = set(&[("instance-type", "c7g.large"), ("instance-id", "i-0abc")]);
    assert!(document(&kind).contains("arm64") && document(&kind).contains("i-0abc"), "{}", document(&kind));
    let address = set(&[("local-ipv4", "10.0.0.9")]);
    assert_eq!(read(&address, "/latest/meta-data/hostname"), "ip-10-0-0-9.ec2.internal");
    assert!(document(&address).contains("10.0.0.9"), "{}", document(&address));
}

#[test]
fn set_and_unset_stand_above_the_instance() {
    let emulator = Emulator::builder().set("placement/region", "eu-west-1").unset("iam").start().unwrap();
    assert_eq!(read(&emulator, "/latest/meta-data/placement/region"), "eu-west-1");
    assert_eq!(read(&emulator, "/latest/meta-data/iam/"), "404");
    assert_eq!(read(&emulator, "/2019-10-01/meta-data/placement/region"), "404");
    happens(&emulator, r#"{"event":"set","path":"elastic-inference/associations/eia-1","value":"{}"}"#);
    assert_eq!(read(&emulator, "/latest/meta-data/elastic-inference/"), "associations/");
    happens(&emulator, r#"{"event":"unset","path":"/latest/meta-data/elastic-inference"}"#);
    assert_eq!(read(&emulator, "/latest/meta-data/elastic-inference/"), "404");
}

/// The target state that the instance reads, if it runs, and the group's view.
fn seen(emulator: &Emulator, seconds: u64) -> (String, &'static str) {
    assert!(emulator.service().step(Duration::from_secs(seconds)));
    let state = emulator.service().lifecycle_state().unwrap();
    if state == "Warmed:Stopped" || state.ends_with("Terminated") {
        refused(emulator);
        return ("off".to_owned(), state);
    }
    accepted(emulator);
    (read(emulator, STATE), state)
}

#[test]
fn a_termination_is_announced_minutes_before_its_wait_begins() {
    let emulator = Emulator::builder().clock(stepped()).start().unwrap();
    happens(&emulator, r#"{"event":"auto-scaling","walk":"terminate"}"#);
    for (seconds, target, state) in [
        (0, "Terminated", "Terminating"),
        (299, "Terminated", "Terminating"),
        (1, "Terminated", "Terminating:Wait"),
        (3_599, "Terminated", "Terminating:Wait"),
        (1, "Terminated", "Terminating:Proceed"),
        (5, "off", "Terminated"),
    ] {
        assert_eq!(seen(&emulator, seconds), (target.to_owned(), state), "{seconds}");
    }
}

#[test]
fn a_warm_pool_launches_twice_with_a_boot_between() {
    let emulator = Emulator::builder().clock(stepped()).start().unwrap();
    happens(&emulator, r#"{"event":"interrupt"}"#);
    let walk = r#"{"event":"auto-scaling","walk":"warm-launch","pending":"10s","wait":"20s","proceed":"0s","pooled":"1h"}"#;
    happens(&emulator, walk);
    for (seconds, target, state) in [
        (0, "Warmed:Stopped", "Warmed:Pending"),
        (10, "Warmed:Stopped", "Warmed:Pending:Wait"),
        (20, "off", "Warmed:Stopped"),
        (3_599, "off", "Warmed:Stopped"),
        (1, "InService", "Pending"),
        (10, "InService", "Pending:Wait"),
        (20, "InService", "InService"),
    ] {
        assert_eq!(seen(&emulator, seconds), (target.to_owned(), state), "{seconds}");
    }
    assert_eq!(read(&emulator, SPOT), "404", "a new boot, with nothing announced");
    happens(&emulator, r#"{"event":"auto-scaling","walk":"warm-return","drain":"1s","wait":"1s"}"#);
    assert_eq!(seen(&emulator, 1), ("Warmed:Stopped".to_owned(), "Warmed:Pending:Wait"));
    assert_eq!(seen(&emulator, 9), ("off".to_owned(), "Warmed:Stopped"));
    happens(&emulator, r#"{"event":"auto-scaling","walk":"warm-terminate","wait":"3s"}"#);
    assert_eq!(seen(&emulator, 2), ("Warmed:Terminated".to_owned(), "Warmed:Terminating:Wait"));
    assert_eq!(seen(&emulator, 9), ("off".to_owned(), "Warmed:Terminated"));
}

#[test]
fn a_completed_action_ends_the_wait_and_no_other_state() {
    let emulator = Emulator::builder().clock(stepped()).start().unwrap();
    let complete = r#"{"event":"complete-lifecycle-action"}"#;
    happens(&emulator, complete);
    assert_eq!(emulator.service().lifecycle_state(), None);
    happens(&emulator, r#"{"event":"auto-scaling","walk":"terminate","drain":"60s"}"#);
    happens(&emulator, complete);
    assert_eq!(seen(&emulator, 59).1, "Terminating", "no action is open yet");
    assert_eq!(seen(&emulator, 1).1, "Terminating:Wait");
    happens(&emulator, complete);
    happens(&emulator, complete);
    assert_eq!(seen(&emulator, 0).1, "Terminating:Proceed");
    assert_eq!(seen(&emulator, 5).1, "Terminated");
}

#[test]
fn a_later_decision_ends_a_walk() {
    let emulator = Emulator::builder().clock(stepped()).start().unwrap();
    happens(&emulator, r#"{"event":"auto-scaling","walk":"launch"}"#);
    assert_eq!(seen(&emulator, 5), ("InService".to_owned(), "Pending:Wait"));
    happens(&emulator, r#"{"event":"auto-scaling","walk":"terminate"}"#);
    assert_eq!(seen(&emulator, 301), ("Terminated".to_owned(), "Terminating:Wait"));
    happens(&emulator, r#"{"event":"target-lifecycle-state","state":"InService"}"#);
    assert!(emulator.service().step(Duration::from_secs(7_200)));
    assert_eq!((read(&emulator, STATE).as_str(), emulator.service().lifecycle_state()), ("InService", None));
    assert_eq!(emulator.service().timeline(), []);
}

#[test]
fn a_snowball_names_the_token_ttl_where_told_to() {
    let put = "PUT /latest/api/token HTTP/1.1\r\nHost: x\r\nX-aws-ec2-metadata-token-ttl-seconds: 60\r\n\r\n";
    for sent in [false, true] {
        let builder = Emulator::builder().described(imds_emulator::Preset::Snowball);
        let emulator = builder.snowball_token_ttl(sent).start().unwrap();
        let answer = crate::raw::exchange(emulator.addresses()[0], put);
        let answer = String::from_utf8(answer).unwrap();
        let ttl = crate::raw::header(&answer, "X-Aws-Ec2-Metadata-Token-Ttl-Seconds");
        assert_eq!(ttl, sent.then_some("60"), "{answer}");
    }
}
