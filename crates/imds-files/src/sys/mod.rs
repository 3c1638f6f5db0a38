//! What depends on the operating system: opening, checking, renaming and locking files.

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

#[cfg(unix)]
use unix as system;
#[cfg(windows)]
use windows as system;

pub(crate) use system::{
    Directory, FileType, existing_type, make_directories, open_through, resolve, standard_stream, try_lock,
    unlock,
};
