//! Session tokens in files, shared by the processes of one user.
//!
//! One file per endpoint in a directory that only the user can write. No link is followed, owner
//! and mode are checked after opening, and a file is replaced by rename. The process that holds the
//! lock file's lock fetches the token (single-flight). A failed fetch is recorded in the lock file
//! and returned to every waiter, so that there is no thundering herd.

use std::io::Read as _;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use imds_model::env;
use rustix::fs::{self, AtFlags, FileType, FlockOperation, Mode, OFlags, RawMode};
use rustix::io::Errno;
use zeroize::Zeroizing;

use super::{FetchFailure, FetchLock, StoreError, StoreKey, StoredToken, TokenStore, record};
use crate::config::environment::Environment;

/// Longest file name that is used; what is longer is not stored.
const NAME_LIMIT: usize = 200;

/// Longest life of a token, in seconds: six hours, and a day for clocks that disagree.
const LONGEST_LIFE: i64 = 30 * 3600;

/// Permission bits that a token file must not have: any for group or others.
const LOOSE_FILE: RawMode = 0o077;
/// The bit of a directory in which users may only remove what is theirs, such as `/tmp`.
const STICKY: RawMode = 0o1000;
/// Permission bits that the directory must not have: writing for group or others, who could plant
/// files in it.
const LOOSE_DIRECTORY: RawMode = 0o022;

/// Session tokens of one user, in a directory that only that user can write.
#[derive(Clone, Debug)]
pub struct FileStore {
    directory: PathBuf,
}

impl FileStore {
    /// The store in this directory, which is made (mode 0700) when the first token is kept.
    #[must_use]
    pub fn new(directory: impl Into<PathBuf>) -> Self {
        Self { directory: directory.into() }
    }

    /// Returns the user's store: `$IMDS_CACHE_DIR`, else `$XDG_RUNTIME_DIR/imds`, else `/run/imds`
    /// for root, else `$XDG_CACHE_HOME/imds`, else `~/.cache/imds`; `None` if none of these is
    /// known.
    ///
    /// All but the first are used only if they belong to the effective user: `su` and `sudo -E`
    /// leave another user's directories in the environment.
    #[must_use]
    pub fn from_environment(environment: &dyn Environment) -> Option<Self> {
        let inside = |name, rest: &str| {
            let path = environment.path_variable(name).filter(|path| environment.is_own(path))?;
            Some(path.join(rest))
        };
        let directory = environment
            .path_variable(env::CACHE_DIR)
            .or_else(|| inside(env::XDG_RUNTIME_DIR, "imds"))
            .or_else(|| environment.is_root().then(|| PathBuf::from("/run/imds")))
            .or_else(|| inside(env::XDG_CACHE_HOME, "imds"))
            .or_else(|| inside(env::HOME, ".cache/imds"))?;
        Some(Self { directory })
    }

