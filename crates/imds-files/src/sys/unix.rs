//! Files of Linux and other Unix systems, by descriptors: what was checked is what is used.

use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use rustix::fs::{self, AtFlags, FileType as Type, FlockOperation, Mode, OFlags, RawMode, Stat};
use rustix::io::Errno;

use crate::error::{Cause, FileErrorKind as Kind};

/// Write permission of group and others.
const WRITABLE: RawMode = 0o022;
/// Write permission of everybody.
const EVERYBODY_WRITES: RawMode = 0o002;
/// Every permission of group and others.
const OPEN: RawMode = 0o077;
/// Nobody but its owner can replace a file in a directory with this bit, even if others can write
/// it.
const STICKY: RawMode = 0o1000;
const ROOT: u32 = 0;

/// What a path names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FileType {
    Absent,
    Regular,
    /// A pipe or a character device: output is written through to it.
    Stream,
    Other(&'static str),
}

/// Owner and permissions of a file, to give its replacement the same.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Identity {
    user: u32,
    group: u32,
    mode: RawMode,
}

/// An open directory.
#[derive(Debug)]
pub(crate) struct Directory(OwnedFd);

fn effective_user() -> u32 {
    rustix::process::geteuid().as_raw()
}

/// Whether a user is one whose files this process trusts: itself, or root.
fn trusted(user: u32) -> bool {
    user == effective_user() || user == ROOT
}

fn type_of(stat: &Stat) -> FileType {
    match Type::from_raw_mode(stat.st_mode) {
        Type::RegularFile => FileType::Regular,
        Type::Fifo | Type::CharacterDevice => FileType::Stream,
        Type::Directory => FileType::Other("a directory"),
        Type::Socket => FileType::Other("a socket"),
        Type::BlockDevice => FileType::Other("a block device"),
        Type::Symlink => FileType::Other("a symbolic link"),
        Type::Unknown => FileType::Other("of an unknown type"),
    }
}

/// The path behind symbolic links in its last component, each of which this user or root must have
/// made. The last component of the result is not a link.
pub(crate) fn resolve(path: &Path) -> Result<PathBuf, Cause> {
    let mut path = path.to_owned();
    // As many as the kernel follows.
    for _ in 0..40 {
        let stat = match fs::lstat(&path) {
            Ok(stat) => stat,
            Err(Errno::NOENT) => return Ok(path),
            Err(error) => return Err(io::Error::from(error).into()),
        };
        if Type::from_raw_mode(stat.st_mode) != Type::Symlink {
            return Ok(path);
        }
        if !trusted(stat.st_uid) {
            let why = "it is a symbolic link that another user made";
            return Err(Cause::refused(Kind::SymbolicLink, why));
        }
        let target = std::fs::read_link(&path)?;
        path = match path.parent() {
            Some(parent) => parent.join(target),
            None => target,
        };
    }
    Err(io::Error::from(Errno::LOOP).into())
}

/// What the path names, links followed.
pub(crate) fn existing_type(path: &Path) -> Result<FileType, Cause> {
    match fs::stat(path) {
        Ok(stat) => Ok(type_of(&stat)),
        Err(Errno::NOENT) => Ok(FileType::Absent),
        Err(error) => Err(io::Error::from(error).into()),
    }
}

/// Opens a pipe or a character device for writing. A pipe without a reader blocks, as in a shell.
pub(crate) fn open_through(path: &Path) -> Result<File, Cause> {
    let flags = OFlags::WRONLY | OFlags::NOCTTY | OFlags::CLOEXEC | OFlags::APPEND;
    let file = fs::open(path, flags, Mode::empty()).map_err(io::Error::from)?;
    let stat = fs::fstat(&file).map_err(io::Error::from)?;
    match type_of(&stat) {
        FileType::Stream => Ok(file.into()),
        _ => Err(Cause::refused(Kind::WrongType, "it was replaced while it was opened")),
    }
}

