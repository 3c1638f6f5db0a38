//! A file of lines that is only appended to.

use std::fs::File;
use std::io::{Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use crate::directory::read_all;
use crate::error::{Cause, FileError, FileErrorKind};
use crate::private::split;
use crate::sys::{self, Directory};

/// A file of lines that is appended to, locked against a second process.
///
/// Opening it changes nothing. First recognise the content; only then append. A last line without
/// its end was being written when a process was killed: it is cut when the first line is appended.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    file: File,
    /// Where the next line goes: the end of the last whole line.
    end: u64,
}

/// What a journal held when it was opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JournalContent {
    /// Every whole line, each with its line feed.
    pub lines: Vec<u8>,
    /// A last line without its end.
    pub torn: Vec<u8>,
}

impl Journal {
    /// Opens a journal of at most `limit` bytes, or makes it (mode 0600) if `create` is set, and
    /// returns what it holds.
    ///
    /// # Errors
    /// Returns an error if it does not exist and `create` is not set, is not a regular file of this
    /// user's with one name, is larger, or another process has it open (kind
    /// [`FileErrorKind::Locked`]).
    pub fn open(path: &Path, create: bool, limit: usize) -> Result<(Self, JournalContent), FileError> {
        Self::try_open(path, create, limit).map_err(|cause| cause.at("open", path))
    }

    fn try_open(path: &Path, create: bool, limit: usize) -> Result<(Self, JournalContent), Cause> {
        let (parent, name) = split(path)?;
        let file = Directory::open(&parent)?.open_file(&name, create, false)?;
        let missing = || Cause::from(std::io::Error::from(std::io::ErrorKind::NotFound));
        let file = file.ok_or_else(missing)?;
        if !sys::try_lock(&file)? {
            return Err(Cause::refused(FileErrorKind::Locked, "another process uses it"));
        }
        let mut lines = read_all(&file, limit)?;
        let end = lines.iter().rposition(|byte| *byte == b'\n').map_or(0, |last| last + 1);
        let torn = lines.split_off(end);
        Ok((Self { path: path.to_owned(), file, end: end as u64 }, JournalContent { lines, torn }))
    }

    /// Appends one line, without its line feed, and returns once it is on the disk.
    ///
    /// # Errors
    /// Returns an error if it cannot be written; the journal then holds what it held before.
    pub fn append(&mut self, line: &[u8]) -> Result<(), FileError> {
        self.try_append(line, true).map_err(|cause| cause.at("write", &self.path))
    }

    /// Appends one line, without its line feed. It outlives the process, and is on the disk with
    /// the next [`Journal::append`] at the latest: for what the next run finds out again if the
    /// machine loses its power before.
    ///
    /// # Errors
    /// Returns an error if it cannot be written; the journal then holds what it held before.
    pub fn append_lazily(&mut self, line: &[u8]) -> Result<(), FileError> {
        self.try_append(line, false).map_err(|cause| cause.at("write", &self.path))
    }

    fn try_append(&mut self, line: &[u8], synced: bool) -> Result<(), Cause> {
        if line.contains(&b'\n') {
            return Err(Cause::refused(FileErrorKind::Damaged, "a line cannot hold a line feed"));
        }
        let mut bytes = Vec::with_capacity(line.len() + 1);
        bytes.extend_from_slice(line);
        bytes.push(b'\n');
        // A torn last line, or what a failed append left.
        if self.file.metadata()?.len() > self.end {
            self.file.set_len(self.end)?;
        }
        self.file.seek(SeekFrom::Start(self.end))?;
        let sync = || if synced { self.file.sync_data() } else { Ok(()) };
        if let Err(error) = (&self.file).write_all(&bytes).and_then(|()| sync()) {
            // What is left of the line is torn, and cut by the next append.
            let _ = self.file.set_len(self.end);
            return Err(error.into());
        }
        self.end += bytes.len() as u64;
        Ok(())
    }

    /// The path.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}