    /// The directory.
    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Opens the directory; `None` where it does not exist.
    fn open_directory(&self) -> Result<Option<OwnedFd>, StoreError> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let directory = match fs::open(&self.directory, flags, Mode::empty()) {
            Ok(directory) => directory,
            Err(Errno::NOENT) => return Ok(None),
            Err(error) => return Err(self.error("cannot open token store", error)),
        };
        let stat = fs::fstat(&directory).map_err(|error| self.error("cannot inspect token store", error))?;
        if stat.st_uid != rustix::process::geteuid().as_raw() {
            return Err(self.refusal("belongs to another user"));
        }
        if stat.st_mode & LOOSE_DIRECTORY != 0 {
            self.tighten(&directory, stat.st_mode)?;
        }
        Ok(Some(directory))
    }

    /// Takes from a directory of this user's the permission of others to write to it, if it is a
    /// token store and nothing else: a directory that is shared on purpose is left alone.
    fn tighten(&self, directory: &OwnedFd, mode: RawMode) -> Result<(), StoreError> {
        let refusal = || self.refusal("can be written by other users");
        let is_shared = mode & STICKY != 0;
        let holds_only_tokens = || {
            let ours = rustix::process::geteuid().as_raw();
            let entries = std::fs::read_dir(&self.directory).ok()?;
            for entry in entries {
                let name = entry.ok()?.file_name().into_string().ok()?;
                let stat = fs::statat(directory, &*name, AtFlags::SYMLINK_NOFOLLOW).ok()?;
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
        fs::fchmod(directory, Mode::RWXU).map_err(|error| self.error("cannot tighten token store", error))
    }

    /// Opens the directory, making it where it does not exist.
    fn make_directory(&self) -> Result<OwnedFd, StoreError> {
        use std::os::unix::fs::DirBuilderExt as _;
        if let Some(directory) = self.open_directory()? {
            return Ok(directory);
        }
        let mut builder = std::fs::DirBuilder::new();
        builder.recursive(true).mode(0o700);
        let make = |error| StoreError::io(format!("cannot make token store `{}`", self.shown()), error);
        builder.create(&self.directory).map_err(make)?;
        self.open_directory()?.ok_or_else(|| self.refusal("vanished"))
    }

    /// Opens a file of the store and makes sure that it is a plain file of this user's that nobody
    /// else can read.
    fn open_file(
        &self,
        directory: &OwnedFd,
        name: &str,
        flags: OFlags,
    ) -> Result<Option<OwnedFd>, StoreError> {
        // NONBLOCK: a pipe in the place of the file must not make the process wait.
        let flags = flags | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
        let file = match fs::openat(directory, name, flags, Mode::RUSR | Mode::WUSR) {
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
                let _ = fs::unlinkat(directory, name, AtFlags::empty());
                return Err(self.refusal(&format!("had a file that other users could write for `{name}`")));
            }
            // It is this user's own: an older umask, or a copy. It is tightened here, once.
            let tightened = fs::fchmod(&file, Mode::RUSR | Mode::WUSR);
            tightened
                .map_err(|error| self.error(&format!("cannot tighten `{name}` in token store"), error))?;
        }
        Ok(Some(file))
    }

    /// The content of a file of the store; `None` where there is none.
    fn read(&self, name: &str) -> Result<Option<Zeroizing<Vec<u8>>>, StoreError> {
        let Some(directory) = self.open_directory()? else { return Ok(None) };
        let Some(file) = self.open_file(&directory, name, OFlags::RDONLY)? else { return Ok(None) };
        let mut content = Zeroizing::new(Vec::with_capacity(512));
        let limit = record::LIMIT as u64;
        match std::fs::File::from(file).take(limit).read_to_end(&mut content) {
            Ok(_) => Ok(Some(content)),
            Err(error) => {
                Err(StoreError::io(format!("cannot read `{name}` in token store `{}`", self.shown()), error))
            }
        }
    }

    fn error(&self, what: &str, error: Errno) -> StoreError {
        StoreError::io(format!("{what} `{}`", self.shown()), error.into())
    }

    fn refusal(&self, why: &str) -> StoreError {
        StoreError::new(format!("token store `{}` {why}", self.shown()))
    }

    fn shown(&self) -> std::path::Display<'_> {
        self.directory.display()
    }

    /// Returns the stem of the file names of a key: the endpoint without its scheme, `/` and `%`
    /// escaped so that no two keys share one, and the boot id, so that machines with one home
    /// directory do not take turns.
    fn stem(&self, key: &StoreKey) -> Result<String, StoreError> {
        let stem = match key.boot_id() {
            Some(boot_id) => format!("{}{}", prefix(key), escaped(boot_id.as_str())),
            None => prefix(key).trim_end_matches('@').to_owned(),
        };
        if stem.len() > NAME_LIMIT {
            Err(self.refusal("has no room for so long an endpoint"))
        } else {
            Ok(stem)
        }
    }

    /// Removes the files of machines and starts long gone, whose tokens have expired. It runs when
    /// the lock file of this start is made, so once for each.
    fn sweep(&self, directory: &OwnedFd, key: &StoreKey, lock: &OwnedFd) {
        let (Ok(entries), Ok(now)) = (std::fs::read_dir(&self.directory), fs::fstat(lock)) else { return };
        let (prefix, own) = (prefix(key), self.stem(key).unwrap_or_default());
        for name in entries.flatten().filter_map(|entry| entry.file_name().into_string().ok()) {
            // What a process that was killed while it saved left behind, and what belongs to
            // earlier starts of the machine.
            let is_half_saved = name.contains(".token.");
            let is_old = !name.starts_with(&own) && [".token", ".lock"].iter().any(|end| name.ends_with(end));
            if !name.starts_with(&prefix) || !(is_half_saved || is_old) {
                continue;
            }
            if let Ok(stat) = fs::statat(directory, &*name, AtFlags::SYMLINK_NOFOLLOW)
                && now.st_mtime.saturating_sub(stat.st_mtime) > LONGEST_LIFE
            {
                let _ = fs::unlinkat(directory, &*name, AtFlags::empty());
            }
        }
    }
}

