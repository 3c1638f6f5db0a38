//! Files of Windows, by path below a directory that is kept open: while it is, nobody can rename it
//! or put another one in its place, so what was checked is what is used.
//!
//! What mode 0700 and 0600 are elsewhere is an access control list here: this user, SYSTEM and the
//! Administrators. A list that is wider is refused and left alone, because it may be wider on
//! purpose by inheritance; `icacls` shows and changes it.

use std::ffi::OsStr;
use std::fs::{File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use imds_windows::{OpenError, Refusal};

use crate::error::{Cause, FileErrorKind as Kind};

/// What a path names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FileType {
    Absent,
    Regular,
    /// A pipe or a device such as `NUL`: output is written through to it.
    Stream,
    Other(&'static str),
}

/// Owner and permissions of a file, to give its replacement the same: those of its directory, which
/// a new file inherits.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Identity;

/// An open directory.
#[derive(Debug)]
pub(crate) struct Directory {
    path: PathBuf,
    /// Keeps the directory in its place.
    _open: File,
}

impl From<OpenError> for Cause {
    fn from(error: OpenError) -> Self {
        let refusal = match error {
            OpenError::Io(error) => return error.into(),
            OpenError::Refused(refusal) => refusal,
        };
        let kind = match refusal {
            Refusal::Link => Kind::SymbolicLink,
            Refusal::WrongType => Kind::WrongType,
            Refusal::HardLink => Kind::HardLink,
            Refusal::ForeignOwner(_) => Kind::ForeignOwner,
            Refusal::OthersWrite | Refusal::OthersRead => Kind::LooseMode,
        };
        Self::refused(kind, refusal.to_string())
    }
}

/// Whether the path names a device or a pipe, which have no attributes of a file.
fn is_device(path: &Path) -> bool {
    let text = path.as_os_str().to_string_lossy();
    let name = text.trim_end_matches(':').to_ascii_uppercase();
    ["NUL", "CON", "CONOUT$"].contains(&name.as_str()) || text.starts_with(r"\\.\")
}

/// The path itself. A link in its last component is refused: who may make one on Windows is a
/// matter of policy, and its owner says nothing.
pub(crate) fn resolve(path: &Path) -> Result<PathBuf, Cause> {
    if !is_device(path) && std::fs::symlink_metadata(path).is_ok_and(|is| is.is_symlink()) {
        return Err(OpenError::Refused(Refusal::Link).into());
    }
    Ok(path.to_owned())
}

/// What the path names.
pub(crate) fn existing_type(path: &Path) -> Result<FileType, Cause> {
    if is_device(path) {
        return Ok(FileType::Stream);
    }
    type_of(path)
}

fn type_of(path: &Path) -> Result<FileType, Cause> {
    match std::fs::symlink_metadata(path) {
        Ok(is) if is.is_symlink() => Ok(FileType::Other("a symbolic link or a junction")),
        Ok(is) if is.is_dir() => Ok(FileType::Other("a directory")),
        Ok(_) => Ok(FileType::Regular),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(FileType::Absent),
        Err(error) => Err(error.into()),
    }
}

/// Opens a pipe or a device for writing.
pub(crate) fn open_through(path: &Path) -> Result<File, Cause> {
    Ok(OpenOptions::new().write(true).open(path)?)
}

/// No path names standard output here.
pub(crate) fn standard_stream(_path: &Path) -> Option<io::Result<File>> {
    None
}

/// Makes a directory and its parents, for this user alone.
pub(crate) fn make_directories(path: &Path) -> Result<(), Cause> {
    if let Some(parent) = path.parent()
        && !parent.as_os_str().is_empty()
        && !parent.exists()
    {
        make_directories(parent)?;
    }
    match imds_windows::create_private_directory(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        done => done.map_err(Cause::from),
    }
}

/// Takes the lock of a file; whether it was free.
pub(crate) fn try_lock(file: &File) -> io::Result<bool> {
    imds_windows::try_lock(file)
}

/// Gives the lock of a file back.
pub(crate) fn unlock(file: &File) {
    imds_windows::unlock(file);
}

impl Directory {
    /// Opens a directory without any check; a path of the user's own choice.
    pub(crate) fn open(path: &Path) -> Result<Self, Cause> {
        Ok(Self { path: path.to_owned(), _open: imds_windows::open_directory(path)? })
    }

    /// Opens a directory that only this user (and SYSTEM and the Administrators) can put files in.
    pub(crate) fn open_private(path: &Path) -> Result<Self, Cause> {
        Ok(Self { path: path.to_owned(), _open: imds_windows::open_private_directory(path)? })
    }

    /// What a name in the directory is, links not followed.
    pub(crate) fn type_of(&self, name: &OsStr) -> Result<FileType, Cause> {
        type_of(&self.path.join(name))
    }

    /// Nothing that a replacement would not inherit.
    pub(crate) fn identity(&self, _name: &OsStr) -> Result<Option<Identity>, Cause> {
        Ok(None)
    }

    /// Opens a regular file of this user's with one name and no writer but this user; `None` if it
    /// does not exist and is not to be made.
    ///
    /// `private` also refuses other readers.
    pub(crate) fn open_file(&self, name: &OsStr, create: bool, private: bool) -> Result<Option<File>, Cause> {
        Ok(imds_windows::open_private_file(&self.path.join(name), create, private)?)
    }

    /// Makes a file that did not exist: for this user alone if it is private, else with what it
    /// inherits from the directory.
    pub(crate) fn create_new(&self, name: &OsStr, private: bool) -> io::Result<File> {
        let path = self.path.join(name);
        if private {
            return imds_windows::create_private_file(&path);
        }
        OpenOptions::new().write(true).create_new(true).open(path)
    }

    /// Renames within the directory, over what has the new name.
    pub(crate) fn rename(&self, from: &OsStr, to: &OsStr) -> io::Result<()> {
        imds_windows::rename_over(&self.path.join(from), &self.path.join(to))
    }

    /// Gives a file a second name, unless that name exists.
    pub(crate) fn link(&self, from: &OsStr, to: &OsStr) -> io::Result<()> {
        std::fs::hard_link(self.path.join(from), self.path.join(to))
    }

    /// Removes a file; whether it existed.
    pub(crate) fn remove(&self, name: &OsStr) -> io::Result<bool> {
        match std::fs::remove_file(self.path.join(name)) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Nothing to do: NTFS writes renames and removals to its journal, and the system refuses to
    /// flush a directory that was opened for reading.
    pub(crate) fn sync(&self) -> io::Result<()> {
        Ok(())
    }
}

impl Identity {
    /// As it is.
    pub(crate) const fn private(self) -> Self {
        self
    }

    /// Nothing to give.
    pub(crate) fn apply(self, _file: &File) -> io::Result<()> {
        Ok(())
    }
}
