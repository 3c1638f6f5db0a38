//! The world that a command under test sees: nothing of the caller's.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use tempfile::TempDir;

/// A temporary home, a token store of its own, and the binary under test.
///
/// Commands see an empty environment but for a minimal `PATH`, these directories and a fixed width
/// and locale.
#[derive(Debug)]
pub struct TestEnvironment {
    binary: PathBuf,
    root: TempDir,
    runs: AtomicU64,
}

impl TestEnvironment {
    /// A fresh environment for `binary`, which an integration test names with
    /// `env!("CARGO_BIN_EXE_imds")`.
    #[must_use]
    pub fn new(binary: impl Into<PathBuf>) -> Self {
        let root = tempfile::Builder::new().prefix("imds-test-").tempdir().expect("a temporary directory");
        for directory in ["home", "run", "out"] {
            std::fs::create_dir(root.path().join(directory)).expect("a directory below it");
        }
        Self { binary: binary.into(), root, runs: AtomicU64::new(0) }
    }

    /// The binary under test.
    #[must_use]
    pub fn binary(&self) -> &Path {
        &self.binary
    }

    /// The directory that holds all of this.
    #[must_use]
    pub fn root(&self) -> &Path {
        self.root.path()
    }

    /// `HOME` of the commands.
    #[must_use]
    pub fn home(&self) -> PathBuf {
        self.root().join("home")
    }

    /// `IMDS_CACHE_DIR` of the commands; it does not exist until a command makes it.
    #[must_use]
    pub fn cache(&self) -> PathBuf {
        self.root().join("cache")
    }

    /// The files of the token store, locks and all, sorted.
    #[must_use]
    pub fn cache_files(&self) -> Vec<PathBuf> {
        let Ok(entries) = std::fs::read_dir(self.cache()) else { return Vec::new() };
        let mut files: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
        files.sort();
        files
    }

    /// Writes `~/.aws/config`.
    pub fn write_config(&self, text: &str) {
        let directory = self.home().join(".aws");
        std::fs::create_dir_all(&directory).expect("a directory for the AWS config file");
        std::fs::write(directory.join("config"), text).expect("write the AWS config file");
    }

    /// A file name for the next run's output.
    pub(crate) fn next_run(&self) -> PathBuf {
        self.root().join("out").join(self.runs.fetch_add(1, Ordering::Relaxed).to_string())
    }
}
