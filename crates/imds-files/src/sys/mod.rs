//! What depends on the operating system: opening, checking, renaming and locking files.

#[cfg(unix)]
mod unix;
#[cfg(unix)]
pub(crate) use unix::{
    Directory, FileType, existing_type, make_directories, open_through, resolve, standard_stream, try_lock,
    unlock,
};
