//! Opening files and directories that nobody else can change, checked after they are open.

use std::fmt;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::windows::fs::OpenOptionsExt as _;
use std::os::windows::io::{AsHandle as _, AsRawHandle as _};
use std::path::Path;
use std::time::Duration;

use windows_sys::Win32::Foundation::{ERROR_ACCESS_DENIED, ERROR_LOCK_VIOLATION, ERROR_SHARING_VIOLATION};
use windows_sys::Win32::Storage::FileSystem::{
    BY_HANDLE_FILE_INFORMATION, FILE_FLAG_BACKUP_SEMANTICS, FILE_FLAG_OPEN_REPARSE_POINT, FILE_SHARE_DELETE,
    FILE_SHARE_READ, FILE_SHARE_WRITE, GetFileInformationByHandle,
};

use crate::access::access;
use crate::private::create_private_file;

/// Why a file or directory is not used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// A symbolic link or a junction stands in its place.
    Link,
    /// It is not a regular file, or not a directory.
    WrongType,
    /// The file has a second name, through which it could be changed.
    HardLink,
    /// It belongs to another user, with this security identifier.
    ForeignOwner(String),
    /// Other users can write it.
    OthersWrite,
    /// Other users can read it.
    OthersRead,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Link => f.write_str("it is a symbolic link or a junction"),
            Self::WrongType => f.write_str("it is of the wrong type"),
            Self::HardLink => f.write_str("it has a second name (a hard link)"),
            Self::ForeignOwner(owner) => write!(f, "it belongs to another user ({owner})"),
            Self::OthersWrite => f.write_str("other users can write it (`icacls` shows who)"),
            Self::OthersRead => f.write_str("other users can read it (`icacls` shows who)"),
        }
    }
}

/// Why a file or directory could not be opened.
#[derive(Debug)]
pub enum OpenError {
    /// The system refused.
    Io(io::Error),
    /// It is open to others, or not what was expected.
    Refused(Refusal),
}

impl From<io::Error> for OpenError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

fn refused<T>(why: Refusal) -> Result<T, OpenError> {
    Err(OpenError::Refused(why))
}

/// Opens a directory. As long as the handle lives, nobody can rename or remove the directory or put
/// another one in its place, so a path through it stays what it was.
///
/// # Errors
/// Returns an error if it cannot be opened.
pub fn open_directory(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .read(true)
        .share_mode(FILE_SHARE_READ | FILE_SHARE_WRITE)
        .custom_flags(FILE_FLAG_BACKUP_SEMANTICS | FILE_FLAG_OPEN_REPARSE_POINT)
        .open(path)
}

/// Opens a directory as [`open_directory`] does, and makes sure that it belongs to this user (or
/// SYSTEM or the Administrators) and that no other user can write it.
///
/// # Errors
/// Returns an error if it cannot be opened, or must not be trusted.
pub fn open_private_directory(path: &Path) -> Result<File, OpenError> {
    let directory = open_directory(path)?;
    let kind = directory.metadata()?.file_type();
    if kind.is_symlink() {
        return refused(Refusal::Link);
    }
    if !kind.is_dir() {
        return refused(Refusal::WrongType);
    }
    let access = access(directory.as_handle())?;
    if let Some(owner) = access.foreign_owner {
        return refused(Refusal::ForeignOwner(owner));
    }
    if access.others_write {
        return refused(Refusal::OthersWrite);
    }
    Ok(directory)
}

