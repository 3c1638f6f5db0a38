//! Which hooks ran: what makes a hook run at most once for one notice, over restarts too.

use std::collections::VecDeque;

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
    /// Begun. Found after a restart, it was cut off: what it had done is not known, so it is not run again.
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
    /// What the hook is told.
    pub change: Change,
}

/// The runs of the hook, oldest first.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Ledger {
    entries: VecDeque<HookEntry>,
}

impl Ledger {
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

    /// Marks the oldest waiting run as begun and gives it out. Save the ledger before running it: that is what makes
    /// it happen at most once.
    pub fn begin(&mut self) -> Option<&HookEntry> {
        let entry = self.entries.iter_mut().find(|entry| entry.state == HookState::Waiting)?;
        entry.state = HookState::Started;
        entry.attempts += 1;
        Some(entry)
    }

    /// Takes in how the run that was begun ended; whether it is tried again, because it failed and fewer than
    /// `retries` tries were made after the first.
    pub fn end(&mut self, success: bool, retries: u32) -> bool {
        let Some(entry) = self.entries.iter_mut().find(|entry| entry.state == HookState::Started) else {
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

    /// Whether a run waits.
    #[must_use]
    pub fn is_waiting(&self) -> bool {
        self.entries.iter().any(|entry| entry.state == HookState::Waiting)
    }

    /// Drops what need not be remembered: runs for values, which may come back and then count again, and the oldest
    /// of too many notices.
    fn forget(&mut self) {
        let open = |entry: &HookEntry| matches!(entry.state, HookState::Waiting | HookState::Started);
        self.entries.retain(|entry| open(entry) || entry.once);
        while self.entries.iter().filter(|entry| !open(entry)).count() > REMEMBERED {
            if let Some(oldest) = self.entries.iter().position(|entry| !open(entry)) {
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

    fn restarted(ledger: &Ledger) -> Ledger {
        serde_json::from_str(&serde_json::to_string(ledger).unwrap()).unwrap()
    }

    #[test]
    fn a_notice_is_acted_on_once_and_two_are_two() {
        let mut ledger = Ledger::default();
        assert!(ledger.note(&change("a", true)));
        assert!(!ledger.note(&change("a", true)));
        assert!(ledger.note(&change("b", true)));
        assert_eq!(ledger.begin().unwrap().change.new, "a");
        assert!(!ledger.end(true, 0));
        let mut ledger = restarted(&ledger);
        assert!(!ledger.note(&change("a", true)));
        assert_eq!(ledger.begin().unwrap().change.new, "b");
        assert_eq!(ledger.begin(), None);
    }

    #[test]
    fn a_value_that_comes_back_counts_again() {
        let mut ledger = Ledger::default();
        for _ in 0..2 {
            assert!(ledger.note(&change("a", false)));
            ledger.begin().unwrap();
            ledger.end(true, 0);
        }
    }

    #[test]
    fn a_run_that_was_cut_off_is_not_repeated_and_one_that_waited_is_run() {
        let mut ledger = Ledger::default();
        ledger.note(&change("a", true));
        ledger.note(&change("b", true));
        ledger.begin().unwrap();
        let mut ledger = restarted(&ledger);
        let cut_off = ledger.recover();
        assert_eq!((cut_off.len(), cut_off[0].state), (1, HookState::CutOff));
        assert!(!ledger.note(&change("a", true)));
        assert!(ledger.is_waiting());
        assert_eq!(ledger.begin().unwrap().change.new, "b");
    }

    #[test]
    fn a_failure_is_retried_as_often_as_was_asked() {
        let mut ledger = Ledger::default();
        ledger.note(&change("a", true));
        for retry_follows in [true, true, false] {
            assert_eq!(ledger.begin().unwrap().change.new, "a");
            assert_eq!(ledger.end(false, 2), retry_follows);
        }
        assert_eq!(ledger.begin(), None);
        assert!(!ledger.note(&change("a", true)));
    }

    #[test]
    fn it_does_not_grow_without_bound() {
        let mut ledger = Ledger::default();
        for number in 0..3_000 {
            ledger.note(&change(&number.to_string(), true));
        }
        assert_eq!(ledger.entries.len(), WAITING);
        while ledger.begin().is_some() {
            ledger.end(true, 0);
        }
        assert_eq!(ledger.entries.len(), REMEMBERED);
    }
}
