//! A directory that only this user can write, and the files in it.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::hash::{BuildHasher as _, Hasher as _};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::error::{Cause, FileError, FileErrorKind};
use crate::lock::Lock;
use crate::sys::{self, Directory, FileType};

/// How many random names are tried for a temporary file before an error.
const ATTEMPTS: usize = 16;

/// An open directory that belongs to this user or root and that no other user can write, with
/// methods for the private files in it.
///
/// The directory stays open, so renaming it or putting another one in its place changes nothing.
/// A file name must be one component; no symbolic link below the directory is followed.
#[derive(Debug)]
pub struct PrivateDirectory {
    path: PathBuf,
    directory: Directory,
}

impl PrivateDirectory {
    /// Opens a directory and checks its owner and mode. A directory that everybody can write is
    /// accepted only with the sticky bit, as `/tmp` has it.
    ///
    /// # Errors
    /// Returns an error if it does not exist, belongs to another user, or other users can write it.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, FileError> {
        let path = path.into();
        match Directory::open_private(&path) {
            Ok(directory) => Ok(Self { path, directory }),
            Err(cause) => Err(cause.at("use directory", &path)),
        }
    }

    /// Opens a directory as [`PrivateDirectory::open`] does; makes it and its parents with mode
    /// 0700 if it does not exist.
    ///
    /// # Errors
    /// Returns an error if it cannot be made, or as [`PrivateDirectory::open`] does.
    pub fn create(path: impl Into<PathBuf>) -> Result<Self, FileError> {
        let path = path.into();
        match Self::open(path.clone()) {
            Err(error) if error.kind() == FileErrorKind::NotFound => {
                sys::make_directories(&path).map_err(|cause| cause.at("make directory", &path))?;
                Self::open(path)
            }
            result => result,
        }
    }

    /// The path that the directory was opened by.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Reads a file of at most `limit` bytes; `None` if it does not exist.
    ///
    /// # Errors
    /// Returns an error if it cannot be read, is larger, or is not a regular file of this user's
    /// with one name that nobody else can write.
    pub fn read(&self, name: impl AsRef<OsStr>, limit: usize) -> Result<Option<Vec<u8>>, FileError> {
        let name = name.as_ref();
        self.open_checked(name, false)
            .and_then(|file| file.map(|file| read_all(&file, limit)).transpose())
            .map_err(|cause| self.failed("read", name, cause))
    }

    /// Opens an existing private file for reading and writing in place; `None` if it does not
    /// exist.
    ///
    /// # Errors
    /// As [`PrivateDirectory::read`].
    pub fn open_file(&self, name: impl AsRef<OsStr>) -> Result<Option<File>, FileError> {
        let name = name.as_ref();
        self.open_checked(name, false).map_err(|cause| self.failed("open", name, cause))
    }

    /// Replaces a file, or makes it, mode 0600. When this returns, the content is on the disk;
    /// after any crash the file holds the old content or the new one, never a part.
    ///
    /// # Errors
    /// Returns an error if a step fails or the name is taken by something that is not a regular
    /// file; the file is then unchanged.
    pub fn replace(&self, name: impl AsRef<OsStr>, content: &[u8]) -> Result<(), FileError> {
        let name = name.as_ref();
        self.try_replace(name, content).map_err(|cause| self.failed("write", name, cause))
    }

    /// Makes a file with this content, mode 0600; whether the name was free.
    ///
    /// # Errors
    /// Returns an error if a step fails; no file is then left.
    pub fn create_new(&self, name: impl AsRef<OsStr>, content: &[u8]) -> Result<bool, FileError> {
        let name = name.as_ref();
        let create = || -> Result<bool, Cause> {
            component(name)?;
            let (temporary, mut file) = temporary(&self.directory, name, true)?;
            let linked = file.write_all(content).and_then(|()| file.sync_all()).and_then(|()| {
                match self.directory.link(&temporary, name) {
                    Ok(()) => Ok(true),
                    Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
                    Err(error) => Err(error),
                }
            });
            // Not the only name of the file any more, or the file is not wanted.
            let _ = self.directory.remove(&temporary);
            let linked = linked?;
            self.directory.sync()?;
            Ok(linked)
        };
        create().map_err(|cause| self.failed("write", name, cause))
    }

    /// Removes a file; whether it existed.
    ///
    /// # Errors
    /// Returns an error if it cannot be removed.
    pub fn remove(&self, name: impl AsRef<OsStr>) -> Result<bool, FileError> {
        let name = name.as_ref();
        component(name)
            .and_then(|()| self.directory.remove(name).map_err(Cause::from))
            .map_err(|cause| self.failed("remove", name, cause))
    }

    /// Takes the lock of a file, which is made if it does not exist and never removed; waits for at
    /// most `deadline` while another process holds it.
    ///
    /// # Errors
    /// Returns an error of kind [`FileErrorKind::Locked`] if the deadline passes, or as
    /// [`PrivateDirectory::read`] does.
    pub fn lock(&self, name: impl AsRef<OsStr>, deadline: Duration) -> Result<Lock, FileError> {
        let name = name.as_ref();
        let lock = || {
            let file = self.open_checked(name, true)?;
            let gone = || Cause::from(io::Error::from(io::ErrorKind::NotFound));
            Lock::take(file.ok_or_else(gone)?, deadline)
        };
        lock().map_err(|cause| self.failed("lock", name, cause))
    }

    fn open_checked(&self, name: &OsStr, create: bool) -> Result<Option<File>, Cause> {
        component(name)?;
        self.directory.open_file(name, create, true)
    }

    fn try_replace(&self, name: &OsStr, content: &[u8]) -> Result<(), Cause> {
        component(name)?;
        match self.directory.type_of(name)? {
            FileType::Absent | FileType::Regular => {}
            FileType::Stream => {
                return Err(Cause::refused(FileErrorKind::WrongType, "it is a pipe or a device"));
            }
            FileType::Other(what) => {
                return Err(Cause::refused(FileErrorKind::WrongType, format!("it is {what}")));
            }
        }
        let (temporary, mut file) = temporary(&self.directory, name, true)?;
        let written = file
            .write_all(content)
            .and_then(|()| file.sync_all())
            .and_then(|()| self.directory.rename(&temporary, name));
        if let Err(error) = written {
            let _ = self.directory.remove(&temporary);
            return Err(error.into());
        }
        // The rename itself is on the disk only once the directory is.
        self.directory.sync().map_err(Cause::from)
    }

    fn failed(&self, action: &'static str, name: &OsStr, cause: Cause) -> FileError {
        cause.at(action, &self.path.join(name))
    }
}

