//! Output to a path that the user named.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::directory::temporary;
use crate::error::{Cause, FileError, FileErrorKind};
use crate::private::split;
use crate::sys::{self, Directory, FileType};

/// Who may read an output file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Its owner alone: it holds secrets.
    Private,
    /// Whom the umask leaves, or whom an existing file lets.
    Shared,
}

/// Output that replaces a regular file all at once, or goes straight to a pipe or a character
/// device.
///
/// An existing regular file keeps its owner, and with [`Mode::Shared`] its permissions. Nothing is
/// changed until [`OutputFile::commit`]; dropped before it, the temporary file is removed.
#[derive(Debug)]
pub struct OutputFile {
    path: PathBuf,
    file: File,
    /// The file to rename; `None` for what is written through.
    pending: Option<Pending>,
}

#[derive(Debug)]
struct Pending {
    directory: Directory,
    temporary: OsString,
    name: OsString,
}

impl OutputFile {
    /// Opens the output.
    ///
    /// # Errors
    /// Returns an error if the path names something that is not a regular file, a pipe or a
    /// character device, if it is a symbolic link that another user made, or if the temporary file
    /// cannot be made beside it.
    pub fn create(path: &Path, mode: Mode) -> Result<Self, FileError> {
        Self::try_create(path, mode).map_err(|cause| cause.at("write", path))
    }

    fn try_create(path: &Path, mode: Mode) -> Result<Self, Cause> {
        if let Some(stream) = sys::standard_stream(path) {
            return Ok(Self { path: path.to_owned(), file: stream?, pending: None });
        }
        match sys::existing_type(path)? {
            FileType::Absent | FileType::Regular => {}
            FileType::Stream => {
                let file = sys::open_through(path)?;
                return Ok(Self { path: path.to_owned(), file, pending: None });
            }
            FileType::Other(what) => {
                return Err(Cause::refused(FileErrorKind::WrongType, format!("it is {what}")));
            }
        }
        let (parent, name) = split(path)?;
        Self::beside(path, Directory::open(&parent)?, name, mode)
    }

    fn beside(path: &Path, directory: Directory, name: OsString, mode: Mode) -> Result<Self, Cause> {
        let existing = directory.identity(&name)?;
        let private = mode == Mode::Private;
        // Closed to others until it has its owner.
        let (temporary, file) = temporary(&directory, &name, private || existing.is_some())?;
        let identity = existing.map(|identity| if private { identity.private() } else { identity });
        if let Some(Err(error)) = identity.map(|identity| identity.apply(&file)) {
            let _ = directory.remove(&temporary);
            return Err(error.into());
        }
        Ok(Self { path: path.to_owned(), file, pending: Some(Pending { directory, temporary, name }) })
    }

    /// Puts the output in its place: synced and renamed, for a regular file.
    ///
    /// # Errors
    /// Returns an error if a step fails; an existing file is then unchanged.
    pub fn commit(mut self) -> Result<(), FileError> {
        let Some(pending) = self.pending.take() else { return Ok(()) };
        let renamed =
            self.file.sync_all().and_then(|()| pending.directory.rename(&pending.temporary, &pending.name));
        match renamed {
            Ok(()) => pending.directory.sync(),
            Err(error) => {
                let _ = pending.directory.remove(&pending.temporary);
                Err(error)
            }
        }
        .map_err(|error| Cause::from(error).at("write", &self.path))
    }
}

impl Write for OutputFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Drop for OutputFile {
    fn drop(&mut self) {
        if let Some(pending) = self.pending.take() {
            let _ = pending.directory.remove(&pending.temporary);
        }
    }
}

/// Writes `content` to a path that the user named, as [`OutputFile`] does.
///
/// # Errors
/// As [`OutputFile::create`] and [`OutputFile::commit`].
pub fn write_output(path: &Path, mode: Mode, content: &[u8]) -> Result<(), FileError> {
    let mut output = OutputFile::create(path, mode)?;
    output.write_all(content).map_err(|error| Cause::from(error).at("write", path))?;
    output.commit()
}

/// Replaces a configuration file of the user's, which keeps its owner and permissions; a new one
/// gets those that the umask leaves.
///
/// # Errors
/// Returns an error if the file or its directory belongs to another user (root included: as root in
/// another user's home directory, run the command as that user), other users can write the
/// directory, or it is not a regular file.
pub fn update_user_file(path: &Path, content: &[u8]) -> Result<(), FileError> {
    let update = || -> Result<OutputFile, Cause> {
        let (parent, name) = split(path)?;
        let directory = Directory::open_private(&parent)?;
        match directory.type_of(&name)? {
            // Checks the owner.
            FileType::Regular => drop(directory.open_file(&name, false, false)?),
            FileType::Absent => {}
            FileType::Stream => {
                return Err(Cause::refused(FileErrorKind::WrongType, "it is a pipe or a device"));
            }
            FileType::Other(what) => {
                return Err(Cause::refused(FileErrorKind::WrongType, format!("it is {what}")));
            }
        }
        OutputFile::beside(path, directory, name, Mode::Shared)
    };
    let mut output = update().map_err(|cause| cause.at("write", path))?;
    output.write_all(content).map_err(|error| Cause::from(error).at("write", path))?;
    output.commit()
}