/// Returns what the names of all files of an endpoint begin with.
fn prefix(key: &StoreKey) -> String {
    format!("{}@", escaped(key.as_str().strip_prefix("http://").unwrap_or(key.as_str())))
}

fn escaped(text: &str) -> String {
    text.replace('%', "%25").replace('/', "%2F").replace('@', "%40")
}

/// The file that a token is in.
fn token_name(name: &str) -> String {
    format!("{name}.token")
}

/// The file whose lock says who fetches.
fn lock_name(name: &str) -> String {
    format!("{name}.lock")
}

impl TokenStore for FileStore {
    fn load(&self, key: &StoreKey) -> Result<Option<StoredToken>, StoreError> {
        let name = token_name(&self.stem(key)?);
        let Some(content) = self.read(&name)? else { return Ok(None) };
        match record::read_token(key, &content) {
            Some(token) => Ok(Some(token)),
            None => Err(self.refusal(&format!("has something other than a token in `{name}`"))),
        }
    }

    fn save(&self, key: &StoreKey, token: &StoredToken) -> Result<(), StoreError> {
        let name = token_name(&self.stem(key)?);
        let directory = self.make_directory()?;
        // Two clients of one process may save at once, and must not write to one file.
        static SAVES: AtomicU64 = AtomicU64::new(0);
        let temporary = format!("{name}.{}.{}", std::process::id(), SAVES.fetch_add(1, Ordering::Relaxed));
        let failed = |error: Errno| self.error("cannot keep a token in store", error);
        // What a killed process of the same id left behind is in the way.
        let _ = fs::unlinkat(&directory, &*temporary, AtFlags::empty());
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file = fs::openat(&directory, &*temporary, flags, Mode::RUSR | Mode::WUSR).map_err(failed)?;
        let text = record::write_token(key, token);
        let written = match rustix::io::write(&file, text.as_bytes()) {
            Ok(length) if length == text.len() => fs::renameat(&directory, &*temporary, &directory, &*name),
            Ok(_) => Err(Errno::NOSPC),
            Err(error) => Err(error),
        };
        written.map_err(|error| {
            let _ = fs::unlinkat(&directory, &*temporary, AtFlags::empty());
            failed(error)
        })
    }

    fn remove(&self, key: &StoreKey) -> Result<bool, StoreError> {
        let name = token_name(&self.stem(key)?);
        let Some(directory) = self.open_directory()? else { return Ok(false) };
        match fs::unlinkat(&directory, &*name, AtFlags::empty()) {
            Ok(()) => Ok(true),
            Err(Errno::NOENT) => Ok(false),
            Err(error) => Err(self.error("cannot remove a token from store", error)),
        }
    }

    fn try_lock(&self, key: &StoreKey) -> Result<Option<Box<dyn FetchLock>>, StoreError> {
        let name = lock_name(&self.stem(key)?);
        let directory = self.make_directory()?;
        let file = match self.open_file(&directory, &name, OFlags::RDWR)? {
            Some(file) => file,
            None => {
                let made = self.open_file(&directory, &name, OFlags::RDWR | OFlags::CREATE)?;
                let file = made.ok_or_else(|| self.refusal("vanished"))?;
                self.sweep(&directory, key, &file);
                file
            }
        };
        match fs::flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Some(Box::new(FileLock { file }))),
            Err(Errno::WOULDBLOCK) => Ok(None),
            Err(error) => Err(self.error("cannot lock token store", error)),
        }
    }

    fn last_failure(&self, key: &StoreKey) -> Result<Option<FetchFailure>, StoreError> {
        let content = self.read(&lock_name(&self.stem(key)?))?;
        Ok(content.and_then(|content| record::read_failure(&content)))
    }
}

/// The locked file. The lock ends with it, or with the process, whichever is first.
#[derive(Debug)]
struct FileLock {
    file: OwnedFd,
}

impl FetchLock for FileLock {
    fn record_failure(&mut self, failure: &FetchFailure) -> Result<(), StoreError> {
        let text = record::write_failure(failure);
        let failed = |error: Errno| StoreError::io("cannot tell other processes of a failure", error.into());
        fs::ftruncate(&self.file, 0).map_err(failed)?;
        rustix::io::pwrite(&self.file, text.as_bytes(), 0).map_err(failed)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt, symlink};
    use std::time::Duration;

    use super::*;
    use crate::clock::{BootId, Moment};
    use crate::error::ErrorKind;
    use crate::secret::SessionToken;

    fn key() -> StoreKey {
        StoreKey::new("http://127.0.0.1:1/a%b".to_owned(), BootId::new("boot"))
    }

