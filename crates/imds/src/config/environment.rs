//! The process environment, injected: variables and the AWS config file.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};

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
        rustix::process::geteuid().is_root()
    }

    fn is_own(&self, path: &Path) -> bool {
        use std::os::unix::fs::MetadataExt as _;
        let there = path.ancestors().find_map(|part| std::fs::metadata(part).ok());
        there.is_some_and(|part| part.uid() == rustix::process::geteuid().as_raw())
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
