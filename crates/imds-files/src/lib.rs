//! The files that programs keep: private, durable, replaced atomically.
//!
//! Every program of the project that writes a file goes through this crate, so that one set of
//! rules holds for all of them. There are three kinds of files:
//!
//! | kind | type | who chose the path | rules |
//! |---|---|---|---|
//! | state of a daemon | [`PrivateDirectory`], [`PrivateFile`] | us, or an option | only this user can read or write it; its directory is checked too |
//! | output | [`OutputFile`], [`write_output`], [`update_user_file`] | the user | a regular file is replaced by rename, a pipe or a character device is written through, anything else is refused |
//! | journal | [`Journal`] | the user | lines are appended and synced; only a torn last line is ever cut |
//!
//! A file is never followed through a symbolic link that another user made, opening a pipe never
//! blocks a daemon, and no path is trusted before the open file behind it has been checked. What
//! depends on the operating system is in `sys/`.

mod directory;
mod error;
mod journal;
mod json;
mod lock;
mod output;
mod private;
mod sys;

pub use directory::PrivateDirectory;
pub use error::{FileError, FileErrorKind};
pub use journal::{Journal, JournalContent};
pub use lock::Lock;
pub use output::{Mode, OutputFile, update_user_file, write_output};
pub use private::PrivateFile;
