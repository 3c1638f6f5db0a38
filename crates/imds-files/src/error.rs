//! Why a file could not be used.

use std::path::{Path, PathBuf};
use std::{fmt, io};

/// Category of a [`FileError`], for callers to match on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FileErrorKind {
    /// A file or directory on the way does not exist.
    NotFound,
    /// The operating system refused a step; see [`FileError::io`].
    Io,
    /// The file or its directory belongs to another user.
    ForeignOwner,
    /// Other users can write the file or its directory.
    LooseMode,
    /// The path is a symbolic link that another user made, or that must not be followed.
    SymbolicLink,
    /// The file has a second name (a hard link), through which it could be changed.
    HardLink,
    /// The path is not a regular file, or not a directory where one is needed.
    WrongType,
    /// The file holds more bytes than the limit allows.
    TooLarge,
    /// The content is not what the program wrote.
    Damaged,
    /// Another process holds the lock.
    Locked,
}

/// Why a file could not be used: what was attempted, on which path, and the cause.
///
/// `Display` prints all of it on one line.
#[derive(Debug)]
pub struct FileError {
    action: &'static str,
    path: PathBuf,
    cause: Cause,
}

/// The cause alone; the path is added by the caller who knows it.
#[derive(Debug)]
pub(crate) enum Cause {
    Io(io::Error),
    Refused(FileErrorKind, String),
}

impl Cause {
    pub(crate) fn refused(kind: FileErrorKind, why: impl Into<String>) -> Self {
        Self::Refused(kind, why.into())
    }

    pub(crate) fn at(self, action: &'static str, path: &Path) -> FileError {
        FileError { action, path: path.to_owned(), cause: self }
    }
}

impl From<io::Error> for Cause {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl FileError {
    /// The category.
    #[must_use]
    pub fn kind(&self) -> FileErrorKind {
        match &self.cause {
            Cause::Io(error) if error.kind() == io::ErrorKind::NotFound => FileErrorKind::NotFound,
            Cause::Io(_) => FileErrorKind::Io,
            Cause::Refused(kind, _) => *kind,
        }
    }

    /// The operating system's error, if there was one.
    #[must_use]
    pub const fn io(&self) -> Option<&io::Error> {
        match &self.cause {
            Cause::Io(error) => Some(error),
            Cause::Refused(..) => None,
        }
    }

    /// The file or directory.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Why the step failed, without the path.
    #[must_use]
    pub fn cause(&self) -> String {
        match &self.cause {
            Cause::Io(error) => error.to_string(),
            Cause::Refused(_, why) => why.clone(),
        }
    }
}

impl fmt::Display for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Escapes control characters in a name that somebody else may have chosen.
        let shown = self.path.to_string_lossy();
        let escaped: String = shown
            .chars()
            .flat_map(|c| if c.is_control() { c.escape_default().collect::<Vec<_>>() } else { vec![c] })
            .collect();
        write!(f, "cannot {} `{escaped}`: {}", self.action, self.cause())
    }
}

impl std::error::Error for FileError {}

impl From<FileError> for io::Error {
    fn from(error: FileError) -> Self {
        let kind = match (&error.cause, error.kind()) {
            (Cause::Io(cause), _) => cause.kind(),
            (_, FileErrorKind::Locked) => io::ErrorKind::WouldBlock,
            (_, FileErrorKind::Damaged | FileErrorKind::TooLarge) => io::ErrorKind::InvalidData,
            _ => io::ErrorKind::PermissionDenied,
        };
        Self::new(kind, error)
    }
}
