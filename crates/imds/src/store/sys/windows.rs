//! A token store of Windows: a directory and files with an access control list that names this
//! user, SYSTEM and the Administrators alone. The directory is kept open while it is used, so that
//! nobody can put another one in its place.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use imds_model::env;
use imds_windows::{OpenError, Refusal};
use zeroize::Zeroizing;

use crate::config::environment::Environment;
use crate::store::StoreError;

/// Returns `%LOCALAPPDATA%\imds`, which belongs to one user on one machine; `None` if the variable
/// is not set.
pub(in crate::store) fn default_directory(environment: &dyn Environment) -> Option<PathBuf> {
    let local = environment.path_variable(env::LOCAL_APP_DATA).filter(|path| environment.is_own(path))?;
    Some(local.join("imds"))
}

/// Escapes what no file name can hold on Windows, what separates the parts of ours, and capitals,
/// which are the same as small letters there.
pub(in crate::store) fn escaped(text: &str) -> String {
    let mut name = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'0'..=b'9' | b'.' | b'-' | b'_' => name.push(char::from(byte)),
            _ => name.push_str(&format!("%{byte:02X}")),
        }
    }
    name
}

/// An open directory that only this user can write.
#[derive(Debug)]
pub(in crate::store) struct Folder<'a> {
    path: &'a Path,
    /// Keeps the directory in its place.
    _open: File,
}

impl<'a> Folder<'a> {
    /// Opens the directory; `None` where it does not exist.
    pub(in crate::store) fn open(path: &'a Path) -> Result<Option<Self>, StoreError> {
        match imds_windows::open_private_directory(path) {
            Ok(open) => Ok(Some(Self { path, _open: open })),
            Err(OpenError::Io(error)) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(OpenError::Io(error)) => {
                Err(StoreError::io(format!("cannot open token store `{}`", path.display()), error))
            }
            Err(OpenError::Refused(why)) => Err(refusal(
                path,
                match why {
                    Refusal::ForeignOwner(_) => "belongs to another user",
                    Refusal::OthersWrite | Refusal::OthersRead => "can be written by other users",
                    Refusal::Link | Refusal::HardLink => "is a symbolic link or a junction",
                    Refusal::WrongType => "is not a directory",
                },
            )),
        }
    }

    /// Opens the directory, making it where it does not exist.
    pub(in crate::store) fn make(path: &'a Path) -> Result<Self, StoreError> {
        if let Some(folder) = Self::open(path)? {
            return Ok(folder);
        }
        let failed = |error| StoreError::io(format!("cannot make token store `{}`", path.display()), error);
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent).map_err(failed)?;
        }
        match imds_windows::create_private_directory(path) {
            // Another process was faster.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            done => done.map_err(failed)?,
        }
        Self::open(path)?.ok_or_else(|| refusal(path, "vanished"))
    }

    fn open_file(&self, name: &str, create: bool) -> Result<Option<File>, StoreError> {
        imds_windows::open_private_file(&self.path.join(name), create, true).map_err(|error| match error {
            OpenError::Io(error) => {
                let shown = self.path.display();
                StoreError::io(format!("cannot open `{name}` in token store `{shown}`"), error)
            }
            OpenError::Refused(why) => {
                let what = match why {
                    Refusal::Link => "a symbolic link",
                    Refusal::WrongType => "something other than a file",
                    Refusal::HardLink => "a file with a second name",
                    Refusal::ForeignOwner(_) => "a file of another user",
                    Refusal::OthersWrite => "a file that other users can write",
                    Refusal::OthersRead => "a file that other users can read",
                };
                refusal(self.path, &format!("has {what} for `{name}`"))
            }
        })
    }

    /// The first `limit` bytes of a file; `None` where there is none.
    pub(in crate::store) fn read(
        &self,
        name: &str,
        limit: u64,
    ) -> Result<Option<Zeroizing<Vec<u8>>>, StoreError> {
        let Some(file) = self.open_file(name, false)? else { return Ok(None) };
        let mut content = Zeroizing::new(Vec::with_capacity(512));
        match file.take(limit).read_to_end(&mut content) {
            Ok(_) => Ok(Some(content)),
            Err(error) => {
                let shown = self.path.display();
                Err(StoreError::io(format!("cannot read `{name}` in token store `{shown}`"), error))
            }
        }
    }

    /// Replaces a file, by way of a temporary one.
    pub(in crate::store) fn replace(&self, name: &str, temporary: &str, text: &[u8]) -> io::Result<()> {
        let temporary = self.path.join(temporary);
        // What a killed process of the same id left behind is in the way.
        let _ = std::fs::remove_file(&temporary);
        let mut file = imds_windows::create_private_file(&temporary)?;
        let written = file.write_all(text);
        // An open file is not renamed on every file system.
        drop(file);
        let renamed = written.and_then(|()| imds_windows::rename_over(&temporary, &self.path.join(name)));
        renamed.inspect_err(|_| {
            let _ = std::fs::remove_file(&temporary);
        })
    }

    /// Removes a file; whether it existed.
    pub(in crate::store) fn remove(&self, name: &str) -> io::Result<bool> {
        match std::fs::remove_file(self.path.join(name)) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Opens a lock file, making it where it does not exist; whether it was made.
    pub(in crate::store) fn open_lock(&self, name: &str) -> Result<(LockFile, bool), StoreError> {
        if let Some(file) = self.open_file(name, false)? {
            return Ok((LockFile(file), false));
        }
        let made = self.open_file(name, true)?;
        made.map(|file| (LockFile(file), true)).ok_or_else(|| refusal(self.path, "vanished"))
    }

    /// How much older than the lock file a file is, in seconds.
    pub(in crate::store) fn age(&self, name: &str, lock: &LockFile) -> Option<i64> {
        let now = lock.0.metadata().ok()?.modified().ok()?;
        let then = std::fs::symlink_metadata(self.path.join(name)).ok()?.modified().ok()?;
        i64::try_from(now.duration_since(then).ok()?.as_secs()).ok()
    }
}

fn refusal(path: &Path, why: &str) -> StoreError {
    StoreError::new(format!("token store `{}` {why}", path.display()))
}

/// A file whose lock says who fetches. The lock ends with it, or with the process, whichever is
/// first.
#[derive(Debug)]
pub(in crate::store) struct LockFile(File);

impl LockFile {
    /// Takes the lock, without waiting; whether it was free.
    pub(in crate::store) fn try_lock(&self) -> io::Result<bool> {
        imds_windows::try_lock(&self.0)
    }

    /// Replaces what the file holds.
    pub(in crate::store) fn write(&self, text: &[u8]) -> io::Result<()> {
        let mut file = &self.0;
        file.set_len(0)?;
        file.seek(SeekFrom::Start(0))?;
        file.write_all(text)
    }
}
