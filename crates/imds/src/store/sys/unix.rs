//! A token store of Linux and other Unix systems, by descriptors: what was checked is what is used.

use std::io::{self, Read as _};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use imds_model::env;
use rustix::fs::{self, AtFlags, FileType, FlockOperation, Mode, OFlags, RawMode};
use rustix::io::Errno;
use zeroize::Zeroizing;

use crate::config::environment::Environment;
use crate::store::StoreError;

/// Permission bits that a token file must not have: any for group or others.
const LOOSE_FILE: RawMode = 0o077;
/// The bit of a directory in which users may only remove what is theirs, such as `/tmp`.
const STICKY: RawMode = 0o1000;
/// Permission bits that the directory must not have: writing for group or others, who could plant
/// files in it.
const LOOSE_DIRECTORY: RawMode = 0o022;

/// Returns `$XDG_RUNTIME_DIR/imds`, else `/run/imds` for root, else `$XDG_CACHE_HOME/imds`, else
/// `~/.cache/imds`; `None` if none of these is known.
pub(in crate::store) fn default_directory(environment: &dyn Environment) -> Option<PathBuf> {
    let inside = |name, rest: &str| {
        let path = environment.path_variable(name).filter(|path| environment.is_own(path))?;
        Some(path.join(rest))
    };
    inside(env::XDG_RUNTIME_DIR, "imds")
        .or_else(|| environment.is_root().then(|| PathBuf::from("/run/imds")))
        .or_else(|| inside(env::XDG_CACHE_HOME, "imds"))
        .or_else(|| inside(env::HOME, ".cache/imds"))
}

/// Escapes what no file name can hold, and what separates the parts of ours.
pub(in crate::store) fn escaped(text: &str) -> String {
    text.replace('%', "%25").replace('/', "%2F").replace('@', "%40")
}

/// An open directory that only this user can write.
#[derive(Debug)]
pub(in crate::store) struct Folder<'a> {
    path: &'a Path,
    directory: OwnedFd,
}

impl<'a> Folder<'a> {
    /// Opens the directory; `None` where it does not exist.
    pub(in crate::store) fn open(path: &'a Path) -> Result<Option<Self>, StoreError> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let error =
            |what: &str, error: Errno| StoreError::io(format!("{what} `{}`", path.display()), error.into());
        let directory = match fs::open(path, flags, Mode::empty()) {
            Ok(directory) => directory,
            Err(Errno::NOENT) => return Ok(None),
            Err(errno) => return Err(error("cannot open token store", errno)),
        };
        let stat = fs::fstat(&directory).map_err(|errno| error("cannot inspect token store", errno))?;
        let folder = Self { path, directory };
        if stat.st_uid != rustix::process::geteuid().as_raw() {
            return Err(folder.refusal("belongs to another user"));
        }
        if stat.st_mode & LOOSE_DIRECTORY != 0 {
            folder.tighten(stat.st_mode)?;
        }
        Ok(Some(folder))
    }

    /// Takes from a directory of this user's the permission of others to write to it, if it is a
    /// token store and nothing else: a directory that is shared on purpose is left alone.
    fn tighten(&self, mode: RawMode) -> Result<(), StoreError> {
        let refusal = || self.refusal("can be written by other users");
        let is_shared = mode & STICKY != 0;
        let holds_only_tokens = || {
            let ours = rustix::process::geteuid().as_raw();
            let entries = std::fs::read_dir(self.path).ok()?;
            for entry in entries {
                let name = entry.ok()?.file_name().into_string().ok()?;
                let stat = fs::statat(&self.directory, &*name, AtFlags::SYMLINK_NOFOLLOW).ok()?;
                let is_store_file = name.contains(".token") || name.ends_with(".lock");
                if !is_store_file || stat.st_uid != ours {
                    return None;
                }
            }
            Some(())
        };
        if is_shared || holds_only_tokens().is_none() {
            return Err(refusal());
        }
        fs::fchmod(&self.directory, Mode::RWXU)
            .map_err(|error| self.error("cannot tighten token store", error))
    }

    /// Opens the directory, making it where it does not exist.
    pub(in crate::store) fn make(path: &'a Path) -> Result<Self, StoreError> {
        use std::os::unix::fs::DirBuilderExt as _;
        if let Some(folder) = Self::open(path)? {
            return Ok(folder);
        }
        let mut builder = std::fs::DirBuilder::new();
        builder.recursive(true).mode(0o700);
        let make = |error| StoreError::io(format!("cannot make token store `{}`", path.display()), error);
        builder.create(path).map_err(make)?;
        let vanished = || StoreError::new(format!("token store `{}` vanished", path.display()));
        Self::open(path)?.ok_or_else(vanished)
    }