/// A duplicate of this process's standard output or error, if the path is a name of it.
///
/// Opening such a name again would fail for a socket and start at the beginning of a regular file.
pub(crate) fn standard_stream(path: &Path) -> Option<io::Result<File>> {
    use std::os::fd::AsFd as _;
    let duplicate = match path.to_str()? {
        "/dev/stdout" | "/dev/fd/1" | "/proc/self/fd/1" => io::stdout().as_fd().try_clone_to_owned(),
        "/dev/stderr" | "/dev/fd/2" | "/proc/self/fd/2" => io::stderr().as_fd().try_clone_to_owned(),
        _ => return None,
    };
    Some(duplicate.map(File::from))
}

/// Makes a directory and its parents, mode 0700.
pub(crate) fn make_directories(path: &Path) -> Result<(), Cause> {
    use std::os::unix::fs::DirBuilderExt as _;
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true).mode(0o700).create(path).map_err(Cause::from)
}

/// Takes every permission of group and others from a file.
fn tighten(file: &File) -> io::Result<()> {
    Ok(fs::fchmod(file, Mode::RUSR | Mode::WUSR)?)
}

/// Takes the lock of a file; whether it was free.
pub(crate) fn try_lock(file: &File) -> io::Result<bool> {
    match fs::flock(file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(true),
        Err(Errno::WOULDBLOCK) => Ok(false),
        Err(Errno::INTR) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Gives the lock of a file back.
pub(crate) fn unlock(file: &File) {
    // It also ends with the last descriptor of the file.
    let _ = fs::flock(file, FlockOperation::Unlock);
}

impl Directory {
    /// Opens a directory without any check; a path of the user's own choice.
    pub(crate) fn open(path: &Path) -> Result<Self, Cause> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        Ok(Self(fs::open(path, flags, Mode::empty()).map_err(io::Error::from)?))
    }

    /// Opens a directory that only this user (and root) can put files in.
    ///
    /// A link that this user or root made is followed: systemd gives a service with `DynamicUser=`
    /// its state directory as one.
    pub(crate) fn open_private(path: &Path) -> Result<Self, Cause> {
        let path = resolve(path)?;
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let directory = match fs::open(&path, flags, Mode::empty()) {
            Ok(directory) => directory,
            Err(Errno::NOTDIR) => return Err(Cause::refused(Kind::WrongType, "it is not a directory")),
            Err(error) => return Err(io::Error::from(error).into()),
        };
        let stat = fs::fstat(&directory).map_err(io::Error::from)?;
        if !trusted(stat.st_uid) {
            let why = format!("the directory belongs to another user (uid {})", stat.st_uid);
            return Err(Cause::refused(Kind::ForeignOwner, why));
        }
        if stat.st_mode & WRITABLE != 0 && stat.st_mode & STICKY == 0 {
            let mode = stat.st_mode & 0o7777;
            let why = format!("other users can write the directory (mode {mode:04o}): chmod go-w it");
            return Err(Cause::refused(Kind::LooseMode, why));
        }
        Ok(Self(directory))
    }

    /// What a name in the directory is, links not followed.
    pub(crate) fn type_of(&self, name: &OsStr) -> Result<FileType, Cause> {
        match fs::statat(&self.0, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => Ok(type_of(&stat)),
            Err(Errno::NOENT) => Ok(FileType::Absent),
            Err(error) => Err(io::Error::from(error).into()),
        }
    }

    /// Owner and permissions of a file in the directory.
    pub(crate) fn identity(&self, name: &OsStr) -> Result<Option<Identity>, Cause> {
        match fs::statat(&self.0, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => {
                Ok(Some(Identity { user: stat.st_uid, group: stat.st_gid, mode: stat.st_mode & 0o777 }))
            }
            Err(Errno::NOENT) => Ok(None),
            Err(error) => Err(io::Error::from(error).into()),
        }
    }

    /// Opens a regular file of this user's with one name and no writer but this user; `None` if it
    /// does not exist and is not to be made.
    ///
    /// `private` also takes read permission from group and others.
    pub(crate) fn open_file(&self, name: &OsStr, create: bool, private: bool) -> Result<Option<File>, Cause> {
        // NONBLOCK: a pipe under this name must not block the process.
        let mut flags = OFlags::RDWR | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        flags.set(OFlags::CREATE, create);
        let file = match fs::openat(&self.0, name, flags, Mode::RUSR | Mode::WUSR) {
            Ok(file) => file,
            Err(Errno::NOENT) if !create => return Ok(None),
            Err(Errno::LOOP) => {
                return Err(Cause::refused(Kind::SymbolicLink, "it is a symbolic link"));
            }
            Err(error) => {
                return match self.type_of(name)? {
                    FileType::Other(what) => Err(Cause::refused(Kind::WrongType, format!("it is {what}"))),
                    _ => self.foreign(name).map_or(Err(io::Error::from(error).into()), Err),
                };
            }
        };
        let stat = fs::fstat(&file).map_err(io::Error::from)?;
        match type_of(&stat) {
            FileType::Regular => {}
            FileType::Other(what) => {
                return Err(Cause::refused(Kind::WrongType, format!("it is {what}")));
            }
            _ => return Err(Cause::refused(Kind::WrongType, "it is a pipe or a device")),
        }
        if stat.st_uid != effective_user() {
            let why = format!("it belongs to another user (uid {})", stat.st_uid);
            return Err(Cause::refused(Kind::ForeignOwner, why));
        }
        if stat.st_nlink > 1 {
            return Err(Cause::refused(Kind::HardLink, "it has a second name (a hard link)"));
        }
        // A group of the user's own (umask 002) is common where people keep their own files.
        let writable = if private { WRITABLE } else { EVERYBODY_WRITES };
        if stat.st_mode & writable != 0 {
            let why = format!("other users can write it (mode {:04o})", stat.st_mode & 0o7777);
            return Err(Cause::refused(Kind::LooseMode, why));
        }
        let file = File::from(file);
        if private && stat.st_mode & OPEN != 0 {
            tighten(&file)?;
        }
        Ok(Some(file))
    }

    /// The refusal of a file that cannot be opened because it is another user's.
    fn foreign(&self, name: &OsStr) -> Option<Cause> {
        let owner = self.identity(name).ok()??.user;
        (owner != effective_user())
            .then(|| Cause::refused(Kind::ForeignOwner, format!("it belongs to another user (uid {owner})")))
    }

    /// Makes a file that did not exist: mode 0600 if it is private, else what the umask leaves.
    pub(crate) fn create_new(&self, name: &OsStr, private: bool) -> io::Result<File> {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let mode = if private { 0o600 } else { 0o666 };
        let file = fs::openat(&self.0, name, flags, Mode::from_raw_mode(mode))?;
        if private {
            // The umask may have taken more.
            fs::fchmod(&file, Mode::from_raw_mode(mode))?;
        }
        Ok(file.into())
    }

    /// Renames within the directory, over what has the new name.
    pub(crate) fn rename(&self, from: &OsStr, to: &OsStr) -> io::Result<()> {
        Ok(fs::renameat(&self.0, from, &self.0, to)?)
    }

    /// Gives a file a second name, unless that name exists.
    pub(crate) fn link(&self, from: &OsStr, to: &OsStr) -> io::Result<()> {
        Ok(fs::linkat(&self.0, from, &self.0, to, AtFlags::empty())?)
    }

    /// Removes a file; whether it existed.
    pub(crate) fn remove(&self, name: &OsStr) -> io::Result<bool> {
        match fs::unlinkat(&self.0, name, AtFlags::empty()) {
            Ok(()) => Ok(true),
            Err(Errno::NOENT) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Waits until renames and removals are on the disk.
    pub(crate) fn sync(&self) -> io::Result<()> {
        match fs::fsync(&self.0) {
            // Some file systems cannot sync a directory.
            Ok(()) | Err(Errno::INVAL) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

impl Identity {
    /// Takes every permission of group and others.
    pub(crate) const fn private(self) -> Self {
        Self { mode: self.mode & 0o700 | 0o600, ..self }
    }

    /// Gives a file this owner and these permissions.
    pub(crate) fn apply(self, file: &File) -> io::Result<()> {
        let stat = fs::fstat(file)?;
        let user = (stat.st_uid != self.user).then(|| fs::Uid::from_raw(self.user));
        let group = (stat.st_gid != self.group).then(|| fs::Gid::from_raw(self.group));
        if user.is_some() || group.is_some() {
            fs::fchown(file, user, group)?;
        }
        // Last, because a change of owner clears bits.
        Ok(fs::fchmod(file, Mode::from_raw_mode(self.mode))?)
    }
}
