//! One private file by its path.

use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::directory::PrivateDirectory;
use crate::error::{Cause, FileError};
use crate::lock::Lock;
use crate::sys;

/// A private file by its path: the last component in an open [`PrivateDirectory`].
///
/// If the path is a symbolic link that this user or root made, the file behind the link is meant.
#[derive(Debug)]
pub struct PrivateFile {
    directory: PrivateDirectory,
    name: OsString,
}

impl PrivateFile {
    /// Opens the directory of a file and checks it. The file itself need not exist.
    ///
    /// # Errors
    /// Returns an error if the path names no file, or as [`PrivateDirectory::open`] does.
    pub fn at(path: &Path) -> Result<Self, FileError> {
        let (parent, name) = split(path).map_err(|cause| cause.at("use file", path))?;
        Ok(Self { directory: PrivateDirectory::open(parent)?, name })
    }

    /// The path, links resolved.
    #[must_use]
    pub fn path(&self) -> PathBuf {
        self.directory.path().join(&self.name)
    }

    /// As [`PrivateDirectory::read`].
    ///
    /// # Errors
    /// As [`PrivateDirectory::read`].
    pub fn read(&self, limit: usize) -> Result<Option<Vec<u8>>, FileError> {
        self.directory.read(&self.name, limit)
    }

    /// As [`PrivateDirectory::open_file`].
    ///
    /// # Errors
    /// As [`PrivateDirectory::read`].
    pub fn open(&self) -> Result<Option<File>, FileError> {
        self.directory.open_file(&self.name)
    }

    /// As [`PrivateDirectory::replace`].
    ///
    /// # Errors
    /// As [`PrivateDirectory::replace`].
    pub fn replace(&self, content: &[u8]) -> Result<(), FileError> {
        self.directory.replace(&self.name, content)
    }

    /// The error of a step that the caller took with the open file.
    #[must_use]
    pub fn failed(&self, action: &'static str, error: io::Error) -> FileError {
        Cause::from(error).at(action, &self.path())
    }

    /// Takes the lock of the file's lock file, which has `.lock` after its name.
    ///
    /// # Errors
    /// As [`PrivateDirectory::lock`].
    pub fn lock(&self, deadline: Duration) -> Result<Lock, FileError> {
        let mut name = self.name.clone();
        name.push(".lock");
        self.directory.lock(&name, deadline)
    }
}

/// Directory and name of a file, links in the last component resolved.
pub(crate) fn split(path: &Path) -> Result<(PathBuf, OsString), Cause> {
    let path = sys::resolve(path)?;
    let name = path.file_name().filter(|_| !ends_with_separator(&path));
    let Some(name) = name.map(std::ffi::OsStr::to_owned) else {
        return Err(io::Error::from(io::ErrorKind::IsADirectory).into());
    };
    let parent = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
        _ => PathBuf::from("."),
    };
    Ok((parent, name))
}

fn ends_with_separator(path: &Path) -> bool {
    path.as_os_str().to_string_lossy().ends_with(std::path::is_separator)
}
