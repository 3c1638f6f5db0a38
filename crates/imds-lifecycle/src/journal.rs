//! The journal's file, and the lock that keeps a second daemon off it.

use std::error::Error as _;
use std::fs::{DirBuilder, File};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use imds::BootId;
use imds_watch::DurableError;
use rustix::fs::FlockOperation;

use crate::failure::Failure;
use crate::record::{Record, VERSION};

/// How often, and how long apart, a lock that is held is tried again: a daemon that was killed while it started a
/// process leaves its lock to that process for the moment until it has become another program.
const TRIES: u32 = 20;
const PAUSE: Duration = Duration::from_millis(50);

/// The journal in its directory.
#[derive(Debug)]
pub(crate) struct Journal {
    file: PathBuf,
    /// Nothing is written.
    dry_run: bool,
    _lock: Option<File>,
}

impl Journal {
    /// Opens the journal in this directory, which is made where it is missing.
    pub(crate) fn open(directory: &Path, dry_run: bool) -> Result<Self, Failure> {
        let file = directory.join("journal.json");
        if dry_run {
            return Ok(Self { file, dry_run, _lock: None });
        }
        let shown = directory.display();
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(directory)
            .map_err(|error| Failure::new(format!("cannot make directory `{shown}`")).caused_by(&error))?;
        let path = directory.join("daemon.lock");
        let lock =
            File::options().create(true).append(true).open(&path).map_err(|error| {
                Failure::new(format!("cannot open `{}`", path.display())).caused_by(&error)
            })?;
        let mut locked = rustix::fs::flock(&lock, FlockOperation::NonBlockingLockExclusive);
        for _ in 0..TRIES {
            if locked != Err(rustix::io::Errno::WOULDBLOCK) {
                break;
            }
            std::thread::sleep(PAUSE);
            locked = rustix::fs::flock(&lock, FlockOperation::NonBlockingLockExclusive);
        }
        match locked {
            Ok(()) => Ok(Self { file, dry_run, _lock: Some(lock) }),
            Err(rustix::io::Errno::WOULDBLOCK) => {
                Err(Failure::new(format!("another `imds-lifecycle` works in directory `{shown}`")))
            }
            Err(errno) => Err(Failure::new(format!("cannot lock `{}`", path.display())).caused_by(&errno)),
        }
    }

    /// What was written last; a new record where that was by another instance.
    pub(crate) fn load(&self, instance_id: &str) -> Result<Record, Failure> {
        let record = self.read()?.filter(|record| record.instance_id == instance_id);
        Ok(record.unwrap_or_else(|| Record::new(instance_id)))
    }

    /// The record of an action that this start of the machine has not yet seen completed, with the Region. Nobody has to
    /// be asked whose it is: an image, or a volume that moved, would have been started anew.
    pub(crate) fn unfinished(&self, boot: Option<&BootId>) -> Result<Option<(Record, String)>, Failure> {
        let Some(record) = self.read()?.filter(|record| record.action.is_some()) else { return Ok(None) };
        let known =
            record.known.as_ref().filter(|known| Some(known.boot.as_str()) == boot.map(BootId::as_str));
        Ok(known.map(|known| known.region.clone()).map(|region| (record, region)))
    }

    fn read(&self) -> Result<Option<Record>, Failure> {
        let record: Option<Record> = imds_watch::load(&self.file).map_err(|error| {
            told(&error).hint(
                "remove it only where no lifecycle action is being worked on: it keeps a command from \
                               running twice",
            )
        })?;
        match record {
            Some(record) if record.version != VERSION => Err(Failure::new(format!(
                "journal `{}` has version `{}`, not `{VERSION}`",
                self.file.display(),
                record.version
            ))),
            record => Ok(record),
        }
    }

    /// Writes the record; it is on the disk when this returns.
    pub(crate) fn save(&self, record: &Record) -> Result<(), Failure> {
        if self.dry_run {
            return Ok(());
        }
        imds_watch::save(&self.file, record).map_err(|error| told(&error))
    }
}

fn told(error: &DurableError) -> Failure {
    let failure = Failure::new(error.to_string());
    match error.source() {
        Some(cause) => failure.caused_by(&cause),
        None => failure,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_daemon_and_one_instance() {
        let directory = tempfile::tempdir().unwrap();
        let place = directory.path().join("state");
        let journal = Journal::open(&place, false).unwrap();
        let error = Journal::open(&place, false).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("another `imds-lifecycle` works in directory `{}`", place.display())
        );
        let record = Record { number: 7, ..Record::new("i-1") };
        journal.save(&record).unwrap();
        assert_eq!(journal.load("i-1").unwrap(), record);
        assert_eq!(journal.load("i-2").unwrap(), Record::new("i-2"));
        drop(journal);
        let journal = Journal::open(&place, false).unwrap();
        std::fs::write(place.join("journal.json"), "}").unwrap();
        assert!(journal.load("i-1").unwrap_err().to_string().ends_with("is damaged at line 1, column 1"));
    }

    #[test]
    fn an_unfinished_action_is_resumed_by_this_start_of_the_machine_only() {
        use crate::record::{Action, Known, Stage};
        let directory = tempfile::tempdir().unwrap();
        let journal = Journal::open(directory.path(), false).unwrap();
        let boot = BootId::new("b-1");
        assert_eq!(journal.unfinished(boot.as_ref()).unwrap(), None);
        let known = Known { boot: "b-1".to_owned(), region: "us-east-1".to_owned(), details: None };
        let idle = Record { known: Some(known), ..Record::new("i-1") };
        journal.save(&idle).unwrap();
        assert_eq!(journal.unfinished(boot.as_ref()).unwrap(), None);
        let action = Action { number: 1, state: "Terminated".to_owned(), stage: Stage::Hook };
        let busy = Record { action: Some(action), ..idle };
        journal.save(&busy).unwrap();
        let expected = Some((busy.clone(), "us-east-1".to_owned()));
        assert_eq!(journal.unfinished(boot.as_ref()).unwrap(), expected);
        assert_eq!(journal.unfinished(BootId::new("b-2").as_ref()).unwrap(), None);
        assert_eq!(journal.unfinished(None).unwrap(), None);
        // As a version before wrote it.
        let mut old = serde_json::to_value(&busy).unwrap();
        old.as_object_mut().unwrap().remove("known");
        std::fs::write(directory.path().join("journal.json"), old.to_string()).unwrap();
        assert_eq!(journal.unfinished(boot.as_ref()).unwrap(), None);
        assert_eq!(journal.load("i-1").unwrap(), Record { known: None, ..busy });
    }

    #[test]
    fn a_dry_run_writes_nothing() {
        let directory = tempfile::tempdir().unwrap();
        let journal = Journal::open(directory.path(), true).unwrap();
        journal.save(&Record::new("i-1")).unwrap();
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0);
    }
}