    const FILE: &str = "127.0.0.1:1%2Fa%25b@boot.token";

    fn token(text: &str) -> StoredToken {
        StoredToken {
            token: SessionToken::new(text.as_bytes()).unwrap(),
            boot_id: BootId::new("boot").unwrap(),
            expires: Moment::since_boot(Duration::from_secs(9)),
            ttl: Duration::from_secs(60),
        }
    }

    fn store() -> (tempfile::TempDir, FileStore) {
        let directory = tempfile::tempdir().unwrap();
        let store = FileStore::new(directory.path().join("imds"));
        (directory, store)
    }

    #[test]
    fn keeps_and_forgets_with_tight_modes() {
        let (_guard, store) = store();
        assert_eq!(store.load(&key()).unwrap(), None);
        assert!(!store.remove(&key()).unwrap());
        store.save(&key(), &token("first")).unwrap();
        store.save(&key(), &token("second")).unwrap();
        assert_eq!(store.load(&key()).unwrap(), Some(token("second")));
        let file = store.directory().join(FILE);
        assert_eq!(file.metadata().unwrap().mode() & 0o777, 0o600);
        assert_eq!(store.directory().metadata().unwrap().mode() & 0o777, 0o700);
        assert_eq!(store.directory().read_dir().unwrap().count(), 1, "no temporary file is left");
        assert!(store.remove(&key()).unwrap());
        assert_eq!(store.load(&key()).unwrap(), None);
    }

    #[test]
    fn what_is_loose_linked_or_corrupt_is_never_read() {
        let (guard, store) = store();
        store.save(&key(), &token("secret")).unwrap();
        let file = store.directory().join(FILE);
        let refusal = || store.load(&key()).unwrap_err().to_string();

        std::fs::rename(&file, guard.path().join("elsewhere")).unwrap();
        symlink(guard.path().join("elsewhere"), &file).unwrap();
        assert!(refusal().ends_with(&format!("has a symbolic link for `{FILE}`")), "{}", refusal());

        std::fs::remove_file(&file).unwrap();
        std::fs::create_dir(&file).unwrap();
        assert!(
            refusal().ends_with(&format!("has something other than a file for `{FILE}`")),
            "{}",
            refusal()
        );

        std::fs::remove_dir(&file).unwrap();
        store.save(&key(), &token("secret")).unwrap();
        std::fs::write(&file, "imds-token 1\nnonsense").unwrap();
        assert!(
            refusal().ends_with(&format!("has something other than a token in `{FILE}`")),
            "{}",
            refusal()
        );

        std::fs::write(store.directory().join("notes"), "shared on purpose").unwrap();
        std::fs::set_permissions(store.directory(), std::fs::Permissions::from_mode(0o777)).unwrap();
        assert!(refusal().ends_with("can be written by other users"), "{}", refusal());
    }

    #[test]
    fn a_linked_directory_is_refused() {
        let (guard, store) = store();
        std::fs::create_dir(guard.path().join("real")).unwrap();
        symlink(guard.path().join("real"), store.directory()).unwrap();
        let error = store.save(&key(), &token("secret")).unwrap_err();
        assert!(error.to_string().starts_with("cannot open token store"), "{error}");
    }

    #[test]
    fn one_leads_and_leaves_word_of_its_failure() {
        let (_guard, store) = store();
        let Some(mut lock) = store.try_lock(&key()).unwrap() else { panic!("the lock is free") };
        assert!(store.try_lock(&key()).unwrap().is_none());
        assert_eq!(store.last_failure(&key()).unwrap(), None);
        let failure = FetchFailure {
            at: Moment::since_boot(Duration::from_secs(3)),
            boot_id: BootId::new("boot").unwrap(),
            kind: ErrorKind::Unreachable,
            status: None,
            stalled: true,
            given: Duration::from_secs(10),
        };
        lock.record_failure(&failure).unwrap();
        drop(lock);
        assert_eq!(store.last_failure(&key()).unwrap(), Some(failure));
        assert!(store.try_lock(&key()).unwrap().is_some());
    }

    #[test]
    fn too_long_an_endpoint_is_not_stored() {
        let (_guard, store) = store();
        let key = StoreKey::new(format!("http://h/{}", "x".repeat(300)), None);
        let error = store.save(&key, &token("secret")).unwrap_err();
        assert!(error.to_string().ends_with("has no room for so long an endpoint"), "{error}");
    }

