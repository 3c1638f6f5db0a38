//! The journal: a line on disk before each call and one after it, so that whatever stops the
//! program, what was done is known and can be undone.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use imds_files::FileErrorKind;

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
        /// The version of the journal's lines.
        #[serde(default = "first_version")]
        schema_version: u32,
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
    /// The target does not exist any more: there is nothing to change and nothing to undo.
    Gone {
        /// The number of the change.
        number: usize,
    },
    /// Someone else had made the change before us: there is nothing to undo.
    Skipped {
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

/// The version of the lines that this program writes.
pub const SCHEMA_VERSION: u32 = 1;

/// The lines of the first version do not say which they are.
const fn first_version() -> u32 {
    1
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
    /// Its target does not exist any more.
    Gone,
    /// Someone else had made it before us.
    Skipped,
    /// It was about to be undone: it may have been, or not.
    Undoing,
    /// It was undone.
    Undone,
    /// It was undone, and what was before is in force.
    Restored,
}

/// How large a journal may be: 10,000 changes are about 10 MB.
const LIMIT: usize = 1 << 30;
/// How every line begins, so that even a torn first line is recognised.
const LINE_START: &[u8] = b"{\"at\":\"";

/// An open journal, locked against a second run.
#[derive(Debug)]
pub struct Journal {
    file: imds_files::Journal,
    /// The plan it belongs to, if it has begun.
    pub plan: Option<String>,
    /// How far each change has come.
    pub progress: BTreeMap<usize, Progress>,
    /// The changes that were begun.
    pub changes: BTreeMap<usize, Change>,
    /// The waves whose gate was found open.
    pub passed: BTreeSet<usize>,
    /// When each change was first announced, in seconds since 1970.
    announced: BTreeMap<usize, i64>,
}

impl Journal {
    /// Opens a journal and reads it; makes a new one if `create`. Nothing that is there is changed.
    ///
    /// # Errors
    ///
    /// Returns an error if the file cannot be used, another run uses it, or it is not a journal.
    pub fn open(path: &Path, create: bool) -> Result<Self, Error> {
        let (file, content) = imds_files::Journal::open(path, create, LIMIT).map_err(|error| {
            if error.kind() == FileErrorKind::Locked {
                return Error::Input(format!("another run uses journal `{}`", path.display()));
            }
            Error::unopened(&error)
        })?;
        let mut journal = Self {
            file,
            plan: None,
            progress: BTreeMap::new(),
            changes: BTreeMap::new(),
            passed: BTreeSet::new(),
            announced: BTreeMap::new(),
        };
        let foreign = |why: String| {
            Error::Input(format!(
                "`{}` is not a journal of `imds-fleet apply` and was left as it is: {why}",
                path.display()
            ))
        };
        // A line without its end was being written when the program was stopped: what it announces
        // was not begun. It is cut when the next line is written, if it is a line of ours at all.
        let torn = &content.torn[..content.torn.len().min(LINE_START.len())];
        if !LINE_START.starts_with(torn) {
            return Err(foreign("its last line is of another kind".to_owned()));
        }
        for (number, line) in content.lines.split(|byte| *byte == b'\n').enumerate() {
            if line.is_empty() {
                continue;
            }
            let line: Line = serde_json::from_slice(line)
                .map_err(|error| foreign(format!("line {}: {error}", number + 1)))?;
            if let Some(why) = journal.objection(&line.entry) {
                return Err(foreign(format!("line {}: {why}", number + 1)));
            }
            journal.take_in(line);
        }
        Ok(journal)
    }

    /// Why a line cannot follow those before it: what is missing or put together from two journals
    /// would leave changes out of a rollback that says it restored all.
    fn objection(&self, entry: &Entry) -> Option<String> {
        match (entry, &self.plan) {
            (Entry::Begin { schema_version, .. }, _) if *schema_version != SCHEMA_VERSION => {
                Some(format!("has version {schema_version}, this program knows {SCHEMA_VERSION}"))
            }
            (Entry::Begin { .. }, None) => None,
            (Entry::Begin { .. }, Some(_)) => Some("another run begins in the same file".to_owned()),
            (_, None) => Some("the beginning of the run is missing".to_owned()),
            (
                Entry::Done { number }
                | Entry::Refused { number, .. }
                | Entry::Applied { number }
                | Entry::Undo { number }
                | Entry::Undone { number }
                | Entry::Restored { number },
                Some(_),
            ) if !self.changes.contains_key(number) => {
                Some(format!("the announcement of change {number} is missing"))
            }
            _ => None,
        }
    }

    fn take_in(&mut self, Line { at, entry }: Line) {
        let (number, progress) = match entry {
            Entry::Begin { plan, .. } => {
                self.plan = Some(plan);
                return;
            }
            Entry::Passed { wave } => {
                self.passed.insert(wave);
                return;
            }
            Entry::Intent { number, change } => {
                self.changes.insert(number, *change);
                self.announced.entry(number).or_insert(at.as_second());
                (number, Progress::Intended)
            }
            Entry::Done { number } => (number, Progress::Done),
            Entry::Refused { number, .. } => (number, Progress::Refused),
            Entry::Gone { number } => (number, Progress::Gone),
            Entry::Skipped { number } => (number, Progress::Skipped),
            Entry::Applied { number } => (number, Progress::Applied),
            Entry::Undo { number } => (number, Progress::Undoing),
            Entry::Undone { number } => (number, Progress::Undone),
            Entry::Restored { number } => (number, Progress::Restored),
        };
        self.progress.insert(number, progress);
    }

    /// Writes a line. One that announces a call is on disk when this returns; one that says what
    /// came of it may follow with the next: lost with the power of the machine, the next run looks
    /// into what was announced.
    ///
    /// # Errors
    ///
    /// Returns an error if it cannot be written: then the call must not be made.
    pub fn write(&mut self, entry: Entry) -> Result<(), Error> {
        let line = Line { at: clock::now(), entry };
        let text = serde_json::to_vec(&line)
            .map_err(|error| Error::Stopped(format!("cannot write the journal: {error}")))?;
        let written = match &line.entry {
            Entry::Begin { .. } | Entry::Intent { .. } | Entry::Undo { .. } | Entry::Passed { .. } => {
                self.file.append(&text)
            }
            Entry::Done { .. }
            | Entry::Refused { .. }
            | Entry::Applied { .. }
            | Entry::Gone { .. }
            | Entry::Skipped { .. }
            | Entry::Undone { .. }
            | Entry::Restored { .. } => self.file.append_lazily(&text),
        };
        written.map_err(Error::from_file)?;
        self.take_in(line);
        Ok(())
    }

    /// When the first of these changes was announced, in seconds since 1970; none when none was.
    #[must_use]
    pub fn began(&self, wave: &[usize]) -> Option<i64> {
        wave.iter().filter_map(|number| self.announced.get(number)).min().copied()
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
            used_by: Vec::new(),
        }
    }

    #[test]
    fn cut_anywhere_it_says_what_its_whole_lines_say() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("journal");
        let mut journal = Journal::open(&path, true).unwrap();
        journal
            .write(Entry::Begin { schema_version: 1, plan: "p".to_owned(), changes: 1, by: "me".to_owned() })
            .unwrap();
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
        assert!(error.to_string().starts_with("another run uses journal `"), "{error}");
        drop(held);
        for text in ["shopping list\n", "precious", "{", "{\"at\": 1}", "{\"a\":1}\nprecious", "\u{0}\u{1}"] {
            std::fs::write(&path, text).unwrap();
            let opened = Journal::open(&path, true);
            if text == "{" {
                // May be the first byte of a first line, and is kept until something is appended.
                assert!(opened.unwrap().plan.is_none());
            } else {
                let error = opened.unwrap_err();
                assert!(
                    error.to_string().contains("is not a journal of `imds-fleet apply`"),
                    "{text}: {error}"
                );
            }
            assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
        }
    }

    #[test]
    fn lines_that_are_missing_or_of_two_journals_are_refused() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("journal");
        let mut journal = Journal::open(&path, true).unwrap();
        let begin = Entry::Begin { schema_version: 1, plan: "p".to_owned(), changes: 1, by: "me".to_owned() };
        journal.write(begin).unwrap();
        journal.write(Entry::Intent { number: 0, change: Box::new(change()) }).unwrap();
        journal.write(Entry::Done { number: 0 }).unwrap();
        drop(journal);
        let whole = std::fs::read_to_string(&path).unwrap();
        let [begin, intent, done] = *whole.lines().collect::<Vec<_>>() else { panic!("{whole}") };
        let other = begin.replace("\"schema_version\":1", "\"schema_version\":2");
        let cases = [
            (format!("{intent}\n{done}\n"), "line 1: the beginning of the run is missing"),
            (format!("{begin}\n{done}\n"), "line 2: the announcement of change 0 is missing"),
            (format!("{whole}{whole}"), "line 4: another run begins in the same file"),
            (format!("{other}\n{intent}\n"), "line 1: has version 2, this program knows 1"),
        ];
        for (text, says) in cases {
            std::fs::write(&path, &text).unwrap();
            let error = Journal::open(&path, true).unwrap_err().to_string();
            assert!(error.ends_with(says), "{error}");
            assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
        }
        // What runs before there were versions wrote, and what an editor of Windows makes of it.
        let first = whole.replace("\"schema_version\":1,", "");
        for text in [first.clone(), first.replace('\n', "\r\n")] {
            std::fs::write(&path, &text).unwrap();
            assert_eq!(Journal::open(&path, true).unwrap().of(0), Some(Progress::Done));
        }
    }
}
