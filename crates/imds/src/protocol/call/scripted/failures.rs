//! What a failure is called, what is tried again, and until when.

use super::*;

/// What one call comes to: kind, whether a token fetch failed, token PUTs, GETs.
fn failure(puts: &[Does], gets: &[Does]) -> (ErrorKind, bool, (usize, usize)) {
    let mut harness = Harness::new(&MemoryStore::new(), |_| {}).script(puts, gets);
    let error = harness.get().unwrap_err();
    assert_eq!(error.path().map(MetadataPath::as_str), Some("/latest/meta-data/instance-id"), "{error:?}");
    (error.kind(), error.is_token_fetch(), harness.counts())
}

#[test]
fn what_the_service_says_decides_the_kind() {
    let ok = [token("T")];
    let open = [value("v")];
    let status = |status| [answer(status, "", "")];
    for (code, kind, gets) in [
        (400, ErrorKind::Protocol, 1),
        (403, ErrorKind::Forbidden, 1),
        (404, ErrorKind::NotFound, 1),
        (405, ErrorKind::Protocol, 1),
        (204, ErrorKind::Protocol, 1),
        (302, ErrorKind::Protocol, 1),
        (501, ErrorKind::Server, 1),
        (408, ErrorKind::Protocol, 3),
        (429, ErrorKind::Throttled, 3),
        (500, ErrorKind::Server, 3),
        (502, ErrorKind::Server, 3),
        (503, ErrorKind::Server, 3),
        (504, ErrorKind::Server, 3),
    ] {
        assert_eq!(failure(&ok, &status(code)), (kind, false, (1, gets)), "GET {code}");
    }
    for (code, kind, puts) in [
        (400, ErrorKind::Protocol, 1),
        (401, ErrorKind::Unauthorized, 1),
        (403, ErrorKind::Forbidden, 1),
        (404, ErrorKind::Protocol, 1),
        (405, ErrorKind::Protocol, 1),
        (302, ErrorKind::Protocol, 1),
        (429, ErrorKind::Throttled, 3),
        (503, ErrorKind::Server, 3),
    ] {
        assert_eq!(
            failure(&status(code), &open),
            (kind, true, (puts, 0)),
            "PUT {code}: no GET without a token"
        );
    }
    let portal = [answer(200, "Content-Type: text/html\r\n", "<html>Log in</html>")];
    assert_eq!(failure(&portal, &open), (ErrorKind::Protocol, true, (1, 0)));
}

#[test]
fn what_the_network_does_decides_the_kind() {
    let ok = [token("T")];
    assert_eq!(failure(&ok, &[Does::Stall]), (ErrorKind::Unreachable, false, (1, 3)));
    assert_eq!(failure(&[Does::Stall], &[value("v")]), (ErrorKind::Unreachable, true, (3, 0)));
    assert_eq!(failure(&[Does::Refuse], &[value("v")]), (ErrorKind::Unreachable, true, (0, 0)));
    assert_eq!(failure(&ok, &[Does::Reset]), (ErrorKind::Unreachable, false, (1, 3)));
    let cut = Does::Close("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf");
    assert_eq!(failure(&ok, std::slice::from_ref(&cut)), (ErrorKind::Protocol, false, (1, 3)));
    // A poller goes on: what a call retries, a later call may find.
    for (gets, retryable) in [
        (cut, true),
        (Does::Stall, true),
        (answer(503, "", ""), true),
        (answer(404, "", ""), false),
        (answer(501, "", ""), false),
    ] {
        let mut harness = Harness::new(&MemoryStore::new(), |_| {}).script(&ok, std::slice::from_ref(&gets));
        assert_eq!(harness.get().unwrap_err().is_retryable(), retryable, "{gets:?}");
    }
    let large = Does::Close("HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n");
    assert_eq!(failure(&ok, &[large]), (ErrorKind::Protocol, false, (1, 1)));
}

#[test]
fn only_a_stalled_put_is_the_hop_limit_symptom() {
    for (puts, gets, stalled) in [
        (vec![Does::Stall], vec![value("v")], true),
        (vec![token("T")], vec![Does::Stall], false),
        (vec![Does::Reset], vec![value("v")], false),
        (vec![Does::Refuse], vec![value("v")], false),
    ] {
        let mut harness = Harness::new(&MemoryStore::new(), |_| {}).script(&puts, &gets);
        assert_eq!(harness.get().unwrap_err().is_stalled_token_fetch(), stalled, "{puts:?} {gets:?}");
    }
}

#[test]
fn transient_failures_are_survived() {
    let busy = |status| answer(status, "", "busy");
    for gets in [
        vec![busy(503), busy(503), value("v")],
        vec![busy(500), value("v")],
        vec![Does::Stall, value("v")],
        vec![Does::Reset, value("v")],
        vec![Does::Close(""), value("v")],
        vec![Does::Close("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf"), value("v")],
    ] {
        let mut harness = Harness::new(&MemoryStore::new(), |_| {}).script(&[busy(503), token("T")], &gets);
        assert_eq!(harness.get().unwrap(), "v", "{gets:?}");
        assert_eq!(harness.counts(), (2, gets.len()));
    }
}

#[test]
fn retry_after_is_obeyed_within_the_deadline() {
    let throttled = |seconds: u64| answer(429, &format!("Retry-After: {seconds}\r\n"), "");
    let mut harness =
        Harness::new(&MemoryStore::new(), |_| {}).script(&[token("T")], &[throttled(4), value("v")]);
    let begun = harness.clock.now();
    assert_eq!(harness.get().unwrap(), "v");
    assert_eq!(harness.clock.now() - begun, 4 * SECOND);

    let mut harness =
        Harness::new(&MemoryStore::new(), |_| {}).script(&[token("T")], &[throttled(60), value("v")]);
    let begun = harness.clock.now();
    let error = harness.get().unwrap_err();
    assert_eq!((error.kind(), error.retry_after()), (ErrorKind::Throttled, Some(60 * SECOND)));
    assert_eq!(
        (harness.clock.now() - begun, harness.counts()),
        (Duration::ZERO, (1, 1)),
        "it does not wait in vain"
    );
}

#[test]
fn the_deadline_bounds_everything() {
    let short = |given: &mut Given| {
        given.deadline = Some(Duration::from_millis(2500));
        given.attempts = Some(100);
    };
    let mut harness = Harness::new(&MemoryStore::new(), short).script(&[token("T")], &[Does::Stall]);
    let begun = harness.clock.now();
    assert_eq!(harness.get().unwrap_err().kind(), ErrorKind::Unreachable);
    assert!(harness.clock.now() - begun <= Duration::from_millis(2500), "{:?}", harness.clock.now() - begun);
}

#[test]
fn a_kept_connection_that_was_closed_costs_no_attempt() {
    let mut harness = Harness::new(&store_with("T", at(20_000)), |given| given.attempts = Some(1))
        .script(&[token("T")], &[Does::Close(""), value("v")]);
    harness.idle = true;
    assert_eq!(harness.get().unwrap(), "v");
    assert_eq!(harness.counts(), (0, 2));
}

#[test]
fn a_timeout_on_a_kept_connection_costs_no_attempt_and_is_not_the_hop_limit() {
    let mut harness = Harness::new(&MemoryStore::new(), |given| given.attempts = Some(1))
        .script(&[Does::Stall, token("T")], &[value("v")]);
    harness.idle = true;
    assert_eq!(harness.get().unwrap(), "v");
    assert_eq!(harness.counts(), (2, 1));
}
