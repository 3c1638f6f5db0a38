//! The journal: a line on disk before each call and after it, so that whatever stops the program, what was done can
//! be told and undone.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::plan::Change;
use crate::clock;
use crate::error::Error;

/// What a line says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Entry {
    /// The first line: which plan, by whom.
    Begin {
        /// The SHA-256 of the plan file.
        plan: String,
        /// How many changes it holds.
        changes: usize,
        /// The ARN of the caller.
        by: String,
    },
    /// A call is about to be made.
    Intent {
        /// The number of the change in the plan.
        number: usize,
        /// The change itself, so that the journal is enough to undo it.
        change: Box<Change>,
    },
    /// The call was answered: done.
    Done {
        /// The number of the change.
        number: usize,
    },
    /// The call was refused: nothing was changed.
    Refused {
        /// The number of the change.
        number: usize,
        /// What the service said.
        error: String,
    },
    /// The change is in force.
    Applied {
        /// The number of the change.
        number: usize,
    },
    /// A wave is over, and the gate behind it open.
    Passed {
        /// The number of the wave.
        wave: usize,
    },
    /// A change is about to be undone.
    Undo {
        /// The number of the change.
        number: usize,
    },
    /// The call that undoes it was answered, or was not needed.
    Undone {
        /// The number of the change.
        number: usize,
    },
    /// It is seen to be as it was before the plan, and in force.
    Restored {
        /// The number of the change.
        number: usize,
    },
}

#[derive(Debug, Serialize, Deserialize)]
struct Line {
    at: jiff::Timestamp,
    #[serde(flatten)]
    entry: Entry,
}

/// How far a change has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// The call was about to be made: it may have been, or not.
    Intended,
    /// It was made.
    Done,
    /// It was made and is in force.
    Applied,
    /// It was refused.
    Refused,
    /// It was about to be undone: it may have been, or not.
    Undoing,
    /// It was undone.
    Undone,
    /// It was undone, and what was before is in force.
    Restored,
}

/// An open journal, locked against a second run.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    file: File,
    /// The plan it belongs to, if it has begun.
    pub plan: Option<String>,
    /// How far each change has come.
    pub progress: BTreeMap<usize, Progress>,
    /// The changes that were begun.
    pub changes: BTreeMap<usize, Change>,
}

impl Journal {
    /// Opens a journal and reads what it says; makes a new one if `create`.
    ///
    /// # Errors
    ///
    /// When it cannot be used, is in use, or is no journal.
    pub fn open(path: &Path, create: bool) -> Result<Self, Error> {
        let failed = |source| Error::file(path, source);
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(create)
            .truncate(false)
            .open(path)
            .map_err(failed)?;
        file.try_lock().map_err(|error| match error {
            std::fs::TryLockError::WouldBlock => {
                Error::Input(format!("journal `{}` is in use by another run", path.display()))
            }
            std::fs::TryLockError::Error(source) => Error::file(path, source),
        })?;
        let mut text = Vec::new();
        file.read_to_end(&mut text).map_err(failed)?;
        // A line without its end was being written when the program was stopped: what it announces was not begun.
        let whole = text.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        file.set_len(whole as u64).map_err(failed)?;
        file.seek(SeekFrom::End(0)).map_err(failed)?;
        let mut journal = Self {
            path: path.to_owned(),
            file,
            plan: None,
            progress: BTreeMap::new(),
            changes: BTreeMap::new(),
        };
        for (number, line) in text[..whole].split(|byte| *byte == b'\n').enumerate() {
            if line.is_empty() {
                continue;
            }
            let line: Line = serde_json::from_slice(line).map_err(|error| {
                Error::Input(format!("journal `{}`, line {}: {error}", path.display(), number + 1))
            })?;
            journal.take_in(line.entry);
        }
        Ok(journal)
    }

    fn take_in(&mut self, entry: Entry) {
        let (number, progress) = match entry {
            Entry::Begin { plan, .. } => {
                self.plan = Some(plan);
                return;
            }
            Entry::Passed { .. } => return,
            Entry::Intent { number, change } => {
                self.changes.insert(number, *change);
                (number, Progress::Intended)
            }
            Entry::Done { number } => (number, Progress::Done),
            Entry::Refused { number, .. } => (number, Progress::Refused),
            Entry::Applied { number } => (number, Progress::Applied),
            Entry::Undo { number } => (number, Progress::Undoing),
            Entry::Undone { number } => (number, Progress::Undone),
            Entry::Restored { number } => (number, Progress::Restored),
        };
        self.progress.insert(number, progress);
    }

    /// Writes a line, and returns once it is on disk.
    ///
    /// # Errors
    ///
    /// When it cannot be written: then the call may not be made.
    pub fn write(&mut self, entry: Entry) -> Result<(), Error> {
        let failed = |source| Error::file(&self.path, source);
        let line = Line { at: clock::now(), entry };
        let mut text = serde_json::to_vec(&line).map_err(|error| failed(error.into()))?;
        text.push(b'\n');
        self.file.write_all(&text).and_then(|()| self.file.sync_data()).map_err(failed)?;
        self.take_in(line.entry);
        Ok(())
    }

    /// How far a change has come; none when it was not begun.
    #[must_use]
    pub fn of(&self, number: usize) -> Option<Progress> {
        self.progress.get(&number).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::change::plan::Target;
    use crate::inventory::options::Options;
    use crate::inventory::resource::AccountRegion;

    fn change() -> Change {
        Change {
            place: AccountRegion { account: "111122223333".to_owned(), region: "us-east-1".to_owned() },
            target: Target::Instance { id: "i-1".to_owned() },
            name: None,
            prior: Options::NONE,
            new: Options::NONE,
            http_tokens_enforced: None,
            usage: None,
        }
    }

    #[test]
    fn cut_anywhere_it_says_what_its_whole_lines_say() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("journal");
        let mut journal = Journal::open(&path, true).unwrap();
        journal.write(Entry::Begin { plan: "p".to_owned(), changes: 1, by: "me".to_owned() }).unwrap();
        journal.write(Entry::Intent { number: 0, change: Box::new(change()) }).unwrap();
        journal.write(Entry::Done { number: 0 }).unwrap();
        drop(journal);
        let whole = std::fs::read(&path).unwrap();
        let ends: Vec<usize> =
            whole.iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(at, _)| at + 1).collect();
        for cut in 0..=whole.len() {
            std::fs::write(&path, &whole[..cut]).unwrap();
            let journal = Journal::open(&path, false).unwrap();
            let lines = ends.iter().filter(|end| **end <= cut).count();
            let expected = [None, None, Some(Progress::Intended), Some(Progress::Done)][lines];
            assert_eq!(journal.of(0), expected, "cut at {cut}");
            assert_eq!(journal.plan.is_some(), lines > 0, "cut at {cut}");
        }
    }

    #[test]
    fn one_run_at_a_time_and_no_other_file() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("journal");
        let held = Journal::open(&path, true).unwrap();
        let error = Journal::open(&path, true).unwrap_err();
        assert!(error.to_string().ends_with("is in use by another run"), "{error}");
        drop(held);
        std::fs::write(&path, "shopping list\n").unwrap();
        let error = Journal::open(&path, true).unwrap_err();
        assert!(error.to_string().contains("line 1: expected"), "{error}");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "shopping list\n");
    }
}
