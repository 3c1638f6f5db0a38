//! A JSON file that is rewritten before every hook, and is whole after any crash.
//!
//! A new file in the place of the old one ([`crate::save`]) makes the file system commit its
//! journal, and with it what every other program has just written: on a busy disk a hook would wait
//! for that. This file has two slots of one line each. The one that does not hold the last durable
//! state is overwritten in place, which needs the disk and nothing else; a write that was cut short
//! leaves the other slot.

use std::fs::File;
use std::io::{self, Seek as _, SeekFrom, Write as _};
use std::path::Path;
use std::time::Duration;

use imds_files::{FileError, FileErrorKind as Kind, Lock, PrivateFile};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use sha2::{Digest as _, Sha256};

/// What the size of a slot is a multiple of, in bytes.
const SLOT: usize = 8 * 1_024;
/// Largest file that is read, in bytes.
const LIMIT: usize = 64 << 20;
/// How long a lock that is held is waited for: a process that was killed while it started another
/// leaves its lock to that one for a moment.
const PATIENCE: Duration = Duration::from_secs(1);

/// What a slot holds, as a line of JSON.
#[derive(Serialize, Deserialize)]
struct Record<'a> {
    /// The higher one is the newer one.
    sequence: u64,
    /// Of `state`, as it stands there.
    sha256: String,
    #[serde(borrow)]
    state: &'a RawValue,
}

/// A state in a private file, for one process at a time: the file `NAME.lock` beside it is locked.
#[derive(Debug)]
pub struct StateFile {
    file: PrivateFile,
    _lock: Lock,
    sequence: u64,
    /// Size of a slot in bytes; 0 if there is no file yet.
    slot: usize,
    /// How many bytes of each slot may be other than blank.
    used: [usize; 2],
    /// The slot whose content is known to be on the disk: not to be touched.
    durable: usize,
}

/// What a state file held.
#[derive(Debug, PartialEq, Eq)]
pub enum Opened<T> {
    /// Nothing: there was no file, or an empty one, as `mktemp` and tmpfiles.d make it.
    Nothing,
    /// The newest state.
    State(T),
    /// Something else, and why. The next save replaces it.
    Damaged(String),
}

impl StateFile {
    /// Opens a file, locks it, and reads the newest state in it.
    ///
    /// # Errors
    /// Returns an error if its directory cannot be used, another process has it open, or the file
    /// is not a private file of this user's.
    pub fn open<T: DeserializeOwned>(path: &Path) -> Result<(Self, Opened<T>), FileError> {
        let file = PrivateFile::at(path)?;
        let lock = file.lock(PATIENCE)?;
        let fresh = |file, lock| Self { file, _lock: lock, sequence: 0, slot: 0, used: [0; 2], durable: 0 };
        let bytes = match file.read(LIMIT) {
            Ok(bytes) => bytes.unwrap_or_default(),
            // Ours, but what is in it may be another user's.
            Err(error) if matches!(error.kind(), Kind::LooseMode | Kind::HardLink | Kind::TooLarge) => {
                return Ok((fresh(file, lock), Opened::Damaged(error.cause())));
            }
            Err(error) => return Err(error),
        };
        let slot = bytes.len() / 2;
        if bytes.is_empty() {
            return Ok((fresh(file, lock), Opened::Nothing));
        }
        let newest = [&bytes[..slot], &bytes[slot..]]
            .into_iter()
            .enumerate()
            .filter_map(|(index, bytes)| whole(bytes).map(|record| (index, record)))
            .max_by_key(|(_, record)| record.sequence);
        let Some((durable, record)) = newest else {
            let why = "neither of its two lines is whole".to_owned();
            return Ok((fresh(file, lock), Opened::Damaged(why)));
        };
        let state = match serde_json::from_str(record.state.get()) {
            Ok(state) => state,
            Err(error) => {
                let (line, column) = (durable + 1, error.column());
                let why = format!("line {line} holds no state that this version knows, see column {column}");
                return Ok((fresh(file, lock), Opened::Damaged(why)));
            }
        };
        let sequence = record.sequence;
        // A process that was killed may have left it to the kernel to write. What a disk that
        // cannot sync has lost, the next save tells.
        if let Some(open) = file.open()? {
            let _ = open.sync_data();
        }
        let used = [slot.saturating_sub(1); 2];
        Ok((Self { file, _lock: lock, sequence, slot, used, durable }, Opened::State(state)))
    }