/// Opens a regular file of this user's with one name, for reading and writing; `None` if it does
/// not exist and is not to be made. A file that is made is this user's alone.
///
/// `private` refuses a file that other users can read as well.
///
/// # Errors
/// Returns an error if it cannot be opened, or must not be trusted.
pub fn open_private_file(path: &Path, create: bool, private: bool) -> Result<Option<File>, OpenError> {
    let mut attempts = 0;
    let file = loop {
        attempts += 1;
        let opened = OpenOptions::new()
            .read(true)
            .write(true)
            .share_mode(FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE)
            .custom_flags(FILE_FLAG_OPEN_REPARSE_POINT)
            .open(path);
        match opened {
            Ok(file) => break file,
            Err(error) if error.kind() == io::ErrorKind::NotFound && !create => return Ok(None),
            Err(error) if error.kind() == io::ErrorKind::NotFound => match create_private_file(path) {
                // Opened again, so that others may write to it meanwhile, as to every other one.
                Ok(made) => drop(made),
                // Another process was faster.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                // It is made by another process, which does not share it yet.
                Err(error) if attempts < ATTEMPTS && is_in_use(&error) => std::thread::sleep(PAUSE),
                Err(error) => return Err(error.into()),
            },
            Err(error) if attempts < ATTEMPTS && is_sharing_violation(&error) => std::thread::sleep(PAUSE),
            Err(error) => {
                return match std::fs::symlink_metadata(path) {
                    Ok(is) if !is.is_file() && !is.is_symlink() => refused(Refusal::WrongType),
                    _ => Err(error.into()),
                };
            }
        }
    };
    let kind = file.metadata()?.file_type();
    if kind.is_symlink() {
        return refused(Refusal::Link);
    }
    if !kind.is_file() {
        return refused(Refusal::WrongType);
    }
    let access = access(file.as_handle())?;
    if let Some(owner) = access.foreign_owner {
        return refused(Refusal::ForeignOwner(owner));
    }
    if links(&file)? > 1 {
        return refused(Refusal::HardLink);
    }
    if access.others_write {
        return refused(Refusal::OthersWrite);
    }
    if private && access.others_read {
        return refused(Refusal::OthersRead);
    }
    Ok(Some(file))
}

/// Returns whether what the path names, links followed, belongs to this user, SYSTEM or the
/// Administrators.
#[must_use]
pub fn is_own(path: &Path) -> bool {
    let opened = OpenOptions::new().read(true).custom_flags(FILE_FLAG_BACKUP_SEMANTICS).open(path);
    let access = opened.and_then(|file| access(file.as_handle()));
    access.is_ok_and(|access| access.foreign_owner.is_none())
}

/// Pause between two attempts, while another process has the file in use for a moment.
const PAUSE: Duration = Duration::from_millis(5);
/// How often a rename is tried: half a second in all.
const ATTEMPTS: u32 = 100;

/// Renames a file over another one. While a virus scanner or a reader has the other file open, some
/// file systems refuse; this tries again for half a second.
///
/// # Errors
/// Returns an error if it cannot be renamed.
pub fn rename_over(from: &Path, to: &Path) -> io::Result<()> {
    for _ in 1..ATTEMPTS {
        match std::fs::rename(from, to) {
            Err(error) if is_in_use(&error) => std::thread::sleep(PAUSE),
            done => return done,
        }
    }
    std::fs::rename(from, to)
}

fn is_in_use(error: &io::Error) -> bool {
    is_one_of(error, &[ERROR_ACCESS_DENIED, ERROR_SHARING_VIOLATION, ERROR_LOCK_VIOLATION])
}

fn is_sharing_violation(error: &io::Error) -> bool {
    is_one_of(error, &[ERROR_SHARING_VIOLATION])
}

fn is_one_of(error: &io::Error, codes: &[u32]) -> bool {
    codes.iter().any(|code| error.raw_os_error() == Some(code.cast_signed()))
}

/// The number of names of a file.
#[allow(unsafe_code, reason = "a call of the system")]
fn links(file: &File) -> io::Result<u32> {
    let mut information = BY_HANDLE_FILE_INFORMATION::default();
    // SAFETY: the handle is open, and `information` outlives the call.
    match unsafe { GetFileInformationByHandle(file.as_raw_handle(), &raw mut information) } {
        0 => Err(io::Error::last_os_error()),
        _ => Ok(information.nNumberOfLinks),
    }
}
