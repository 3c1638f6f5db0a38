//! The directory of a token store, as the operating system has it: opened, checked, read, written,
//! locked.

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

#[cfg(unix)]
use unix as system;
#[cfg(windows)]
use windows as system;

pub(super) use system::{Folder, LockFile, default_directory, escaped};
