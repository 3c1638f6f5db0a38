//! Inputs that were meant to exhaust or to break the emulator: each is a clear error, and the
//! emulator goes on.

use std::time::Duration;

use imds_emulator::{
    Clock, Emulator, Event, EventText, Fault, FaultKind, HttpTokens, Service, read_instance,
};

use crate::raw::{body, exchange, get, status};

fn emulator() -> Emulator {
    Emulator::builder().control("127.0.0.1:0".parse().unwrap()).start().unwrap()
}

/// The status of an event that is sent to the control API, and what it says.
fn send(emulator: &Emulator, json: &str) -> (u16, String) {
    let address = emulator.control_address().unwrap();
    let length = json.len();
    let answer = exchange(
        address,
        &format!(
            "POST /v1/events HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\n\
             Content-Length: {length}\r\n\r\n{json}"
        ),
    );
    let answer = String::from_utf8(answer).unwrap();
    (status(&answer), body(&answer).to_owned())
}

#[test]
fn paths_that_cannot_be_are_refused_by_the_control_api() {
    let emulator = emulator();
    let before = emulator.service().leaves();
    let deep = "a/".repeat(100_000);
    for (path, why) in [
        (deep.as_str(), "it is longer than 1024 bytes"),
        ("", "it is empty"),
        ("/", "it is empty"),
        ("meta-data", "it is a whole tree"),
        ("/latest/meta-data/", "it is a whole tree"),
        ("..", "`.` and `..` are not names"),
        ("tags/../../x", "`.` and `..` are not names"),
        ("a\\u0000b", "it has a control character"),
        ("user-data/x", "user data has nothing below it"),
    ] {
        for event in ["set", "unset"] {
            let value = if event == "set" { r#","value":"x""# } else { "" };
            let (code, message) =
                send(&emulator, &format!(r#"{{"event":"{event}","path":"{path}"{value}}}"#));
            assert_eq!(code, 400, "{event} {message}");
            assert!(message.contains(why), "{event}: {message}");
        }
    }
    assert_eq!(emulator.service().leaves(), before, "nothing was changed");
    assert_eq!(status(&get(&emulator, "/latest/meta-data/mac", "")), 200);
}

#[test]
fn paths_that_cannot_be_are_refused_in_files() {
    let folder = std::env::temp_dir().join(format!("imds-hostile-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let deep = "a/".repeat(100_000);
    for (name, text, why) in [
        ("i.json", format!(r#"{{"set":{{"{deep}":"x"}}}}"#), "line 1: `a/a/"),
        ("i.toml", "[set]\n\n'meta-data' = 'x'".to_owned(), "line 3: `meta-data` is not the path of a value"),
        (
            "s.json",
            format!(r#"{{"format":"imds-snapshot/1","leaves":{{"/latest/{deep}":"x"}}}}"#),
            "is not the path of a value: it is longer than 1024 bytes",
        ),
        (
            "t.json",
            r#"{"format":"imds-snapshot/1","leaves":{"/latest/meta-data":"x"}}"#.to_owned(),
            "is not the path of a value: it is a whole tree",
        ),
    ] {
        let file = folder.join(name);
        std::fs::write(&file, text).unwrap();
        let error = read_instance(&file).unwrap_err().to_string();
        assert!(error.contains(why), "{error}");
    }
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn a_device_without_an_end_is_refused_as_a_file() {
    let error = read_instance("/dev/zero".as_ref()).unwrap_err().to_string();
    assert_eq!(error, "`/dev/zero`: it is longer than 64 MiB");
}

#[test]
fn what_the_control_api_adds_is_bounded() {
    let emulator = Emulator::builder()
        .control("127.0.0.1:0".parse().unwrap())
        .clock(Clock::stepped("2027-03-01T12:00:00Z".parse().unwrap()))
        .start()
        .unwrap();
    let service = emulator.service();
    for _ in 0..10_000 {
        service.apply_after(Duration::from_secs(3600), Event::Rebalance);
    }
    let (code, message) = send(&emulator, r#"{"event":"rebalance","after":"1h"}"#);
    assert_eq!(code, 507);
    assert!(message.contains("the emulator holds 10000 events to come already"), "{message}");
    assert_eq!(send(&emulator, r#"{"event":"rebalance"}"#).0, 200, "what happens at once needs no room");
    for number in 0..10_000 {
        service.set(&format!("x/{number}"), "x").unwrap();
    }
    let (code, message) = send(&emulator, r#"{"event":"set","path":"x/new","value":"x"}"#);
    assert_eq!((code, message.contains("10000 set values already")), (507, true), "{message}");
    assert_eq!(send(&emulator, r#"{"event":"set","path":"x/1","value":"y"}"#).0, 200, "one that is there");
    for _ in 0..1_000 {
        service.apply(Event::Fault(Fault::new(FaultKind::Reset).path("/nowhere")));
    }
    let (code, message) = send(&emulator, r#"{"event":"fault","fault":"503"}"#);
    assert_eq!((code, message.contains("`clear-faults` ends them")), (507, true), "{message}");
    assert_eq!(send(&emulator, r#"{"event":"clear-faults"}"#).0, 200);
    assert_eq!(status(&get(&emulator, "/latest/meta-data/x/9999", "")), 200);
}

#[test]
fn a_control_token_is_needed_where_there_is_one() {
    let token = imds_emulator::ControlToken::new("correct-horse-battery").unwrap();
    let emulator =
        Emulator::builder().control("127.0.0.1:0".parse().unwrap()).control_token(token).start().unwrap();
    let address = emulator.control_address().unwrap();
    let call = |path: &str, header: &str| {
        let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\n{header}\r\n");
        status(&String::from_utf8(exchange(address, &request)).unwrap())
    };
    assert_eq!(call("/v1/state", ""), 401);
    assert_eq!(call("/v1/state", "Authorization: Bearer wrong-horse-battery!\r\n"), 401);
    assert_eq!(call("/v1/state", "Authorization: Bearer correct-horse-battery\r\n"), 200);
    assert_eq!(call("/", ""), 200, "the page has no data of its own");
}

#[test]
fn without_a_control_token_the_control_api_is_for_this_machine() {
    let error = Emulator::builder().control("0.0.0.0:0".parse().unwrap()).start().unwrap_err();
    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert_eq!(cause, "the control API listens on loopback addresses only, unless it has a control token");
}

/// One exchange without a socket: the status.
fn ask(service: &Service, request: &str) -> u16 {
    let answer = service.answer_bytes(request.as_bytes());
    status(&String::from_utf8_lossy(&answer))
}

#[test]
fn a_day_by_stepped_clock_leaves_nothing_behind() {
    let clock = Clock::stepped("2027-03-01T00:00:00Z".parse().unwrap());
    let service = Emulator::builder().clock(clock).tokens(HttpTokens::Optional).seed(1).build().unwrap();
    let events = [
        r#"{"event":"rebalance"}"#,
        r#"{"event":"interrupt","action":"stop"}"#,
        r#"{"event":"clear-spot"}"#,
        r#"{"event":"target-lifecycle-state","state":"Terminated","after":"30s"}"#,
        r#"{"event":"schedule-maintenance","id":"instance-event-1","not-before":"2027-04-01T02:00:00Z"}"#,
        r#"{"event":"complete-maintenance","id":"instance-event-1"}"#,
        r#"{"event":"tag","key":"Stage","value":"blue"}"#,
        r#"{"event":"untag","key":"Stage"}"#,
        r#"{"event":"set","path":"x/y","value":"z"}"#,
        r#"{"event":"unset","path":"x"}"#,
        r#"{"event":"fault","fault":"503","rate":0.1,"for":"10s"}"#,
        r#"{"event":"fault","fault":"401","path":"/latest/user-data","count":1,"for":"1h"}"#,
        r#"{"event":"rotate-credentials"}"#,
        r#"{"event":"options","tags":"disabled","pending":"5s"}"#,
        r#"{"event":"options","tags":"enabled"}"#,
    ]
    .map(|json| {
        let text = EventText::from_json(json).unwrap();
        (text.after().unwrap(), text.event().unwrap())
    });
    let put = "PUT /latest/api/token HTTP/1.1\r\nX-aws-ec2-metadata-token-ttl-seconds: 60\r\n\r\n";
    let mut held = Vec::new();
    for hour in 0..24 {
        for round in 0..60 {
            let (after, event) = &events[(hour + round) % events.len()];
            service.apply_after(*after, event.clone());
            assert!(service.step(Duration::from_secs(60)));
            ask(&service, put);
            ask(&service, "GET /latest/meta-data/iam/security-credentials/my-role HTTP/1.1\r\n\r\n");
            ask(&service, "GET /latest/user-data HTTP/1.1\r\n\r\n");
        }
        service.apply(Event::ClearFaults);
        let history = service.instance().maintenance.history.len();
        held.push((service.timeline().len(), service.faults().len(), service.leaves().len(), history));
    }
    assert_eq!(service.counters().requests, 24 * 60 * 3);
    assert_eq!(service.requests(0).len(), 4096, "the newest requests are kept");
    assert!(
        held.iter().all(|(timeline, faults, leaves, history)| {
            *timeline <= 4 && *faults == 0 && *leaves < 100 && *history <= 100
        }),
        "{held:?}"
    );
    assert_eq!(ask(&service, "GET /latest/meta-data/mac HTTP/1.1\r\n\r\n"), 200);
}

#[test]
fn a_value_that_is_set_reaches_the_identity_document() {
    let service = Emulator::builder().set("instance-id", "i-0aaaaaaaaaaaaaaaa").build().unwrap();
    service.set("placement/region", "eu-west-1").unwrap();
    let leaves: std::collections::BTreeMap<_, _> = service.leaves().into_iter().collect();
    let document = &leaves["/latest/dynamic/instance-identity/document"];
    let document = String::from_utf8_lossy(document);
    assert!(document.contains(r#""instanceId" : "i-0aaaaaaaaaaaaaaaa""#), "{document}");
    assert!(document.contains(r#""region" : "eu-west-1""#), "{document}");
}

#[test]
fn many_values_cost_no_more_than_their_number() {
    // A snapshot of 200,000 leaves, and 10,000 values set above them: each is looked up, not
    // searched for.
    let leaf = |number: u32| (format!("/latest/meta-data/x/{}/{number}", number % 7), b"x".to_vec());
    let snapshot = imds_emulator::Snapshot::new((0..200_000).map(leaf)).unwrap();
    let service = Emulator::builder().snapshot(snapshot).build().unwrap();
    for number in 0..10_000 {
        service.set(&format!("x/0/{number}"), "y").unwrap();
    }
    assert_eq!(ask(&service, "GET /latest/meta-data/x/3/199993 HTTP/1.1\r\n\r\n"), 200);
    assert_eq!(ask(&service, "GET /latest/meta-data/x/0/9999 HTTP/1.1\r\n\r\n"), 200);
}
