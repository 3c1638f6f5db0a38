//! What a whole `imds dump` costs the interface, counted at the emulator.

use std::collections::{BTreeMap, BTreeSet};

use imds_emulator::{Emulator, Instance, RecordedRequest};

use crate::{oracle, world};

/// Packets of an interface in any second (EC2 User Guide, "Access instance metadata", query
/// throttling): a dump takes half of them.
const BUDGET: usize = 512;
/// Packets that a request costs its sender on a connection that is there, and on a new one.
const REUSED: usize = 2;
const NEW: usize = 6;
const IN_FLIGHT: usize = 4;

/// An instance of so many values that two seconds are not enough for them.
fn large() -> Emulator {
    let tags = (0..700).map(|number| (format!("tag-{number}"), format!("value {number}"))).collect();
    let instance = Instance { tags, ..Instance::default() };
    crate::emulator().instance(instance).start().unwrap()
}

/// What each request cost in packets, with the time when it came.
fn packets(requests: &[RecordedRequest]) -> Vec<(i64, usize)> {
    let mut connections = BTreeSet::new();
    let cost = |request: &RecordedRequest| (request.time.millis(), request.connection);
    requests
        .iter()
        .map(cost)
        .map(|(at, on)| (at, if connections.insert(on) { NEW } else { REUSED }))
        .collect()
}

/// Most packets in a second, wherever it begins.
fn fullest_second(packets: &[(i64, usize)]) -> usize {
    let second = |from: i64| packets.iter().filter(move |(at, _)| (from..from + 1_000).contains(at));
    packets.iter().map(|(at, _)| second(*at).map(|(_, packets)| packets).sum()).max().unwrap_or(0)
}

#[test]
fn a_dump_asks_once_for_each_path_on_four_connections_within_the_packet_budget() {
    let emulator = large();
    let leaves = oracle::leaves(&emulator);
    let mut directories = BTreeSet::new();
    for path in leaves.keys() {
        let below = path.strip_prefix("/latest").unwrap();
        directories.extend(below.match_indices('/').map(|(at, _)| below[..at].to_owned()));
    }
    let before = emulator.requests().len();
    let connections = emulator.counters().connections;
    // Patient, since a request that is repeated on a loaded machine would be counted twice.
    let world = world();
    let dump = world.imds(["dump", "--show-secrets", "--timeout", "100"]).endpoint(&emulator.endpoint());
    let _ = dump.env("AWS_METADATA_SERVICE_TIMEOUT", "100").prints_secrets().run().exits_with(0);
    let requests = emulator.requests().split_off(before);

    let puts = requests.iter().filter(|request| &*request.method == "PUT").count();
    assert_eq!(puts, 1, "one session token");
    let mut asked = BTreeMap::<&str, usize>::new();
    for request in requests.iter().filter(|request| &*request.method == "GET") {
        *asked.entry(request.path.trim_end_matches('/')).or_default() += 1;
    }
    assert!(asked.values().all(|times| *times == 1), "each path once: {asked:?}");
    let wanted: BTreeSet<&str> = leaves.keys().map(String::as_str).collect();
    let missed: Vec<_> = wanted.iter().filter(|path| !asked.contains_key(**path)).collect();
    assert_eq!(missed, Vec::<&&str>::new());
    let listed: Vec<_> = asked.keys().filter(|path| !wanted.contains(**path)).collect();
    assert!(listed.len() <= directories.len(), "{} listings of {listed:?}", directories.len());
    assert!(emulator.counters().connections - connections <= 4);

    let packets = packets(&requests);
    let total: usize = packets.iter().map(|(_, packets)| packets).sum();
    assert!(total > 2 * BUDGET, "the budget is put to the test: {total}");
    // What is sent in a second comes in that second or was in flight before it.
    let fullest = fullest_second(&packets);
    assert!(fullest <= BUDGET + IN_FLIGHT * NEW, "{fullest} packets in a second");
}

#[test]
fn the_fullest_second_is_found() {
    let packets = [(0, 6), (500, 2), (999, 2), (1_000, 2), (1_499, 2), (1_500, 2)];
    assert_eq!(fullest_second(&packets), 10);
    assert_eq!(fullest_second(&packets[1..]), 8);
    assert_eq!(fullest_second(&[]), 0);
}
