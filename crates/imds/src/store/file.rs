//! Session tokens in files, shared by the processes of one user.
//!
//! One file per endpoint in a directory that only the user can write. No link is followed, owner
//! and mode are checked after opening, and a file is replaced by rename. The process that holds the
//! lock file's lock fetches the token (single-flight). A failed fetch is recorded in the lock file
//! and returned to every waiter, so that there is no thundering herd.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use imds_model::env;
use zeroize::Zeroizing;

use super::sys::{self, Folder, LockFile, escaped};
use super::{FetchFailure, FetchLock, StoreError, StoreKey, StoredToken, TokenStore, record};
use crate::config::environment::Environment;

/// Longest file name that is used; what is longer is not stored.
const NAME_LIMIT: usize = 200;

/// Longest life of a token, in seconds: six hours, and a day for clocks that disagree.
const LONGEST_LIFE: i64 = 30 * 3600;

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
    /// for root, else `$XDG_CACHE_HOME/imds`, else `~/.cache/imds`; on Windows `%IMDS_CACHE_DIR%`,
    /// else `%LOCALAPPDATA%\\imds`. `None` if none of these is known.
    ///
    /// All but the first are used only if they belong to the effective user: `su` and `sudo -E`
    /// leave another user's directories in the environment.
    #[must_use]
    pub fn from_environment(environment: &dyn Environment) -> Option<Self> {
        let directory =
            environment.path_variable(env::CACHE_DIR).or_else(|| sys::default_directory(environment))?;
        Some(Self { directory })
    }

    /// The directory.
    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// The content of a file of the store; `None` where there is none.
    fn read(&self, name: &str) -> Result<Option<Zeroizing<Vec<u8>>>, StoreError> {
        let Some(folder) = Folder::open(&self.directory)? else { return Ok(None) };
        folder.read(name, record::LIMIT as u64)
    }

    fn failed(&self, what: &str, error: std::io::Error) -> StoreError {
        StoreError::io(format!("{what} `{}`", self.shown()), error)
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
    fn sweep(&self, folder: &Folder<'_>, key: &StoreKey, lock: &LockFile) {
        let Ok(entries) = std::fs::read_dir(&self.directory) else { return };
        let (prefix, own) = (prefix(key), self.stem(key).unwrap_or_default());
        for name in entries.flatten().filter_map(|entry| entry.file_name().into_string().ok()) {
            // What a process that was killed while it saved left behind, and what belongs to
            // earlier starts of the machine.
            let is_half_saved = name.contains(".token.");
            let is_old = !name.starts_with(&own) && [".token", ".lock"].iter().any(|end| name.ends_with(end));
            if !name.starts_with(&prefix) || !(is_half_saved || is_old) {
                continue;
            }
            if folder.age(&name, lock).is_some_and(|age| age > LONGEST_LIFE) {
                let _ = folder.remove(&name);
            }
        }
    }
}

/// Returns what the names of all files of an endpoint begin with.
fn prefix(key: &StoreKey) -> String {
    format!("{}@", escaped(key.as_str().strip_prefix("http://").unwrap_or(key.as_str())))
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
        // Two clients of one process may save at once, and must not write to one file.
        static SAVES: AtomicU64 = AtomicU64::new(0);
        let temporary = format!("{name}.{}.{}", std::process::id(), SAVES.fetch_add(1, Ordering::Relaxed));
        let text = record::write_token(key, token);
        Folder::make(&self.directory)?
            .replace(&name, &temporary, text.as_bytes())
            .map_err(|error| self.failed("cannot keep a token in store", error))
    }

    fn remove(&self, key: &StoreKey) -> Result<bool, StoreError> {
        let name = token_name(&self.stem(key)?);
        let Some(folder) = Folder::open(&self.directory)? else { return Ok(false) };
        folder.remove(&name).map_err(|error| self.failed("cannot remove a token from store", error))
    }

    fn try_lock(&self, key: &StoreKey) -> Result<Option<Box<dyn FetchLock>>, StoreError> {
        let name = lock_name(&self.stem(key)?);
        let folder = Folder::make(&self.directory)?;
        let (file, is_new) = folder.open_lock(&name)?;
        if is_new {
            self.sweep(&folder, key, &file);
        }
        match file.try_lock() {
            Ok(true) => Ok(Some(Box::new(FileLock { file }))),
            Ok(false) => Ok(None),
            Err(error) => Err(self.failed("cannot lock token store", error)),
        }
    }

    fn last_failure(&self, key: &StoreKey) -> Result<Option<FetchFailure>, StoreError> {
        let content = self.read(&lock_name(&self.stem(key)?))?;
        Ok(content.and_then(|content| record::read_failure(&content)))
    }
}

/// The locked file.
#[derive(Debug)]
struct FileLock {
    file: LockFile,
}

impl FetchLock for FileLock {
    fn record_failure(&mut self, failure: &FetchFailure) -> Result<(), StoreError> {
        let text = record::write_failure(failure);
        let failed = |error| StoreError::io("cannot tell other processes of a failure", error);
        self.file.write(text.as_bytes()).map_err(failed)
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