    /// Opens a file of the store and makes sure that it is a plain file of this user's that nobody
    /// else can read.
    fn open_file(&self, name: &str, flags: OFlags) -> Result<Option<OwnedFd>, StoreError> {
        // NONBLOCK: a pipe in the place of the file must not make the process wait.
        let flags = flags | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
        let file = match fs::openat(&self.directory, name, flags, Mode::RUSR | Mode::WUSR) {
            Ok(file) => file,
            Err(Errno::NOENT) if !flags.contains(OFlags::CREATE) => return Ok(None),
            Err(Errno::LOOP) => return Err(self.refusal(&format!("has a symbolic link for `{name}`"))),
            Err(error) => return Err(self.error(&format!("cannot open `{name}` in token store"), error)),
        };
        let stat = fs::fstat(&file).map_err(|error| self.error("cannot inspect token file", error))?;
        if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
            return Err(self.refusal(&format!("has something other than a file for `{name}`")));
        }
        if stat.st_uid != rustix::process::geteuid().as_raw() {
            return Err(self.refusal(&format!("has a file of another user for `{name}`")));
        }
        if stat.st_mode & LOOSE_FILE != 0 {
            // Another user may have written what is in it: it is replaced.
            if stat.st_mode & LOOSE_DIRECTORY != 0 && !flags.contains(OFlags::RDWR) {
                let _ = fs::unlinkat(&self.directory, name, AtFlags::empty());
                return Err(self.refusal(&format!("had a file that other users could write for `{name}`")));
            }
            // It is this user's own: an older umask, or a copy. It is tightened here, once.
            let tightened = fs::fchmod(&file, Mode::RUSR | Mode::WUSR);
            tightened
                .map_err(|error| self.error(&format!("cannot tighten `{name}` in token store"), error))?;
        }
        Ok(Some(file))
    }

    /// The first `limit` bytes of a file; `None` where there is none.
    pub(in crate::store) fn read(
        &self,
        name: &str,
        limit: u64,
    ) -> Result<Option<Zeroizing<Vec<u8>>>, StoreError> {
        let Some(file) = self.open_file(name, OFlags::RDONLY)? else { return Ok(None) };
        let mut content = Zeroizing::new(Vec::with_capacity(512));
        match std::fs::File::from(file).take(limit).read_to_end(&mut content) {
            Ok(_) => Ok(Some(content)),
            Err(error) => {
                let shown = self.path.display();
                Err(StoreError::io(format!("cannot read `{name}` in token store `{shown}`"), error))
            }
        }
    }

    /// Replaces a file, by way of a temporary one.
    pub(in crate::store) fn replace(&self, name: &str, temporary: &str, text: &[u8]) -> io::Result<()> {
        // What a killed process of the same id left behind is in the way.
        let _ = fs::unlinkat(&self.directory, temporary, AtFlags::empty());
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file = fs::openat(&self.directory, temporary, flags, Mode::RUSR | Mode::WUSR)?;
        let written = match rustix::io::write(&file, text) {
            Ok(length) if length == text.len() => {
                fs::renameat(&self.directory, temporary, &self.directory, name)
            }
            Ok(_) => Err(Errno::NOSPC),
            Err(error) => Err(error),
        };
        Ok(written.inspect_err(|_| {
            let _ = fs::unlinkat(&self.directory, temporary, AtFlags::empty());
        })?)
    }

    /// Removes a file; whether it existed.
    pub(in crate::store) fn remove(&self, name: &str) -> io::Result<bool> {
        match fs::unlinkat(&self.directory, name, AtFlags::empty()) {
            Ok(()) => Ok(true),
            Err(Errno::NOENT) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Opens a lock file, making it where it does not exist; whether it was made.
    pub(in crate::store) fn open_lock(&self, name: &str) -> Result<(LockFile, bool), StoreError> {
        if let Some(file) = self.open_file(name, OFlags::RDWR)? {
            return Ok((LockFile(file), false));
        }
        let made = self.open_file(name, OFlags::RDWR | OFlags::CREATE)?;
        made.map(|file| (LockFile(file), true)).ok_or_else(|| self.refusal("vanished"))
    }

    /// How much older than the lock file a file is, in seconds.
    pub(in crate::store) fn age(&self, name: &str, lock: &LockFile) -> Option<i64> {
        let now = fs::fstat(&lock.0).ok()?;
        let stat = fs::statat(&self.directory, name, AtFlags::SYMLINK_NOFOLLOW).ok()?;
        Some(now.st_mtime.saturating_sub(stat.st_mtime))
    }

    fn error(&self, what: &str, error: Errno) -> StoreError {
        StoreError::io(format!("{what} `{}`", self.path.display()), error.into())
    }

    fn refusal(&self, why: &str) -> StoreError {
        StoreError::new(format!("token store `{}` {why}", self.path.display()))
    }
}

/// A file whose lock says who fetches. The lock ends with it, or with the process, whichever is
/// first.
#[derive(Debug)]
pub(in crate::store) struct LockFile(OwnedFd);

impl Drop for LockFile {
    /// Unlocks the file itself: a child that was forked meanwhile has the descriptor too, and would
    /// keep the lock for as long as it lives.
    fn drop(&mut self) {
        // Where that fails, closing the descriptor is what is left.
        let _ = fs::flock(&self.0, FlockOperation::Unlock);
    }
}

impl LockFile {
    /// Takes the lock, without waiting; whether it was free.
    pub(in crate::store) fn try_lock(&self) -> io::Result<bool> {
        match fs::flock(&self.0, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(true),
            Err(Errno::WOULDBLOCK) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Replaces what the file holds.
    pub(in crate::store) fn write(&self, text: &[u8]) -> io::Result<()> {
        fs::ftruncate(&self.0, 0)?;
        rustix::io::pwrite(&self.0, text, 0)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_ends_although_a_forked_child_has_its_descriptor() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("x.lock");
        let lock = LockFile(std::fs::File::create(&path).unwrap().into());
        assert!(lock.try_lock().unwrap());
        let inherited = lock.0.try_clone().unwrap();
        let another = LockFile(std::fs::File::open(&path).unwrap().into());
        assert!(!another.try_lock().unwrap());
        drop(lock);
        assert!(another.try_lock().unwrap());
        drop(inherited);
    }
}
