//! Each set of facts has one finding, and what hangs on it is skipped.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::judge;
use crate::facts::{
    Connectivity, Content, Credentials, EndpointFact, Facts, Machine, Proxies, Reading, Role,
};
use crate::probe::{Answer, Exchange, Fault};
use crate::report::{Outcome, Report};

const URL: &str = "http://169.254.169.254";
const IPV6_URL: &str = "http://[fd00:ec2::254]";

fn now() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_800_000_000)
}

fn reached(url: &str) -> Connectivity {
    Connectivity { url: url.to_owned(), route: Ok(()), connect: Some(Ok(Duration::from_micros(300))) }
}

fn token_answer() -> Exchange {
    let headers = [("X-Aws-Ec2-Metadata-Token-Ttl-Seconds", "60"), ("Server", "EC2ws")];
    Exchange::Answer(Answer::new(200, &headers, b"AQAEA"))
}

fn role(credentials: Credentials) -> Reading<Role> {
    Reading::Found(Role { name: "r\u{1b}[2J".to_owned(), credentials })
}

/// An instance on which everything is as it should be.
fn healthy() -> Facts {
    Facts {
        disabled: None,
        endpoint: Ok(EndpointFact {
            urls: vec![URL.to_owned()],
            source: "the default".to_owned(),
            well_known: true,
        }),
        proxies: Proxies::default(),
        machine: Machine { is_ec2: Some(true), evidence: Vec::new() },
        container: None,
        reach: vec![reached(URL)],
        other_family: None,
        token: Some(token_answer()),
        wrong_token: None,
        read: Some(Ok(())),
        content: Some(Content {
            tags: Reading::Found(2),
            role: role(Credentials::Complete { expiration: "2099-01-01T00:00:00Z".to_owned() }),
            user_data: Reading::Found(1),
        }),
        store_fault: None,
        now: now(),
        clocks: Some((now(), now())),
        systemd_network: None,
        refused_packets: vec![("eth0".to_owned(), 0)],
        version1: None,
    }
}

/// The facts where the connection is not made.
fn unreached(route: Result<(), Fault>, connect: Option<Fault>) -> Facts {
    Facts {
        reach: vec![Connectivity { url: URL.to_owned(), route, connect: connect.map(Err) }],
        token: None,
        read: None,
        content: None,
        clocks: None,
        ..healthy()
    }
}

fn findings(report: &Report) -> Vec<(&str, &str)> {
    let wrong =
        report.checks.iter().filter(|check| matches!(check.outcome, Outcome::Warning | Outcome::Failure));
    wrong.map(|check| (check.id, check.cause.unwrap_or("none"))).collect()
}

#[track_caller]
fn assert_only(facts: &Facts, id: &str, cause: &str) -> Report {
    let report = judge(facts);
    assert_eq!(findings(&report), [(id, cause)], "{report}");
    report
}

#[test]
fn healthy_is_healthy() {
    let report = judge(&healthy());
    assert_eq!(findings(&report), []);
    assert_eq!(report.cause(), None);
    assert!(report.to_string().ends_with("\nnothing is wrong: a plain read works\n"), "{report}");
}

#[test]
fn ways_that_lead_nowhere() {
    for (route, connect, id, cause) in [
        (Err(Fault::NoRoute), None, "route", "no-route"),
        (Err(Fault::Prohibited), None, "route", "prohibited"),
        (Err(Fault::Unresolved), None, "route", "unknown-host"),
        (Ok(()), Some(Fault::Prohibited), "connect", "prohibited"),
        (Ok(()), Some(Fault::Refused), "connect", "not-listening"),
        (Ok(()), Some(Fault::TimedOut), "connect", "no-answer"),
        (Ok(()), Some(Fault::NoRoute), "connect", "no-route"),
    ] {
        let report = assert_only(&unreached(route, connect), id, cause);
        let skipped = report.checks.iter().find(|check| check.id == "token").map(|check| check.outcome);
        assert_eq!(skipped, Some(Outcome::Skipped));
    }
}

#[test]
fn elsewhere_than_on_ec2() {
    let elsewhere = Machine { is_ec2: Some(false), evidence: vec!["sys_vendor: QEMU".to_owned()] };
    let facts = Facts { machine: elsewhere.clone(), ..unreached(Ok(()), Some(Fault::TimedOut)) };
    assert_only(&facts, "connect", "not-ec2");
    let facts = Facts { machine: elsewhere.clone(), ..unreached(Err(Fault::NoRoute), None) };
    assert_only(&facts, "route", "not-ec2");
    // Somebody who named an endpoint knows that this is no instance.
    let endpoint = EndpointFact {
        urls: vec!["http://127.0.0.1:1338".to_owned()],
        source: "an option".to_owned(),
        well_known: false,
    };
    let facts =
        Facts { machine: elsewhere, endpoint: Ok(endpoint), ..unreached(Ok(()), Some(Fault::Refused)) };
    let report = assert_only(&facts, "connect", "not-listening");
    assert!(report.to_string().contains("the endpoint comes from an option"), "{report}");
}

