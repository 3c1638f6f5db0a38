//! What happens to the emulated instance: every kind of event, in turns, for ever.

use serde_json::{Value, json};

/// The path that faults meet, and no other.
pub(super) const FAULTY: &str = "/latest/meta-data/ami-id";
/// The tag whose value is the number of the newest event that wrote it.
pub(super) const TAG: &str = "/latest/meta-data/tags/instance/Soak";
/// Values that are set and unset, and tags.
const VALUES: u64 = 64;
/// How many events there are before the emulator holds as much as it ever will.
pub(super) const WARM_UP: u64 = 20 * 100;

/// What makes the tag readable.
pub(super) fn first() -> [Value; 2] {
    [json!({ "event": "options", "tags": "enabled" }), json!({ "event": "tag", "key": "Soak", "value": "0" })]
}

/// The event with this number.
pub(super) fn number(number: u64) -> Value {
    let round = number / 20;
    match number % 20 {
        0 => json!({ "event": "tag", "key": "Soak", "value": number.to_string() }),
        1 => json!({ "event": "fault", "fault": "500", "path": FAULTY, "count": 2 }),
        2 => json!({ "event": "interrupt", "action": "stop" }),
        3 => json!({ "event": "target-lifecycle-state", "state": "Terminated" }),
        4 => json!({
            "event": "set", "path": format!("meta-data/soak-{}", round % VALUES), "value": number.to_string()
        }),
        5 => json!({ "event": "rotate-credentials" }),
        6 => json!({ "event": "fault", "fault": "503", "path": FAULTY, "rate": 0.5, "for": "2s" }),
        7 => json!({
            "event": "schedule-maintenance", "id": format!("instance-event-{round:017x}"),
            "not-before": "2099-01-01T00:00:00Z"
        }),
        8 => json!({ "event": "user-data", "value": format!("#!/bin/sh\necho {number}\n") }),
        9 => json!({ "event": "clear-spot" }),
        10 => {
            json!({ "event": "tag", "key": format!("soak-{}", round % VALUES), "value": number.to_string() })
        }
        11 => json!({ "event": "untag", "key": format!("soak-{}", (round + VALUES / 2) % VALUES) }),
        12 => json!({ "event": "rebalance", "after": "30s" }),
        13 => json!({ "event": "options", "hop-limit": round % 64 + 1, "pending": "1s" }),
        14 => json!({ "event": "complete-maintenance", "id": format!("instance-event-{round:017x}") }),
        15 => json!({
            "event": "unset", "path": format!("meta-data/soak-{}", (round + VALUES / 2) % VALUES)
        }),
        16 => json!({ "event": "fault", "fault": "truncate", "path": FAULTY, "count": 1 }),
        17 => json!({ "event": "target-lifecycle-state", "state": "InService", "after": "5s" }),
        18 => json!({ "event": "fault", "fault": "404", "path": FAULTY, "for": "1s" }),
        _ if round.is_multiple_of(50) => json!({ "event": "clear-faults" }),
        _ => json!({ "event": "fault", "fault": "reset", "path": FAULTY, "count": 1 }),
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_kind_comes_and_none_is_another() {
        let mut kinds: Vec<String> = (0..1020)
            .map(|number| super::number(number)["event"].as_str().unwrap_or_default().to_owned())
            .collect();
        kinds.sort();
        kinds.dedup();
        assert_eq!(kinds.len(), 15, "{kinds:?}");
    }
}
