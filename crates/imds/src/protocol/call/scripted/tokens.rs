//! How long a session token serves, and whom.

use super::*;

#[test]
fn one_token_serves_calls_clients_and_processes() {
    let store = MemoryStore::new();
    let mut first = Harness::new(&store, |_| {}).script(&[token("T1")], &[value("i-1")]);
    assert_eq!((first.get().unwrap(), first.get().unwrap()), ("i-1".to_owned(), "i-1".to_owned()));
    assert_eq!(first.counts(), (1, 2));
    assert!(first.requests[1].contains("\r\nX-Aws-Ec2-Metadata-Token: T1\r\n"), "{}", first.requests[1]);
    let mut second =
        Harness::with_clock(first.clock.clone(), &store, |_| {}).script(&[token("T2")], &[value("i-1")]);
    second.get().unwrap();
    assert_eq!(second.counts(), (0, 1));
}

#[test]
fn renewed_within_its_margin() {
    let fresh = store_with("T1", at(1000 + 121));
    let mut harness = Harness::new(&fresh, |_| {}).script(&[token("T2")], &[value("v")]);
    harness.get().unwrap();
    assert_eq!(harness.counts(), (0, 1));
    let stale = store_with("T1", at(1000 + 120));
    let mut harness = Harness::new(&stale, |_| {}).script(&[token("T2")], &[value("v")]);
    harness.get().unwrap();
    assert_eq!(harness.counts(), (1, 1));
}

#[test]
fn a_store_of_another_boot_or_clock_is_passed_over() {
    let store = store_with("T1", at(20_000));
    let clock = MadeClock::new();
    clock.reboot();
    let mut harness = Harness::with_clock(clock, &store, |_| {}).script(&[token("T2")], &[value("v")]);
    harness.get().unwrap();
    assert_eq!(harness.counts(), (1, 1));
    // Same boot id, but more life than any token has: a clock of another namespace.
    let mut harness =
        Harness::new(&store_with("T1", at(99_999)), |_| {}).script(&[token("T2")], &[value("v")]);
    harness.get().unwrap();
    assert_eq!(harness.counts(), (1, 1));
}

#[test]
fn a_token_stored_after_the_time_was_read_is_used() {
    // A process that is stopped between reading the clock and the store finds a token that has more
    // life left than its TTL, by the earlier time.
    let store = store_with("T1", at(1010 + 21_600));
    let harness = Harness::new(&store, |_| {});
    let earlier = harness.clock.now();
    harness.clock.advance(10 * SECOND);
    let mut fetch = TokenFetch::new(harness.shared.clone(), None, earlier + 60 * SECOND, 60 * SECOND);
    assert!(matches!(fetch.step(earlier), Step::Done));
    assert_eq!(fetch.take().unwrap().secret, SessionToken::new(b"T1").unwrap());
}

#[test]
fn a_refused_token_is_replaced_once() {
    let store = store_with("OLD", at(20_000));
    let mut harness =
        Harness::new(&store, |_| {}).script(&[token("NEW")], &[answer(401, "", ""), value("v")]);
    assert_eq!(harness.get().unwrap(), "v");
    assert_eq!(harness.counts(), (1, 2));
    assert!(harness.requests[0].contains(": OLD\r\n") && harness.requests[2].contains(": NEW\r\n"));
    let kept = store.load(&harness.shared.key).unwrap().unwrap();
    assert_eq!(kept.token.expose(), "NEW");
}

#[test]
fn every_token_refused_is_final_after_one_renewal() {
    let mut harness =
        Harness::new(&MemoryStore::new(), |_| {}).script(&[token("A"), token("B")], &[answer(401, "", "")]);
    let error = harness.get().unwrap_err();
    assert_eq!(
        (error.kind(), error.status(), error.lacked_token()),
        (ErrorKind::Unauthorized, Some(401), false)
    );
    assert_eq!(
        error.to_string(),
        "`/latest/meta-data/instance-id` was refused (401) with a token that was just fetched"
    );
    assert_eq!(harness.counts(), (2, 2));
}

#[test]
fn without_a_ttl_header_the_token_stays_in_the_process() {
    let store = MemoryStore::new();
    let mut harness = Harness::new(&store, |_| {}).script(&[answer(200, "", "T")], &[value("v")]);
    harness.get().unwrap();
    harness.get().unwrap();
    assert_eq!(harness.counts(), (1, 2));
    assert_eq!(store.load(&harness.shared.key).unwrap(), None);
}

#[test]
fn a_granted_ttl_is_never_taken_for_more_than_was_asked() {
    let store = MemoryStore::new();
    let long = answer(200, &format!("{}: 999999\r\n", header::TOKEN_TTL), "T");
    let mut harness =
        Harness::new(&store, |given| given.token_ttl = Some(60 * SECOND)).script(&[long], &[value("v")]);
    harness.get().unwrap();
    assert!(harness.requests[0].contains("\r\nX-Aws-Ec2-Metadata-Token-Ttl-Seconds: 60\r\n"));
    assert_eq!(store.load(&harness.shared.key).unwrap().unwrap().expires, at(1060));
}
