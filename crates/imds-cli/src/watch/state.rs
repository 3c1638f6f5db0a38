//! What `imds watch` has seen and done, kept in a file where one is named.

use std::error::Error as _;
use std::path::PathBuf;
use std::time::SystemTime;

use imds::Moment;
use imds_watch::{Change, Detector, DurableError, HookEntry, Ledger, Reading, StateFile, Subject};
use serde::{Deserialize, Serialize};

use crate::exit::Exit;
use crate::report::{self, Failure};

/// The only layout of the file so far.
const VERSION: u32 = 1;

#[derive(Debug, Serialize, Deserialize)]
struct Kept {
    version: u32,
    detector: Detector,
    ledger: Ledger,
}

/// What was seen and done.
#[derive(Debug)]
pub(crate) struct State {
    file: Option<StateFile>,
    kept: Kept,
    /// The last save failed, and that has been told.
    told: bool,
}

impl State {
    /// Goes on from the file, where there is one.
    pub(crate) fn open(file: Option<PathBuf>) -> Result<Self, Failure> {
        let fresh = || Kept { version: VERSION, detector: Detector::default(), ledger: Ledger::default() };
        let Some(path) = file else { return Ok(Self { file: None, kept: fresh(), told: false }) };
        let shown = path.display().to_string();
        let (file, kept) = StateFile::open::<Kept>(path).map_err(|error| {
            let cause = error.source().map(ToString::to_string);
            let failure = Failure::told(Exit::Usage, error.to_string()).hint(
                "without it a notice that was acted on would be acted on again; remove it to start anew",
            );
            match cause {
                Some(cause) => failure.caused_by(cause),
                None => failure,
            }
        })?;
        if let Some(Kept { version, .. }) = &kept
            && *version != VERSION
        {
            return Err(Failure::usage(format!(
                "state file `{shown}` has version `{version}`, not `{VERSION}`"
            )));
        }
        Ok(Self { file: Some(file), kept: kept.unwrap_or_else(fresh), told: false })
    }

    pub(crate) fn observe(
        &mut self,
        subject: &Subject,
        reading: Reading,
        now: Moment,
        wall: SystemTime,
    ) -> Vec<Change> {
        self.kept.detector.observe(subject, reading, now, wall)
    }

    pub(crate) fn is_failing(&self) -> bool {
        self.kept.detector.is_failing()
    }

    /// Whether the hook has to run for the change.
    pub(crate) fn note(&mut self, change: &Change) -> bool {
        self.kept.ledger.note(change)
    }

    /// The next change to run the hook for; on the disk as begun when this returns.
    pub(crate) fn begin_hook(&mut self) -> Option<Change> {
        let change = self.kept.ledger.begin()?.change.clone();
        self.save();
        Some(change)
    }

    /// Whether the hook is tried again.
    pub(crate) fn end_hook(&mut self, success: bool, retries: u32) -> bool {
        let again = self.kept.ledger.end(success, retries);
        // The next notice need not wait for the disk: where the machine crashes before this is on
        // it, the hook counts as cut off, and is not run again either.
        self.keep(StateFile::note);
        again
    }

    pub(crate) fn is_hook_waiting(&self) -> bool {
        self.kept.ledger.is_waiting()
    }

    /// The hooks that the last process did not see to their end.
    pub(crate) fn recover(&mut self) -> Vec<HookEntry> {
        let cut_off = self.kept.ledger.recover();
        if !cut_off.is_empty() {
            self.save();
        }
        cut_off
    }

    /// Writes the file, to the disk.
    pub(crate) fn save(&mut self) {
        self.keep(StateFile::save);
    }

    /// A disk that is full must not keep a notice from being acted on: the failure is told, and
    /// only a restart would forget.
    fn keep(&mut self, write: impl FnOnce(&mut StateFile, &Kept) -> Result<(), DurableError>) {
        let Some(file) = &mut self.file else { return };
        match write(file, &self.kept) {
            Ok(()) => self.told = false,
            Err(error) if !self.told => {
                self.told = true;
                let cause = error.source().map(|cause| format!(": {cause}")).unwrap_or_default();
                report::note(&format_args!("{error}{cause}; going on without"));
            }
            Err(_) => {}
        }
    }
}
