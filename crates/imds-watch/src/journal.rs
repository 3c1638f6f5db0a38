//! Which hooks ran: what makes a hook run at most once for one notice, over restarts too.

use std::collections::{BTreeSet, VecDeque};

use serde::{Deserialize, Serialize};

use crate::change::Change;

/// How many finished runs are remembered. An instance sees a handful of notices in its life.
const REMEMBERED: usize = 256;
/// How many runs may wait. A hook that hangs while tags flap must not fill the memory.
const WAITING: usize = 1_024;

/// How far a hook's run has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HookState {
    /// To be run.
    Waiting,
    /// Begun. Found after a restart, it was cut off: what it had done is not known, so it is not
    /// run again.
    Started,
    /// Ended with success.
    Done,
    /// Ended without, for the last time.
    Failed,
    /// Began, and this process ended before it did.
    CutOff,
}

/// One run of the hook.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HookEntry {
    id: String,
    once: bool,
    /// How far it has come.
    pub state: HookState,
    /// How often it was begun.
    pub attempts: u32,
    /// The change that the hook runs for.
    pub change: Change,
}

impl HookEntry {
    const fn is_open(&self) -> bool {
        matches!(self.state, HookState::Waiting | HookState::Started)
    }
}

/// The runs of the hook, oldest first.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct HookJournal {
    entries: VecDeque<HookEntry>,
}

impl HookJournal {
    /// Takes in a change that a hook may have to run for; whether it has to.
    pub fn note(&mut self, change: &Change) -> bool {
        let Some(name) = &change.hook else { return false };
        if name.once && self.entries.iter().any(|entry| entry.id == name.id) {
            return false;
        }
        if self.entries.iter().filter(|entry| entry.state == HookState::Waiting).count() >= WAITING {
            return false;
        }
        self.entries.push_back(HookEntry {
            id: name.id.clone(),
            once: name.once,
            state: HookState::Waiting,
            attempts: 0,
            change: change.clone(),
        });
        true
    }

    /// Marks the oldest waiting run of an event as begun and gives it out. Save the journal before
    /// running it: that is what makes it happen at most once.
    pub fn begin(&mut self, event: &str) -> Option<&HookEntry> {
        let waits = |entry: &&mut HookEntry| entry.state == HookState::Waiting && entry.change.event == event;
        let entry = self.entries.iter_mut().find(waits)?;
        entry.state = HookState::Started;
        entry.attempts += 1;
        Some(entry)
    }

    /// Takes in how the run of an event that was begun ended; whether it is tried again, because it
    /// failed and fewer than `retries` tries were made after the first.
    pub fn end(&mut self, event: &str, success: bool, retries: u32) -> bool {
        let runs = |entry: &&mut HookEntry| entry.state == HookState::Started && entry.change.event == event;
        let Some(entry) = self.entries.iter_mut().find(runs) else {
            return false;
        };
        let again = !success && entry.attempts <= retries;
        entry.state = match (success, again) {
            (true, _) => HookState::Done,
            (false, true) => HookState::Waiting,
            (false, false) => HookState::Failed,
        };
        self.forget();
        again
    }

    /// After a restart: runs that had begun were cut off. Gives them out, so that they can be told.
    pub fn recover(&mut self) -> Vec<HookEntry> {
        let begun = self.entries.iter_mut().filter(|entry| entry.state == HookState::Started);
        let cut_off = begun
            .map(|entry| {
                entry.state = HookState::CutOff;
                entry.clone()
            })
            .collect();
        self.forget();
        cut_off
    }

    /// After a restart of the machine: drops the runs that had not ended, which belong to another
    /// boot or another instance. Gives them out, so that they can be told.
    pub fn drop_unfinished(&mut self) -> Vec<HookEntry> {
        let (open, ended) = std::mem::take(&mut self.entries).into_iter().partition(HookEntry::is_open);
        self.entries = ended;
        VecDeque::into(open)
    }

    /// The events that have a run waiting.
    #[must_use]
    pub fn waiting(&self) -> BTreeSet<&str> {
        let waiting = self.entries.iter().filter(|entry| entry.state == HookState::Waiting);
        waiting.map(|entry| entry.change.event.as_str()).collect()
    }

