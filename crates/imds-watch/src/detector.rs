//! Tells what changed from one reading to the next.

use std::collections::{BTreeMap, BTreeSet};
use std::time::SystemTime;

use imds::Moment;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::change::{Change, HookName, Kind};
use crate::event::Subject;
use crate::reading::{Item, Outage, Reading};
use crate::time::{deadline_seconds, rfc3339};

/// Members of Spot's notices that name a time.
const TIMES: [&str; 2] = ["time", "noticeTime"];

/// A value as it was last read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Known {
    shown: Value,
    fingerprint: String,
    #[serde(skip)]
    since: Option<Moment>,
}

/// What was read so far, and whether the service can be read.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Detector {
    /// By subject, then by item.
    known: BTreeMap<String, BTreeMap<String, Known>>,
    /// The subjects that could not be read last time.
    #[serde(skip)]
    failing: BTreeSet<String>,
    #[serde(skip)]
    failing_since: Option<Moment>,
    /// When each subject was first read by this process.
    #[serde(skip)]
    first_read: BTreeMap<String, Moment>,
}

impl Detector {
    /// Takes in a reading and tells what changed. A failed reading changes nothing that is known.
    pub fn observe(
        &mut self,
        subject: &Subject,
        reading: Reading,
        now: Moment,
        wall: SystemTime,
    ) -> Vec<Change> {
        let name = format!("{} {}", subject.event, subject.path);
        match reading {
            Reading::Unreadable(outage) => self.lost(name, &outage, now, wall).into_iter().collect(),
            Reading::Present(items) => {
                let mut changes: Vec<Change> = self.found(&name, now, wall).into_iter().collect();
                self.compare(&name, subject, items, now, wall, &mut changes);
                changes
            }
        }
    }

    /// Whether the service could not be read last time.
    #[must_use]
    pub const fn is_failing(&self) -> bool {
        self.failing_since.is_some()
    }

    fn lost(&mut self, name: String, outage: &Outage, now: Moment, wall: SystemTime) -> Option<Change> {
        self.failing.insert(name);
        if self.failing_since.is_some() {
            return None;
        }
        self.failing_since = Some(now);
        let mut change = service(Kind::Unreachable, wall);
        change.reason = Some(format!("{}: {}", outage.kind, outage.message));
        Some(change)
    }

    fn found(&mut self, name: &str, now: Moment, wall: SystemTime) -> Option<Change> {
        self.failing.remove(name);
        if !self.failing.is_empty() {
            return None;
        }
        let since = self.failing_since.take()?;
        let mut change = service(Kind::Recovered, wall);
        change.age_seconds = Some(seconds(now, since));
        Some(change)
    }

    fn compare(
        &mut self,
        name: &str,
        subject: &Subject,
        items: BTreeMap<String, Item>,
        now: Moment,
        wall: SystemTime,
        changes: &mut Vec<Change>,
    ) {
        let first_read = *self.first_read.entry(name.to_owned()).or_insert(now);
        let known = self.known.entry(name.to_owned()).or_default();
        let gone: Vec<String> = known.keys().filter(|key| !items.contains_key(*key)).cloned().collect();
        for key in gone {
            let Some(before) = known.remove(&key) else { continue };
            let path = key.split_once('#').map_or(key.as_str(), |(path, _)| path);
            changes.push(Change {
                old: before.shown,
                age_seconds: before.since.map(|since| seconds(now, since)),
                hook: (!subject.shape.is_notice()).then(|| HookName {
                    id: format!("{} {key} removed {}", subject.event, before.fingerprint),
                    once: false,
                }),
                ..value(subject, path, Kind::Removed, wall)
            });
        }
        for (key, item) in items {
            let before = known.get_mut(&key);
            if before.as_ref().is_some_and(|before| before.fingerprint == item.fingerprint) {
                continue;
            }
            let now_known =
                Known { shown: item.shown.clone(), fingerprint: item.fingerprint.clone(), since: Some(now) };
            let mut change = Change {
                seconds_left: deadline_seconds(&item.shown, wall),
                hook: Some(HookName {
                    id: format!("{} {key} {}", subject.event, item.fingerprint),
                    once: subject.shape.is_notice(),
                }),
                ..value(subject, &item.path, Kind::Appeared, wall)
            };
            match before {
                Some(before) => {
                    let before = std::mem::replace(before, now_known);
                    change.change = Kind::Changed;
                    change.age_seconds = before.since.map(|since| seconds(now, since));
                    // A notice whose time alone moves, as amazon-ec2-metadata-mock's does at every
                    // poll, stays the same notice.
                    if subject.shape.is_notice() && timeless(&before.shown) == timeless(&item.shown) {
                        change.hook = None;
                    }
                    change.old = before.shown;
                }
                None => {
                    // How long it had been seen to be away; nothing where this is the first look.
                    change.age_seconds = Some(seconds(now, first_read)).filter(|_| first_read < now);
                    known.insert(key, now_known);
                }
            }
            change.new = item.shown;
            changes.push(change);
        }
    }
}