    /// Writes a state; when this returns, it is on the disk and survives a crash of the machine.
    ///
    /// # Errors
    /// Returns an error if a step fails; the file then still holds what was saved last.
    pub fn save<T: Serialize>(&mut self, state: &T) -> Result<(), FileError> {
        self.write(state, true)
    }

    /// Writes a state without waiting for the disk: it survives the end of this process, and if the
    /// machine crashes, either this or what was saved last does.
    ///
    /// # Errors
    /// As [`StateFile::save`].
    pub fn note<T: Serialize>(&mut self, state: &T) -> Result<(), FileError> {
        self.write(state, false)
    }

    fn write<T: Serialize>(&mut self, state: &T, durable: bool) -> Result<(), FileError> {
        let sequence = self.sequence + 1;
        let mut line = line(sequence, state).map_err(|error| self.file.failed("write", error))?;
        let length = line.len();
        let target = 1 - self.durable;
        match self.in_place(length)? {
            Some(mut file) => {
                // What a longer line left behind is blanked; the end of the line is where it always
                // was.
                line.resize(length.max(self.used[target]), b' ');
                self.used[target] = line.len();
                let start = SeekFrom::Start((target * self.slot) as u64);
                let written = file.seek(start).and_then(|_| file.write_all(&line));
                written.map_err(|error| self.file.failed("write", error))?;
                self.used[target] = length;
                if durable {
                    file.sync_data().map_err(|error| self.file.failed("write", error))?;
                    self.durable = target;
                }
            }
            None => {
                let slot = (length + length / 2 + 1).next_multiple_of(SLOT);
                for end in [slot, 2 * slot] {
                    line.resize(end - 1, b' ');
                    line.push(b'\n');
                }
                self.file.replace(&line)?;
                (self.slot, self.used, self.durable) = (slot, [length, 0], 0);
            }
        }
        self.sequence = sequence;
        Ok(())
    }

    /// The file, if it is still the one that was opened or made here, and a line of `length` fits
    /// in. What is no private file any more is replaced.
    fn in_place(&self, length: usize) -> Result<Option<File>, FileError> {
        if length >= self.slot {
            return Ok(None);
        }
        let same = |file: &File| file.metadata().is_ok_and(|is| is.len() == 2 * self.slot as u64);
        Ok(self.file.open().ok().flatten().filter(same))
    }
}

fn line<T: Serialize>(sequence: u64, state: &T) -> io::Result<Vec<u8>> {
    let state = serde_json::value::to_raw_value(state)?;
    Ok(serde_json::to_vec(&Record { sequence, sha256: sum(&state), state: &state })?)
}

fn whole(slot: &[u8]) -> Option<Record<'_>> {
    let record: Record<'_> = serde_json::from_slice(slot).ok()?;
    (sum(record.state) == record.sha256).then_some(record)
}