    /// Drops what need not be remembered: runs for values, which may come back and then count
    /// again, and the oldest of too many notices.
    fn forget(&mut self) {
        self.entries.retain(|entry| entry.is_open() || entry.once);
        while self.entries.iter().filter(|entry| !entry.is_open()).count() > REMEMBERED {
            if let Some(oldest) = self.entries.iter().position(|entry| !entry.is_open()) {
                self.entries.remove(oldest);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::change::{HookName, Kind};

    fn change(id: &str, once: bool) -> Change {
        Change {
            event: "rebalance".to_owned(),
            path: None,
            change: Kind::Appeared,
            old: serde_json::Value::Null,
            new: id.into(),
            time: String::new(),
            age_seconds: None,
            seconds_left: None,
            reason: None,
            hook: Some(HookName { id: id.to_owned(), once }),
        }
    }

    fn restarted(journal: &HookJournal) -> HookJournal {
        serde_json::from_str(&serde_json::to_string(journal).unwrap()).unwrap()
    }

    #[test]
    fn a_notice_is_acted_on_once_and_two_are_two() {
        let mut journal = HookJournal::default();
        assert!(journal.note(&change("a", true)));
        assert!(!journal.note(&change("a", true)));
        assert!(journal.note(&change("b", true)));
        assert_eq!(journal.begin("rebalance").unwrap().change.new, "a");
        assert!(!journal.end("rebalance", true, 0));
        let mut journal = restarted(&journal);
        assert!(!journal.note(&change("a", true)));
        assert_eq!(journal.begin("rebalance").unwrap().change.new, "b");
        assert_eq!(journal.begin("rebalance"), None);
    }

    #[test]
    fn a_value_that_comes_back_counts_again() {
        let mut journal = HookJournal::default();
        for _ in 0..2 {
            assert!(journal.note(&change("a", false)));
            journal.begin("rebalance").unwrap();
            journal.end("rebalance", true, 0);
        }
    }

    #[test]
    fn a_run_that_was_cut_off_is_not_repeated_and_one_that_waited_is_run() {
        let mut journal = HookJournal::default();
        journal.note(&change("a", true));
        journal.note(&change("b", true));
        journal.begin("rebalance").unwrap();
        let mut journal = restarted(&journal);
        let cut_off = journal.recover();
        assert_eq!((cut_off.len(), cut_off[0].state), (1, HookState::CutOff));
        assert!(!journal.note(&change("a", true)));
        assert_eq!(journal.waiting(), ["rebalance"].into());
        assert_eq!(journal.begin("rebalance").unwrap().change.new, "b");
    }

    #[test]
    fn a_failure_is_retried_as_often_as_was_asked() {
        let mut journal = HookJournal::default();
        journal.note(&change("a", true));
        for retry_follows in [true, true, false] {
            assert_eq!(journal.begin("rebalance").unwrap().change.new, "a");
            assert_eq!(journal.end("rebalance", false, 2), retry_follows);
        }
        assert_eq!(journal.begin("rebalance"), None);
        assert!(!journal.note(&change("a", true)));
    }

    #[test]
    fn it_does_not_grow_without_bound() {
        let mut journal = HookJournal::default();
        for number in 0..3_000 {
            journal.note(&change(&number.to_string(), true));
        }
        assert_eq!(journal.entries.len(), WAITING);
        while journal.begin("rebalance").is_some() {
            journal.end("rebalance", true, 0);
        }
        assert_eq!(journal.entries.len(), REMEMBERED);
    }

    #[test]
    fn events_do_not_wait_for_each_other() {
        let mut journal = HookJournal::default();
        journal.note(&change("a", true));
        journal.note(&Change { event: "spot-interruption".to_owned(), ..change("b", true) });
        assert_eq!(journal.waiting(), ["rebalance", "spot-interruption"].into());
        assert_eq!(journal.begin("rebalance").unwrap().change.new, "a");
        assert_eq!(journal.begin("spot-interruption").unwrap().change.new, "b");
        assert!(!journal.end("spot-interruption", true, 0));
        assert!(journal.end("rebalance", false, 1));
    }

    #[test]
    fn another_boot_drops_what_had_not_ended_and_remembers_what_had() {
        let mut journal = HookJournal::default();
        for id in ["a", "b", "c"] {
            journal.note(&change(id, true));
        }
        journal.begin("rebalance").unwrap();
        journal.end("rebalance", true, 0);
        journal.begin("rebalance").unwrap();
        assert_eq!(journal.drop_unfinished().len(), 2);
        assert!(!journal.note(&change("a", true)), "it was done");
        assert!(journal.note(&change("c", true)));
    }
}
