//! A JSON file that is rewritten before every hook, and is whole after any crash.
//!
//! A new file in the place of the old one ([`crate::save`]) makes the file system commit its journal, and with it what
//! every other program has just written: on a busy disk a hook would wait for that. This file has two slots of one
//! line each. The one that does not hold the last durable state is overwritten in place, which needs the disk and
//! nothing else; a write that was cut short leaves the other slot.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::PathBuf;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use sha2::{Digest as _, Sha256};

use crate::durable::{DurableError, failed, replace};

/// What the size of a slot is a multiple of, in bytes.
const SLOT: usize = 8 * 1_024;

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

/// A state kept in a file of mode 0600, for one process at a time.
#[derive(Debug)]
pub struct StateFile {
    path: PathBuf,
    sequence: u64,
    /// Size of a slot in bytes; 0 where there is no file yet.
    slot: usize,
    /// How many bytes of each slot may be other than blank.
    used: [usize; 2],
    /// The slot whose content is known to be on the disk: not to be touched.
    durable: usize,
}

impl StateFile {
    /// Opens a file and reads the newest state in it; `None` where there is no file.
    ///
    /// # Errors
    /// Where it cannot be read, or neither slot is whole: by this type's own rules that is damage from outside.
    pub fn open<T: DeserializeOwned>(path: PathBuf) -> Result<(Self, Option<T>), DurableError> {
        let bytes = match std::fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Ok((Self { path, sequence: 0, slot: 0, used: [0; 2], durable: 0 }, None));
            }
            Err(error) => return Err(failed("read", &path, error)),
        };
        let slot = bytes.len() / 2;
        let newest = [&bytes[..slot], &bytes[slot..]]
            .into_iter()
            .enumerate()
            .filter_map(|(index, bytes)| whole(bytes).map(|record| (index, record)))
            .max_by_key(|(_, record)| record.sequence);
        let damaged = |what: String| DurableError {
            message: format!("`{}` is damaged: {what}", path.display()),
            source: None,
        };
        let Some((durable, record)) = newest else {
            return Err(damaged("neither of its two lines is whole".to_owned()));
        };
        let state = serde_json::from_str(record.state.get()).map_err(|error| {
            damaged(format!(
                "line {} holds no state this version knows, see column {}",
                durable + 1,
                error.column()
            ))
        })?;
        let sequence = record.sequence;
        // A process that was killed may have left it to the kernel to write.
        let synced = File::open(&path).and_then(|file| file.sync_data());
        synced.map_err(|error| failed("read", &path, error))?;
        Ok((Self { path, sequence, slot, used: [slot.saturating_sub(1); 2], durable }, Some(state)))
    }

    /// Writes a state; when this returns, it is on the disk and survives a crash of the machine.
    ///
    /// # Errors
    /// Where a step fails; the file then still holds what was saved last.
    pub fn save<T: Serialize>(&mut self, state: &T) -> Result<(), DurableError> {
        self.write(state, true).map_err(|error| failed("write", &self.path, error))
    }

    /// Writes a state without waiting for the disk: it survives the end of this process, and where the machine
    /// crashes, either this or what was saved last does.
    ///
    /// # Errors
    /// As [`StateFile::save`].
    pub fn note<T: Serialize>(&mut self, state: &T) -> Result<(), DurableError> {
        self.write(state, false).map_err(|error| failed("write", &self.path, error))
    }

    fn write<T: Serialize>(&mut self, state: &T, durable: bool) -> io::Result<()> {
        let sequence = self.sequence + 1;
        let mut line = line(sequence, state)?;
        let length = line.len();
        let target = 1 - self.durable;
        match self.in_place(length)? {
            Some(file) => {
                // What a longer line left behind is blanked; the end of the line is where it always was.
                line.resize(length.max(self.used[target]), b' ');
                self.used[target] = line.len();
                file.write_all_at(&line, (target * self.slot) as u64)?;
                self.used[target] = length;
                if durable {
                    file.sync_data()?;
                    self.durable = target;
                }
            }
            None => {
                let slot = (length + length / 2 + 1).next_multiple_of(SLOT);
                for end in [slot, 2 * slot] {
                    line.resize(end - 1, b' ');
                    line.push(b'\n');
                }
                replace(&self.path, &line)?;
                (self.slot, self.used, self.durable) = (slot, [length, 0], 0);
            }
        }
        self.sequence = sequence;
        Ok(())
    }

    /// The file, where it is still the one that was opened or made here, and a line of `length` fits in.
    fn in_place(&self, length: usize) -> io::Result<Option<File>> {
        if length >= self.slot {
            return Ok(None);
        }
        let no_follow = rustix::fs::OFlags::NOFOLLOW.bits().cast_signed();
        match OpenOptions::new().write(true).custom_flags(no_follow).open(&self.path) {
            Ok(file) if file.metadata()?.len() == 2 * self.slot as u64 => Ok(Some(file)),
            Ok(_) => Ok(None),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
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
    use std::error::Error as _;
    use std::os::unix::fs::PermissionsExt as _;

    fn file() -> (tempfile::TempDir, PathBuf) {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("state.json");
        (directory, path)
    }

    fn loaded(path: &std::path::Path) -> Option<String> {
        StateFile::open(path.to_owned()).unwrap().1
    }

    #[test]
    fn what_is_written_is_read_and_is_lines_of_json() {
        let (directory, path) = file();
        let (mut state, none) = StateFile::open::<String>(path.clone()).unwrap();
        assert_eq!(none, None);
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
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_write_that_is_cut_short_anywhere_leaves_what_was_saved() {
        let (_directory, path) = file();
        let mut state = StateFile::open::<String>(path.clone()).unwrap().0;
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
        let mut state = StateFile::open::<String>(path.clone()).unwrap().0;
        for length in [10, 100_000, 20] {
            state.save(&"y".repeat(length)).unwrap();
            assert_eq!(loaded(&path).unwrap().len(), length);
        }
        std::fs::remove_file(&path).unwrap();
        state.note(&"z".to_owned()).unwrap();
        assert_eq!(loaded(&path).unwrap(), "z");
    }

    #[test]
    fn damage_and_missing_places_are_told() {
        let (directory, path) = file();
        for content in ["", "{", "{}\n{}\n", "{\"sequence\":1,\"sha256\":\"00\",\"state\":1}\n"] {
            std::fs::write(&path, content).unwrap();
            let error = StateFile::open::<u32>(path.clone()).unwrap_err().to_string();
            assert_eq!(error, format!("`{}` is damaged: neither of its two lines is whole", path.display()));
        }
        std::fs::remove_file(&path).unwrap();
        StateFile::open::<u32>(path.clone()).unwrap().0.save(&"text").unwrap();
        let error = StateFile::open::<u32>(path.clone()).unwrap_err().to_string();
        let what = "line 1 holds no state this version knows, see column 6";
        assert_eq!(error, format!("`{}` is damaged: {what}", path.display()));
        let nowhere = directory.path().join("absent").join("state.json");
        let error = StateFile::open::<u32>(nowhere.clone()).unwrap().0.save(&1).unwrap_err();
        assert_eq!(error.to_string(), format!("cannot write `{}`", nowhere.display()));
        assert!(error.source().unwrap().to_string().contains("No such file"));
    }
}