#[test]
fn the_other_family_answers() {
    let facts = Facts { other_family: Some(reached(IPV6_URL)), ..unreached(Err(Fault::NoRoute), None) };
    let report = assert_only(&facts, "route", "ipv6-only");
    assert!(report.to_string().contains("--endpoint-mode auto"), "{report}");
    let facts = Facts {
        other_family: Some(Connectivity { connect: Some(Err(Fault::Refused)), ..reached(IPV6_URL) }),
        ..unreached(Err(Fault::NoRoute), None)
    };
    assert_only(&facts, "route", "no-route");
}

#[test]
fn both_families_are_shown() {
    let report = judge(&Facts { other_family: Some(reached(IPV6_URL)), ..healthy() });
    assert_eq!(findings(&report), []);
    assert!(report.to_string().contains("- `http://[fd00:ec2::254]`: connected in 0.3 ms"), "{report}");
}

#[test]
fn the_hop_limit_in_a_container_and_elsewhere() {
    let answered = Some(Exchange::Answer(Answer::new(401, &[], b"")));
    let stalled = Facts {
        token: Some(Exchange::Stalled),
        wrong_token: answered,
        read: None,
        content: None,
        clocks: None,
        ..healthy()
    };
    let report = assert_only(&stalled, "token", "hop-limit");
    assert!(report.to_string().contains("no container shows itself"), "{report}");
    let container = Some("Kubernetes (`kubepods` in `/proc/1/cgroup`)".to_owned());
    let report = assert_only(&Facts { container, ..stalled.clone() }, "token", "hop-limit");
    assert!(report.to_string().contains("this process is in a container: Kubernetes"), "{report}");
    assert!(report.to_string().contains("--http-put-response-hop-limit 2"), "{report}");
    assert_only(&Facts { wrong_token: Some(Exchange::Stalled), ..stalled }, "token", "silent");
}

#[test]
fn answers_to_the_token_put() {
    for (exchange, cause) in [
        (Exchange::Answer(Answer::new(403, &[], b"")), "turned-off"),
        (Exchange::Answer(Answer::new(429, &[("Retry-After", "2")], b"")), "throttled"),
        (Exchange::Answer(Answer::new(503, &[], b"")), "throttled"),
        (Exchange::Answer(Answer::new(500, &[], b"")), "failing"),
        (Exchange::Answer(Answer::new(405, &[("Server", "nginx")], b"")), "not-imds"),
        (Exchange::Answer(Answer::new(200, &[], b"<html>")), "not-imds"),
        (Exchange::NotHttp, "not-imds"),
        (Exchange::Dropped, "dropped"),
        (Exchange::Unreachable(Fault::TimedOut), "no-answer"),
    ] {
        let facts = Facts { token: Some(exchange), read: None, content: None, ..healthy() };
        assert_only(&facts, "token", cause);
    }
}

#[test]
fn what_bites_elsewhere_is_a_warning() {
    let late = now() + Duration::from_secs(600);
    let proxies = Proxies { variables: vec!["http_proxy".to_owned()], exempt: false };
    let expired = role(Credentials::Complete { expiration: "2020-01-01T00:00:00Z".to_owned() });
    let odd = role(Credentials::Complete { expiration: "soon".to_owned() });
    let with_role = |role| holding(Content { role, ..healthy().content.unwrap() });
    for (facts, id, cause) in [
        (Facts { clocks: Some((late, now())), ..healthy() }, "clock", "clock"),
        (Facts { proxies, ..healthy() }, "proxy", "proxy"),
        (Facts { store_fault: Some("read-only".to_owned()), ..healthy() }, "store", "store"),
        (
            Facts { refused_packets: vec![("eth0".to_owned(), 17)], ..healthy() },
            "allowance",
            "packet-allowance",
        ),
        (with_role(expired), "role", "credentials"),
        (with_role(odd), "role", "credentials"),
    ] {
        assert_only(&facts, id, cause);
    }
    let report = judge(&Facts { clocks: Some((late, now())), ..healthy() });
    assert!(report.to_string().contains("this machine's clock is 10m behind the service's"), "{report}");
    let nearly = now() + Duration::from_secs(299);
    assert_eq!(findings(&judge(&Facts { clocks: Some((nearly, now())), ..healthy() })), []);
}

#[test]
fn a_failure_is_the_cause_and_not_a_warning_before_it() {
    let proxies = Proxies { variables: vec!["http_proxy".to_owned()], exempt: false };
    let facts = Facts { proxies, ..unreached(Err(Fault::NoRoute), None) };
    let report = judge(&facts);
    assert_eq!(report.cause().and_then(|check| check.cause), Some("no-route"));
}