    #[test]
    fn what_is_ours_and_too_open_heals() {
        let (_guard, store) = store();
        store.save(&key(), &token("secret")).unwrap();
        drop(store.try_lock(&key()).unwrap());
        let lock = store.directory().join("127.0.0.1:1%2Fa%25b@boot.lock");
        let token_file = store.directory().join(FILE);
        for path in [store.directory(), &lock, &token_file] {
            let loose = if path == store.directory() { 0o777 } else { 0o644 };
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(loose)).unwrap();
        }
        assert_eq!(store.load(&key()).unwrap(), Some(token("secret")));
        assert!(store.try_lock(&key()).unwrap().is_some());
        for (path, mode) in [(store.directory(), 0o700), (&lock, 0o600), (&token_file, 0o600)] {
            assert_eq!(path.metadata().unwrap().mode() & 0o777, mode, "{}", path.display());
        }
        // What others could write is never read.
        std::fs::set_permissions(&token_file, std::fs::Permissions::from_mode(0o660)).unwrap();
        let error = store.load(&key()).unwrap_err();
        assert!(error.to_string().contains("had a file that other users could write"), "{error}");
        assert_eq!(store.load(&key()).unwrap(), None);
        // A sticky directory is shared on purpose.
        std::fs::set_permissions(store.directory(), std::fs::Permissions::from_mode(0o1777)).unwrap();
        let error = store.load(&key()).unwrap_err();
        assert!(error.to_string().ends_with("can be written by other users"), "{error}");
    }

    #[test]
    fn machines_with_one_directory_share_neither_token_nor_lock() {
        let (_guard, store) = store();
        let other = StoreKey::new("http://127.0.0.1:1/a%b".to_owned(), BootId::new("other"));
        let _lock = store.try_lock(&key()).unwrap().unwrap();
        assert!(store.try_lock(&other).unwrap().is_some());
        store.save(&key(), &token("ours")).unwrap();
        assert_eq!(store.load(&other).unwrap(), None);
        store.save(&other, &token("theirs")).unwrap();
        assert_eq!(store.load(&key()).unwrap(), Some(token("ours")));
    }

    #[test]
    fn files_of_starts_long_gone_are_removed_once() {
        let (_guard, store) = store();
        store.save(&key(), &token("ours")).unwrap();
        let old = ["127.0.0.1:1%2Fa%25b@gone.token", "127.0.0.1:1%2Fa%25b@gone.lock"];
        let kept =
            ["127.0.0.1:2@gone.token", "127.0.0.1:1%2Fa%25b@young.token", "127.0.0.1:1%2Fa%25b@gone.txt"];
        let long_ago = std::time::SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000);
        for name in old.into_iter().chain(kept) {
            let file = std::fs::File::create(store.directory().join(name)).unwrap();
            if !name.contains("young") {
                file.set_modified(long_ago).unwrap();
            }
        }
        drop(store.try_lock(&key()).unwrap());
        for (names, exists) in [(&old[..], false), (&kept[..], true)] {
            for name in names {
                assert_eq!(store.directory().join(name).exists(), exists, "{name}");
            }
        }
        assert_eq!(store.load(&key()).unwrap(), Some(token("ours")));
    }

    /// An environment of `sudo -E`: the variables name directories of another user.
    struct Foreign {
        root: bool,
        own: &'static [&'static str],
    }

    impl Environment for Foreign {
        fn variable_os(&self, name: &str) -> Option<std::ffi::OsString> {
            let value = match name {
                "XDG_RUNTIME_DIR" => "/run/user/1000",
                "XDG_CACHE_HOME" => "/home/u/.cache",
                "HOME" => "/home/u",
                _ => return None,
            };
            Some(value.into())
        }

        fn read_file(&self, _: &Path) -> std::io::Result<Vec<u8>> {
            Err(std::io::ErrorKind::NotFound.into())
        }

        fn is_root(&self) -> bool {
            self.root
        }

        fn is_own(&self, path: &Path) -> bool {
            self.own.iter().any(|own| path == Path::new(own))
        }
    }

    #[test]
    fn another_users_directories_are_not_taken_over() {
        for (root, own, expected) in [
            (true, &[][..], Some("/run/imds")),
            (false, &[], None),
            (false, &["/home/u"], Some("/home/u/.cache/imds")),
            (false, &["/home/u/.cache"], Some("/home/u/.cache/imds")),
            (false, &["/run/user/1000"], Some("/run/user/1000/imds")),
        ] {
            let store = FileStore::from_environment(&Foreign { root, own });
            assert_eq!(store.as_ref().map(FileStore::directory), expected.map(Path::new));
        }
    }
}
