//! The journal's file, and the lock that keeps a second daemon off it.
//!
//! What is wrong with the file or its directory never keeps a command from running: the daemon says
//! what is lost and goes on without.

use std::path::Path;
use std::time::Duration;

use imds_files::{FileErrorKind, PrivateDirectory};

use crate::failure::Failure;
use crate::machine::record::{Record, VERSION};
use crate::say;

/// How long a lock that is held is waited for: a daemon that was killed while it started a process
/// leaves its lock to that process for the moment until it has become another program.
const PATIENCE: Duration = Duration::from_secs(1);
const NAME: &str = "journal.json";

/// The journal in its directory.
#[derive(Debug)]
pub(crate) struct Journal {
    /// `None` for a dry run, and if the directory cannot be used.
    directory: Option<PrivateDirectory>,
    _lock: Option<imds_files::Lock>,
    /// The last save failed, and that was said.
    said: bool,
}

/// What the journal held.
#[derive(Debug)]
pub(crate) enum Content {
    Nothing,
    Record(Box<Record>),
    /// Something else. What was done before is unknown.
    Damaged,
}

impl Journal {
    /// Opens the journal in this directory, which is made if it does not exist.
    pub(crate) fn open(directory: &Path, dry_run: bool) -> Result<Self, Failure> {
        let without = Self { directory: None, _lock: None, said: false };
        if dry_run {
            return Ok(without);
        }
        let opened = PrivateDirectory::create(directory).and_then(|directory| {
            let lock = directory.lock("daemon.lock", PATIENCE)?;
            Ok((directory, lock))
        });
        match opened {
            Ok((directory, lock)) => Ok(Self { directory: Some(directory), _lock: Some(lock), said: false }),
            Err(error) if error.kind() == FileErrorKind::Locked => {
                let shown = directory.display();
                Err(Failure::new(format!("another `imds-lifecycle` works in directory `{shown}`")))
            }
            Err(error) => {
                say(&format!("{error}; going on without a journal: a restart may run a command again"));
                Ok(without)
            }
        }
    }

    /// The directory for the files of commands.
    pub(crate) const fn directory(&self) -> Option<&PrivateDirectory> {
        self.directory.as_ref()
    }

    /// What was written last.
    pub(crate) fn load(&self) -> Content {
        let Some(directory) = &self.directory else { return Content::Nothing };
        match directory.read_json::<Record>(NAME) {
            Ok(None) => Content::Nothing,
            Ok(Some(record)) if record.version == VERSION => Content::Record(Box::new(record)),
            Ok(Some(record)) => {
                say(&format!(
                    "the journal has version {}, not {VERSION}: starting a new one",
                    record.version
                ));
                Content::Damaged
            }
            // An empty file is what `mktemp` and tmpfiles.d make.
            Err(error) => {
                say(&format!("{error}: starting a new journal; a command may run again"));
                Content::Damaged
            }
        }
    }

    /// Writes the record; it is on the disk when this returns, unless the disk does not take it,
    /// which is said once.
    pub(crate) fn save(&mut self, record: &Record) {
        let Some(directory) = &self.directory else { return };
        match directory.replace_json(NAME, record) {
            Ok(()) => self.said = false,
            Err(error) => {
                if !std::mem::replace(&mut self.said, true) {
                    say(&format!("{error}; going on, but a restart may run a command again"));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn record(journal: &Journal) -> Option<Record> {
        match journal.load() {
            Content::Record(record) => Some(*record),
            Content::Nothing => None,
            Content::Damaged => panic!("damaged"),
        }
    }

    #[test]
    fn one_daemon_and_what_it_wrote() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("state");
        let mut journal = Journal::open(&path, false).unwrap();
        let error = Journal::open(&path, false).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("another `imds-lifecycle` works in directory `{}`", path.display())
        );
        assert_eq!(record(&journal), None);
        let saved = Record { number: 7, ..Record::new("i-1", "b-1") };
        journal.save(&saved);
        assert_eq!(record(&journal), Some(saved));
        drop(journal);
        let journal = Journal::open(&path, false).unwrap();
        for damage in ["", "}", r#"{"version":1}"#] {
            std::fs::write(path.join("journal.json"), damage).unwrap();
            assert!(matches!(journal.load(), Content::Damaged), "{damage}");
        }
    }

    #[test]
    fn a_directory_that_cannot_be_used_is_gone_on_without() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("open");
        std::fs::create_dir(&path).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o777)).unwrap();
        std::fs::write(path.join("journal.json"), "planted").unwrap();
        std::fs::write(directory.path().join("file"), "").unwrap();
        for path in [path, directory.path().join("file")] {
            let mut journal = Journal::open(&path, false).unwrap();
            assert!(journal.directory().is_none());
            assert!(matches!(journal.load(), Content::Nothing));
            journal.save(&Record::new("i-1", "b-1"));
        }
    }

    #[test]
    fn a_save_that_fails_is_gone_on_without() {
        let directory = tempfile::tempdir().unwrap();
        let mut journal = Journal::open(directory.path(), false).unwrap();
        std::fs::create_dir(directory.path().join("journal.json")).unwrap();
        journal.save(&Record::new("i-1", "b-1"));
        assert!(journal.said);
        std::fs::remove_dir(directory.path().join("journal.json")).unwrap();
        journal.save(&Record::new("i-1", "b-1"));
        assert!(!journal.said);
    }

    #[test]
    fn a_dry_run_writes_nothing() {
        let directory = tempfile::tempdir().unwrap();
        let mut journal = Journal::open(directory.path(), true).unwrap();
        journal.save(&Record::new("i-1", "b-1"));
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0);
    }
}