/// Makes a file with a random name beside the one that it will replace.
pub(crate) fn temporary(directory: &Directory, name: &OsStr, private: bool) -> io::Result<(OsString, File)> {
    for _ in 0..ATTEMPTS {
        // std keys this hasher from the system's random source; nobody can guess the name.
        let random = std::hash::RandomState::new().build_hasher().finish();
        let mut temporary = OsString::from(".");
        // A name of 255 bytes is the longest; the suffix must fit.
        temporary.push(name.to_string_lossy().chars().take(48).collect::<String>());
        temporary.push(format!(".{random:016x}"));
        match directory.create_new(&temporary, private) {
            Ok(file) => return Ok((temporary, file)),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Err(io::Error::new(io::ErrorKind::AlreadyExists, "no name for a temporary file is free"))
}

/// Reads a file to its end, which must come within `limit` bytes.
pub(crate) fn read_all(file: &File, limit: usize) -> Result<Vec<u8>, Cause> {
    let mut content = Vec::new();
    file.take(limit as u64 + 1).read_to_end(&mut content)?;
    if content.len() > limit {
        return Err(Cause::refused(FileErrorKind::TooLarge, format!("it is larger than {limit} bytes")));
    }
    Ok(content)
}

/// Refuses a name that would leave the directory.
fn component(name: &OsStr) -> Result<(), Cause> {
    if Path::new(name).file_name() == Some(name) {
        Ok(())
    } else {
        Err(Cause::refused(FileErrorKind::WrongType, "it is not the name of a file"))
    }
}
