//! What the command needs of the operating system: other programs, standard output, a folder of its
//! own.

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

use std::path::{Path, PathBuf};

#[cfg(unix)]
use unix as system;
#[cfg(windows)]
use windows as system;

pub(crate) use system::{
    PATH_SEPARATOR, USUAL_PATH, become_command, enable_colours, exit_code, install_hint, private_folder,
    program, put_executable, write_stdout,
};

/// A folder that is removed, with what is in it, when this is dropped.
#[derive(Debug)]
pub(crate) struct TemporaryFolder {
    path: PathBuf,
    _removed: tempfile::TempDir,
}

impl TemporaryFolder {
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}
