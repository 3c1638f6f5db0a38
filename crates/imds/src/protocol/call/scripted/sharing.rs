//! Calls that wait for the token fetch of another.

use super::*;

#[test]
fn a_waiter_shares_the_failure_of_the_flight() {
    let store = MemoryStore::new();
    let mut harness = Harness::new(&store, |_| {}).script(&[token("T")], &[value("v")]);
    let key = harness.shared.key.clone();
    let Some(mut other) = store.try_lock(&key).unwrap() else { panic!("the lock is free") };
    let path = MetadataPath::from_static("/latest/meta-data/instance-id");
    let mut call = Call::new(harness.shared.clone(), Goal::Get(path), None);
    let Step::Wait { on: None, until } = call.step(harness.clock.now()) else {
        panic!("it waits for the other")
    };
    harness.clock.advance(until - harness.clock.now());
    let failure = FetchFailure {
        at: harness.clock.now(),
        boot_id: BootId::new("boot-1").unwrap(),
        kind: ErrorKind::Unreachable,
        status: None,
        stalled: true,
        given: 10 * SECOND,
    };
    other.record_failure(&failure).unwrap();
    drop(other);
    let error = harness.drive(&mut call).unwrap_err();
    assert_eq!((error.kind(), error.is_stalled_token_fetch()), (ErrorKind::Unreachable, true));
    assert_eq!(harness.counts(), (0, 0), "nothing is sent for a failure that is known");
    // A later call tries again.
    harness.clock.advance(SECOND);
    assert_eq!(harness.get().unwrap(), "v");
}

#[test]
fn a_waiter_with_more_time_than_the_failed_fetch_had_tries_for_itself() {
    for (kind, status, shares) in
        [(ErrorKind::Unreachable, None, false), (ErrorKind::Forbidden, Some(403), true)]
    {
        let store = MemoryStore::new();
        let mut harness = Harness::new(&store, |_| {}).script(&[token("T")], &[value("v")]);
        let mut other = store.try_lock(&harness.shared.key).unwrap().unwrap();
        let path = MetadataPath::from_static("/latest/meta-data/instance-id");
        let mut call = Call::new(harness.shared.clone(), Goal::Get(path), None);
        let now = harness.clock.now();
        assert!(matches!(call.step(now), Step::Wait { on: None, .. }));
        let given = Duration::from_millis(200);
        let boot_id = BootId::new("boot-1").unwrap();
        other.record_failure(&FetchFailure { at: now, boot_id, kind, status, stalled: true, given }).unwrap();
        drop(other);
        let shared = harness.drive(&mut call).err().map(|error| error.kind());
        assert_eq!(shared, shares.then_some(kind));
        assert_eq!(harness.counts(), if shares { (0, 0) } else { (1, 1) });
    }
}

#[test]
fn a_leader_that_is_not_polled_is_replaced_within_one_attempts_time() {
    let store = MemoryStore::new();
    let mut harness = Harness::new(&store, |_| {}).script(&[token("T")], &[value("v")]);
    let path = MetadataPath::from_static("/latest/meta-data/instance-id");
    let mut leader = Call::new(harness.shared.clone(), Goal::Get(path), None);
    let begun = harness.clock.now();
    assert!(matches!(leader.step(begun), Step::Connect { .. }));
    // It holds the flight and the store's lock, and nobody polls it again.
    assert_eq!(harness.get().unwrap(), "v");
    let waited = harness.clock.now() - begun;
    assert!(waited <= Duration::from_millis(1200), "{waited:?}");
    assert_eq!(harness.counts(), (1, 1));
    assert!(store.load(&harness.shared.key).unwrap().is_some(), "the token is stored nevertheless");
    // Polled at last, it goes on with what it began.
    assert!(matches!(harness.drive(&mut leader), Ok(Success::Answer(_))));
}

#[test]
fn a_leader_that_is_stopped_takes_half_the_deadline_at_most() {
    let store = MemoryStore::new();
    let mut harness = Harness::new(&store, |_| {}).script(&[token("T")], &[value("v")]);
    let stopped = store.try_lock(&harness.shared.key).unwrap();
    let begun = harness.clock.now();
    assert_eq!(harness.get().unwrap(), "v");
    assert_eq!(harness.clock.now() - begun, 5 * SECOND);
    assert_eq!(harness.counts(), (1, 1));
    drop(stopped);
}
