//! The process environment, injected: variables and the AWS config file.

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};

#[cfg(unix)]
use unix as system;
#[cfg(windows)]
use windows as system;

/// Where settings are read from. Replace it to resolve settings without touching the process.
pub trait Environment {
    /// The variable's value; `None` where it is unset.
    fn variable_os(&self, name: &str) -> Option<OsString>;
    /// The file's content.
    ///
    /// # Errors
    /// As for [`std::fs::read`].
    fn read_file(&self, path: &Path) -> io::Result<Vec<u8>>;
    /// Whether the process acts as root, who has `/run/imds` as its token store.
    fn is_root(&self) -> bool;

    /// Returns whether the path, or what is there of it, belongs to the effective user.
    fn is_own(&self, path: &Path) -> bool {
        let _ = path;
        true
    }

    /// The variable as text; `None` where it is unset or empty. What is not UTF-8 is replaced, so
    /// that the value is refused by name and not passed over.
    fn variable(&self, name: &str) -> Option<String> {
        self.variable_os(name)
            .filter(|value| !value.is_empty())
            .map(|value| value.to_string_lossy().into_owned())
    }

    /// The user's home directory, as the AWS SDKs find it: `HOME`, and on Windows `USERPROFILE`.
    fn home(&self) -> Option<PathBuf> {
        system::HOME.iter().find_map(|name| self.path_variable(name))
    }

    /// The variable as a path; `None` where it is unset or empty.
    fn path_variable(&self, name: &str) -> Option<PathBuf> {
        self.variable_os(name).filter(|value| !value.is_empty()).map(PathBuf::from)
    }
}

/// The environment of this process.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemEnvironment;

impl Environment for SystemEnvironment {
    #[allow(clippy::disallowed_methods, reason = "this is the handle that is injected")]
    fn variable_os(&self, name: &str) -> Option<OsString> {
        std::env::var_os(name)
    }

    fn read_file(&self, path: &Path) -> io::Result<Vec<u8>> {
        std::fs::read(path)
    }

    fn is_root(&self) -> bool {
        system::is_root()
    }

    fn is_own(&self, path: &Path) -> bool {
        path.ancestors().find_map(system::is_own).unwrap_or(false)
    }
}

/// An environment that says nothing: every setting is what the builder was given, or the default.
#[derive(Clone, Copy, Debug, Default)]
pub struct EmptyEnvironment;

impl Environment for EmptyEnvironment {
    fn variable_os(&self, _: &str) -> Option<OsString> {
        None
    }

    fn read_file(&self, _: &Path) -> io::Result<Vec<u8>> {
        Err(io::ErrorKind::NotFound.into())
    }

    fn is_root(&self) -> bool {
        false
    }
}
