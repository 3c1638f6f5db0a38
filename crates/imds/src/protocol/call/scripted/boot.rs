//! A service that refuses while the machine starts.

use super::*;

/// A client at the service's own address, or at another with or without the switch, on a machine
/// that started this many seconds ago.
fn booting(endpoint: &str, uptime: u64, switch: bool) -> Harness {
    let clock = MadeClock::new();
    clock.0.lock().unwrap().0 = at(uptime);
    Harness::with_clock(clock, &MemoryStore::new(), |given| {
        given.endpoint = Some(endpoint.to_owned());
        given.boot_retries = switch;
    })
}

const OWN: [&str; 2] = ["http://169.254.169.254", "http://[fd00:ec2::254]"];
const OTHER: &str = "http://127.0.0.1:1";

#[test]
fn a_service_that_refuses_connections_while_the_machine_starts_is_awaited() {
    let script = [vec![Does::Refuse; 8], vec![token("T")]].concat();
    for (endpoint, uptime, switch) in [(OWN[0], 5, false), (OWN[1], 290, false), (OTHER, 5000, true)] {
        let mut harness = booting(endpoint, uptime, switch).script(&script, &[value("v")]);
        assert_eq!(harness.get().unwrap(), "v", "{endpoint} {uptime}");
        assert_eq!(harness.counts(), (1, 1));
    }
    for (endpoint, uptime) in [(OWN[0], 300), (OTHER, 5)] {
        let mut harness = booting(endpoint, uptime, false).script(&script, &[value("v")]);
        let error = harness.get().unwrap_err();
        assert_eq!((error.kind(), error.attempts(), error.is_retryable()), (ErrorKind::Unreachable, 1, true));
    }
    // It ends with the deadline.
    let mut harness = booting(OWN[0], 5, false).script(&[Does::Refuse], &[value("v")]);
    assert_eq!(harness.get().unwrap_err().kind(), ErrorKind::Unreachable);
    assert!(harness.clock.now() - at(5) <= 10 * SECOND, "{:?}", harness.clock.now());
}

#[test]
fn a_service_that_refuses_its_own_tokens_while_the_machine_starts_is_awaited() {
    let refused = answer(401, "", "");
    let script = [vec![refused.clone(); 6], vec![value("v")]].concat();
    for (endpoint, uptime, switch) in [(OWN[0], 5, false), (OTHER, 5000, true)] {
        let mut harness = booting(endpoint, uptime, switch).script(&[token("T")], &script);
        assert_eq!(harness.get().unwrap(), "v", "{endpoint}");
        assert_eq!(harness.counts(), (7, 7), "a new token for each refusal");
    }
    for (endpoint, uptime) in [(OWN[0], 300), (OTHER, 5)] {
        let mut harness = booting(endpoint, uptime, false).script(&[token("T")], &script);
        let error = harness.get().unwrap_err();
        assert_eq!((error.kind(), error.is_retryable()), (ErrorKind::Unauthorized, true));
        assert_eq!(harness.counts(), (2, 2));
    }
    let mut harness = booting(OWN[0], 5, false).script(&[token("T")], &[refused]);
    assert_eq!(harness.get().unwrap_err().kind(), ErrorKind::Unauthorized);
    assert!(harness.clock.now() - at(5) <= 10 * SECOND);
}