/// A notice without the times that it names.
fn timeless(notice: &Value) -> Value {
    let mut notice = notice.clone();
    if let Value::Object(members) = &mut notice {
        members.retain(|name, _| !TIMES.contains(&name.as_str()));
    }
    notice
}

fn seconds(now: Moment, since: Moment) -> f64 {
    // Milliseconds are as fine as polling can tell.
    ((now - since).as_secs_f64() * 1_000.0).round() / 1_000.0
}

fn service(kind: Kind, wall: SystemTime) -> Change {
    Change {
        event: "service".to_owned(),
        path: None,
        change: kind,
        old: Value::Null,
        new: Value::Null,
        time: rfc3339(wall),
        age_seconds: None,
        seconds_left: None,
        reason: None,
        hook: None,
    }
}

fn value(subject: &Subject, path: &str, kind: Kind, wall: SystemTime) -> Change {
    Change { event: subject.event.to_owned(), path: Some(path.to_owned()), ..service(kind, wall) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fingerprint::fingerprint;
    use std::time::{Duration, UNIX_EPOCH};

    struct Bench {
        detector: Detector,
        seconds: u64,
    }

    impl Bench {
        fn new() -> Self {
            Self { detector: Detector::default(), seconds: 1_000 }
        }

        /// One poll, a second after the last.
        fn poll(&mut self, word: &str, reading: Reading) -> Vec<Change> {
            self.seconds += 1;
            let now = Moment::since_boot(Duration::from_secs(self.seconds));
            let wall = UNIX_EPOCH + Duration::from_secs(1_505_722_800 + self.seconds);
            self.detector.observe(&Subject::parse(word).unwrap(), reading, now, wall)
        }

        fn kinds(&mut self, word: &str, reading: Reading) -> Vec<&'static str> {
            self.poll(word, reading).iter().map(|change| change.change.as_str()).collect()
        }
    }

    fn there(word: &str, text: &str) -> Reading {
        let shown: Value = serde_json::from_str(text).unwrap_or_else(|_| text.into());
        let path = Subject::parse(word).unwrap().path.as_str().to_owned();
        let fingerprint = fingerprint(&shown);
        Reading::Present([(format!("{path}#"), Item { path, shown, fingerprint })].into())
    }

    fn lost() -> Reading {
        Reading::Unreadable(Outage { kind: "server", message: "503".to_owned(), retry_after: None })
    }

    #[test]
    fn a_value_comes_changes_and_goes() {
        let mut bench = Bench::new();
        assert_eq!(bench.kinds("lifecycle", Reading::gone()), [""; 0]);
        let change = bench.poll("lifecycle", there("lifecycle", "InService")).remove(0);
        assert_eq!(
            (change.change, &change.old, &change.new),
            (Kind::Appeared, &Value::Null, &"InService".into())
        );
        assert_eq!(change.age_seconds, Some(1.0));
        assert_eq!(bench.kinds("lifecycle", there("lifecycle", "InService")), [""; 0]);
        let change = bench.poll("lifecycle", there("lifecycle", "Terminated")).remove(0);
        assert_eq!(
            (change.change, change.old, change.new),
            (Kind::Changed, "InService".into(), "Terminated".into())
        );
        assert_eq!(change.age_seconds, Some(2.0));
        let change = bench.poll("lifecycle", Reading::gone()).remove(0);
        assert_eq!(
            (change.change, change.old, change.new),
            (Kind::Removed, "Terminated".into(), Value::Null)
        );
    }

    #[test]
    fn an_outage_is_never_a_removal() {
        let mut bench = Bench::new();
        bench.poll("lifecycle", there("lifecycle", "InService"));
        let outage = bench.poll("lifecycle", lost()).remove(0);
        assert_eq!((outage.change, outage.event.as_str()), (Kind::Unreachable, "service"));
        assert_eq!(outage.reason.as_deref(), Some("server: 503"));
        assert_eq!(bench.kinds("lifecycle", lost()), [""; 0]);
        let recovered = bench.poll("lifecycle", there("lifecycle", "InService")).remove(0);
        assert_eq!((recovered.change, recovered.age_seconds), (Kind::Recovered, Some(2.0)));
        bench.poll("lifecycle", lost());
        assert_eq!(bench.kinds("lifecycle", there("lifecycle", "Standby")), ["recovered", "changed"]);
        bench.poll("lifecycle", lost());
        assert_eq!(bench.kinds("lifecycle", Reading::gone()), ["recovered", "removed"]);
    }

    #[test]
    fn the_service_has_recovered_once_every_subject_can_be_read() {
        let mut bench = Bench::new();
        assert_eq!(bench.kinds("lifecycle", lost()), ["unreachable"]);
        assert_eq!(bench.kinds("rebalance", lost()), [""; 0]);
        assert_eq!(bench.kinds("lifecycle", Reading::gone()), [""; 0]);
        assert!(bench.detector.is_failing());
        assert_eq!(bench.kinds("rebalance", Reading::gone()), ["recovered"]);
        assert!(!bench.detector.is_failing());
    }

    #[test]
    fn reordered_keys_are_one_notice_and_the_time_left_is_told() {
        let mut bench = Bench::new();
        let notice = r#"{"action":"stop","time":"2017-09-18T08:42:00Z"}"#;
        let change = bench.poll("spot-interruption", there("spot-interruption", notice)).remove(0);
        assert_eq!(change.seconds_left, Some(1_320 - 1_001));
        let reordered = r#"{"time":"2017-09-18T08:42:00Z","action":"stop"}"#;
        assert_eq!(bench.kinds("spot-interruption", there("spot-interruption", reordered)), [""; 0]);
        let another = r#"{"action":"terminate","time":"2017-09-18T08:42:00Z"}"#;
        assert_eq!(bench.kinds("spot-interruption", there("spot-interruption", another)), ["changed"]);
    }

    #[test]
    fn a_time_that_moves_makes_no_new_notice() {
        let mut bench = Bench::new();
        let mut hooks = |word: &str, text: &str| -> Vec<bool> {
            bench.poll(word, there(word, text)).iter().map(|change| change.hook.is_some()).collect()
        };
        let notice = |action: &str, minute: u32| {
            format!(r#"{{"action":"{action}","time":"2017-09-18T08:{minute}:00Z"}}"#)
        };
        assert_eq!(hooks("spot-interruption", &notice("stop", 42)), [true]);
        for minute in 43..49 {
            assert_eq!(hooks("spot-interruption", &notice("stop", minute)), [false]);
        }
        assert_eq!(hooks("spot-interruption", &notice("terminate", 49)), [true]);
        assert_eq!(hooks("rebalance", r#"{"noticeTime":"2020-10-27T08:22:00Z"}"#), [true]);
        assert_eq!(hooks("rebalance", r#"{"noticeTime":"2020-10-27T08:22:05Z"}"#), [false]);
    }

    #[test]
    fn what_was_known_survives_a_restart() {
        let mut bench = Bench::new();
        bench.poll("lifecycle", there("lifecycle", "InService"));
        let kept = serde_json::to_string(&bench.detector).unwrap();
        bench.detector = serde_json::from_str(&kept).unwrap();
        assert_eq!(bench.kinds("lifecycle", there("lifecycle", "InService")), [""; 0]);
        bench.detector = serde_json::from_str(&kept).unwrap();
        let change = bench.poll("lifecycle", there("lifecycle", "Standby")).remove(0);
        assert_eq!((change.old, change.age_seconds), ("InService".into(), None));
    }
}