#[test]
fn a_switch_that_is_no_switch_is_a_note() {
    let facts = Facts { disabled: Some("1".to_owned()), ..healthy() };
    let report = judge(&facts);
    assert_eq!(findings(&report), []);
    let switch = report.checks.iter().find(|check| check.id == "switch").map(|check| check.outcome);
    assert_eq!(switch, Some(Outcome::Note));
    let facts = Facts { disabled: Some("True".to_owned()), ..unreached(Ok(()), None) };
    assert_only(&facts, "switch", "disabled");
}

#[test]
fn what_a_stored_token_hides_is_a_warning() {
    let answered = Some(Exchange::Answer(Answer::new(401, &[], b"")));
    let facts = Facts { token: Some(Exchange::Stalled), wrong_token: answered, ..healthy() };
    let report = assert_only(&facts, "token", "hop-limit");
    assert!(report.failure.is_none());
    let outcomes: Vec<_> = report.checks.iter().map(|check| check.outcome).collect();
    assert!(!outcomes.contains(&Outcome::Failure), "{report}");
    assert!(report.to_string().contains("a plain read still works"), "{report}");
}

/// The facts with these contents.
fn holding(content: Content) -> Facts {
    Facts { content: Some(content), ..healthy() }
}

#[test]
fn what_is_wrong_with_credentials_is_told_apart() {
    let refused = |code: &str| Credentials::Refused {
        code: code.to_owned(),
        message: Some("EC2 cannot assume the role".to_owned()),
    };
    for (credentials, cause, said) in [
        (refused("AssumeRoleUnauthorizedAccess"), "credentials-refused", "trust policy"),
        (refused("Failed"), "credentials-refused", "the service's message: EC2 cannot assume the role"),
        (Credentials::Absent, "credentials-absent", "is listed, but has no credentials (404)"),
        (Credentials::NotJson { bytes: 12 }, "credentials-malformed", "12 bytes"),
        (Credentials::Incomplete { field: "Token" }, "credentials-incomplete", "have no `Token`"),
    ] {
        let healthy = healthy().content.unwrap();
        let report = assert_only(&holding(Content { role: role(credentials), ..healthy }), "role", cause);
        let text = report.to_string();
        assert!(text.contains(said), "{text}");
        assert!(!text.contains('\u{1b}') && text.contains("r\\u{1b}[2J"), "{text}");
    }
}

#[test]
fn a_check_that_could_not_be_made_proposes_nothing() {
    let error = || imds::Client::builder().endpoint("ftp://x").build().unwrap_err();
    let content = Content {
        tags: Reading::Failed(error()),
        role: Reading::Failed(error()),
        user_data: Reading::Failed(error()),
    };
    let report = judge(&holding(content));
    for id in ["tags", "role", "user-data"] {
        let check = report.checks.iter().find(|check| check.id == id).unwrap();
        assert_eq!((check.outcome, check.fix.len()), (Outcome::Skipped, 0), "{report}");
        assert!(check.summary.starts_with("could not be checked: "), "{report}");
    }
    assert_eq!(findings(&report), []);
}

#[test]
fn no_tags_are_no_tags() {
    let healthy = healthy().content.unwrap();
    let report = judge(&holding(Content { tags: Reading::Found(0), ..healthy }));
    let tags = report.checks.iter().find(|check| check.id == "tags").unwrap();
    assert_eq!(tags.outcome, Outcome::Note);
    assert!(tags.fix[0].contains("--instance-metadata-tags enabled"), "{report}");
}

#[test]
fn what_else_answers_is_named() {
    for (answer, said) in [
        (Answer::new(501, &[], b""), "does not know PUT requests"),
        (
            Answer::new(200, &[("Content-Type", "text/html")], b"<html>login</html>"),
            "a web page answers there",
        ),
        (Answer::new(302, &[], b""), "something other than the metadata service"),
    ] {
        let facts = Facts { token: Some(Exchange::Answer(answer)), read: None, content: None, ..healthy() };
        let report = assert_only(&facts, "token", "not-imds");
        assert!(report.to_string().contains(said), "{report}");
    }
    let endpoint = EndpointFact {
        urls: vec!["http://127.0.0.1:1338/latest".to_owned()],
        source: "an option".to_owned(),
        well_known: false,
    };
    let token = Some(Exchange::Answer(Answer::new(404, &[], b"")));
    let facts = Facts { endpoint: Ok(endpoint), token, read: None, content: None, ..healthy() };
    let report = assert_only(&facts, "token", "not-imds");
    assert!(report.to_string().contains("leave `/latest` out of the endpoint"), "{report}");
}