fn sum(state: &RawValue) -> String {
    Sha256::digest(state.get()).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;
    use std::path::PathBuf;

    use imds_files::FileErrorKind as Kind;

    fn file() -> (tempfile::TempDir, PathBuf) {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("state.json");
        (directory, path)
    }

    /// What a file holds, in a directory where nobody has it open.
    fn loaded(path: &Path) -> Option<String> {
        let directory = tempfile::tempdir().unwrap();
        let copy = directory.path().join("copy");
        std::fs::copy(path, &copy).unwrap();
        match StateFile::open(&copy).unwrap().1 {
            Opened::State(state) => Some(state),
            Opened::Nothing => None,
            Opened::Damaged(why) => panic!("{why}"),
        }
    }

    #[test]
    fn what_is_written_is_read_and_is_lines_of_json() {
        let (directory, path) = file();
        let (mut state, nothing) = StateFile::open::<String>(&path).unwrap();
        assert_eq!(nothing, Opened::Nothing);
        for round in 0..9 {
            let text = "x".repeat(round * 1_000 % 7_001);
            if round % 3 == 1 {
                state.note(&text).unwrap()
            } else {
                state.save(&text).unwrap()
            }
            assert_eq!(loaded(&path), Some(text));
        }
        let content = std::fs::read_to_string(&path).unwrap();
        let lines: Vec<serde_json::Value> =
            content.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!((lines.len(), &lines[0]["sequence"], &lines[1]["sequence"]), (2, &7.into(), &9.into()));
        assert_eq!(content.len(), 2 * SLOT);
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let names = std::fs::read_dir(directory.path()).unwrap().map(|entry| entry.unwrap().file_name());
        let mut names: Vec<_> = names.collect();
        names.sort();
        assert_eq!(names, ["state.json", "state.json.lock"]);
    }

    #[test]
    fn a_write_that_is_cut_short_anywhere_leaves_what_was_saved() {
        let (_directory, path) = file();
        let mut state = StateFile::open::<String>(&path).unwrap().0;
        state.save(&"older, and longer than the others".to_owned()).unwrap();
        state.save(&"saved".to_owned()).unwrap();
        state.note(&"noted".to_owned()).unwrap();
        let before = std::fs::read(&path).unwrap();
        // Again into the slot of the note: the other one holds what must not be lost.
        state.save(&"newest".to_owned()).unwrap();
        let after = std::fs::read(&path).unwrap();
        let changed: Vec<usize> = (0..before.len()).filter(|&at| before[at] != after[at]).collect();
        let (first, last) = (changed[0], changed[changed.len() - 1]);
        assert!(first / SLOT == last / SLOT, "both slots were written");
        let torn = path.with_extension("torn");
        for cut in first..=last + 1 {
            std::fs::write(&torn, [&after[..cut], &before[cut..]].concat()).unwrap();
            let whole = loaded(&torn).unwrap();
            let expected: &[&str] = match cut {
                cut if cut == first => &["noted"],
                cut if cut > last => &["newest"],
                _ => &["saved", "noted", "newest"],
            };
            assert!(expected.contains(&whole.as_str()), "cut at {cut}: {whole}");
        }
    }

    #[test]
    fn it_grows_and_outlives_its_removal() {
        let (_directory, path) = file();
        let mut state = StateFile::open::<String>(&path).unwrap().0;
        for length in [10, 100_000, 20] {
            state.save(&"y".repeat(length)).unwrap();
            assert_eq!(loaded(&path).unwrap().len(), length);
        }
        std::fs::remove_file(&path).unwrap();
        state.note(&"z".to_owned()).unwrap();
        assert_eq!(loaded(&path).unwrap(), "z");
    }

    #[test]
    fn an_empty_file_is_none_and_damage_is_told_and_replaced() {
        let (_directory, path) = file();
        std::fs::write(&path, "").unwrap();
        assert_eq!(StateFile::open::<u32>(&path).unwrap().1, Opened::Nothing);
        for content in ["{", "{}\n{}\n", "{\"sequence\":1,\"sha256\":\"00\",\"state\":1}\n"] {
            std::fs::write(&path, content).unwrap();
            let (mut state, opened) = StateFile::open::<u32>(&path).unwrap();
            assert_eq!(opened, Opened::Damaged("neither of its two lines is whole".to_owned()));
            state.save(&7).unwrap();
            drop(state);
            assert_eq!(StateFile::open::<u32>(&path).unwrap().1, Opened::State(7));
        }
        let why = "line 1 holds no state that this version knows, see column 1".to_owned();
        assert_eq!(StateFile::open::<String>(&path).unwrap().1, Opened::Damaged(why));
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o666)).unwrap();
        let (mut state, opened) = StateFile::open::<u32>(&path).unwrap();
        assert_eq!(opened, Opened::Damaged("other users can write it (mode 0666)".to_owned()));
        state.save(&8).unwrap();
        assert_eq!(loaded_number(&path), 8);
    }

    fn loaded_number(path: &Path) -> u64 {
        let content = std::fs::read_to_string(path).unwrap();
        let line: serde_json::Value = serde_json::from_str(content.lines().next().unwrap()).unwrap();
        line["state"].as_u64().unwrap()
    }

    #[test]
    fn one_process_has_it_open_and_a_link_of_this_user_is_followed() {
        let (directory, path) = file();
        let link = directory.path().join("link");
        std::os::unix::fs::symlink(&path, &link).unwrap();
        let mut first = StateFile::open::<u32>(&link).unwrap().0;
        first.save(&7).unwrap();
        assert!(link.is_symlink());
        assert_eq!(StateFile::open::<u32>(&path).unwrap_err().kind(), Kind::Locked);
        drop(first);
        assert_eq!(StateFile::open::<u32>(&path).unwrap().1, Opened::State(7));
        let nowhere = directory.path().join("absent").join("state.json");
        assert_eq!(StateFile::open::<u32>(&nowhere).unwrap_err().kind(), Kind::NotFound);
    }
}
