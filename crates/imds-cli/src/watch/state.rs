//! What `imds watch` has seen and done, kept in a file if one is named.
//!
//! It belongs to one instance and one boot. A file that cannot be used or is damaged is reported,
//! and watched on without or replaced: it never keeps a notice from being acted on.

use std::path::Path;
use std::time::SystemTime;

use imds::Moment;
use imds_files::{FileError, FileErrorKind};
use imds_watch::{Change, Detector, HookEntry, HookJournal, Opened, Reading, StateFile, Subject};
use serde::{Deserialize, Serialize};

use crate::report::{self, Failure};

/// The layout of the file.
const VERSION: u32 = 2;

#[derive(Debug, Serialize, Deserialize)]
struct Content {
    version: u32,
    /// Which boot it is about; empty if unknown.
    boot: String,
    /// Which instance; `None` if the service did not say.
    instance_id: Option<String>,
    detector: Detector,
    journal: HookJournal,
}

/// What was seen and done.
#[derive(Debug)]
pub(crate) struct State {
    file: Option<StateFile>,
    content: Content,
    /// The last save failed, and that was told.
    told: bool,
}

impl State {
    /// Goes on from the file, if there is one. `instance_id` is asked once per boot.
    pub(crate) fn open(
        path: Option<&Path>,
        boot: &str,
        instance_id: impl FnOnce() -> Option<String>,
    ) -> Result<Self, Failure> {
        let fresh = |instance_id| Content {
            version: VERSION,
            boot: boot.to_owned(),
            instance_id,
            detector: Detector::default(),
            journal: HookJournal::default(),
        };
        let without = |content| Self { file: None, content, told: false };
        let Some(path) = path else { return Ok(without(fresh(None))) };
        let (file, opened) = match StateFile::open::<Content>(path) {
            Ok(opened) => opened,
            Err(error) if error.kind() == FileErrorKind::Locked => {
                let shown = path.display();
                return Err(Failure::usage(format!("another `imds watch` uses state file `{shown}`"))
                    .hint("two watchers would run a hook twice; give each a file of its own"));
            }
            Err(error) => {
                report::note(&format_args!("{error}; going on without a state file"));
                return Ok(without(fresh(None)));
            }
        };
        let content = match opened {
            Opened::State(content) if content.version != VERSION => {
                let version = content.version;
                note_damage(path, &format!("version `{version}`, not `{VERSION}`"));
                fresh(instance_id())
            }
            Opened::State(content) if content.boot == boot && !boot.is_empty() => content,
            Opened::State(content) => of_another_boot(content, boot, instance_id(), fresh),
            Opened::Nothing => fresh(instance_id()),
            Opened::Damaged(why) => {
                note_damage(path, &why);
                fresh(instance_id())
            }
        };
        Ok(Self { file: Some(file), content, told: false })
    }

    pub(crate) fn observe(
        &mut self,
        subject: &Subject,
        reading: Reading,
        now: Moment,
        wall: SystemTime,
    ) -> Vec<Change> {
        self.content.detector.observe(subject, reading, now, wall)
    }

    pub(crate) fn is_failing(&self) -> bool {
        self.content.detector.is_failing()
    }

    /// Whether the hook has to run for the change.
    pub(crate) fn note(&mut self, change: &Change) -> bool {
        self.content.journal.note(change)
    }

    /// The next change of an event to run the hook for; on the disk as begun when this returns.
    pub(crate) fn begin_hook(&mut self, event: &str) -> Option<Change> {
        let change = self.content.journal.begin(event)?.change.clone();
        self.save();
        Some(change)
    }

    /// Whether the hook is tried again.
    pub(crate) fn end_hook(&mut self, event: &str, success: bool, retries: u32) -> bool {
        let again = self.content.journal.end(event, success, retries);
        // The next notice need not wait for the disk: if the machine crashes before this is on it,
        // the hook counts as cut off, and is not run again either.
        self.keep(StateFile::note);
        again
    }

    /// The events that have a hook waiting.
    pub(crate) fn waiting(&self) -> Vec<String> {
        self.content.journal.waiting().into_iter().map(str::to_owned).collect()
    }

    /// The hooks that the last process did not see to their end. Save when they have been told: a
    /// process that is killed in between leaves the telling to the next one.
    pub(crate) fn recover(&mut self) -> Vec<HookEntry> {
        self.content.journal.recover()
    }

    /// Writes the file, to the disk.
    pub(crate) fn save(&mut self) {
        self.keep(StateFile::save);
    }

    /// A disk that is full must not keep a notice from being acted on: the failure is reported, and
    /// only a restart would forget.
    fn keep(&mut self, write: impl FnOnce(&mut StateFile, &Content) -> Result<(), FileError>) {
        let Some(file) = &mut self.file else { return };
        match write(file, &self.content) {
            Ok(()) => self.told = false,
            Err(error) if !self.told => {
                self.told = true;
                report::note(&format_args!("{error}; going on without"));
            }
            Err(_) => {}
        }
    }
}

fn note_damage(path: &Path, why: &str) {
    let shown = path.display();
    report::note(&format_args!(
        "state file `{shown}` is damaged ({why}): starting anew; a notice may be acted on again"
    ));
}

/// After a boot of the same instance, what was seen and done counts on; a hook that had not ended
/// is not run. Of another instance nothing counts: its image or volume was copied.
fn of_another_boot(
    mut content: Content,
    boot: &str,
    instance_id: Option<String>,
    fresh: impl FnOnce(Option<String>) -> Content,
) -> Content {
    for entry in content.journal.drop_unfinished() {
        report::note(&format_args!(
            "the hook for `{}` belongs to an earlier boot; it is not run",
            entry.change.event
        ));
    }
    if instance_id.is_none() || content.instance_id != instance_id {
        return fresh(instance_id);
    }
    content.boot = boot.to_owned();
    content
}
