//! What the `imds` programs need of Windows and the standard library has no name for; each function
//! is safe to call.
//!
//! The rest of the project forbids `unsafe`. Windows has no safe names for job objects and access
//! control lists, so the calls stand here, in one small crate, each block with the reason why it is
//! sound. On other systems the crate is empty.

#![cfg(windows)]

mod access;
mod boot;
mod console;
mod job;
mod lock;
mod open;
mod private;

pub use access::{Access, access};
pub use boot::{boot_identity, since_boot};
pub use console::{ConsoleEvent, enable_colours, ignore_console_events, on_console_event};
pub use job::Job;
pub use lock::{try_lock, unlock};
pub use open::{
    OpenError, Refusal, is_own, open_directory, open_private_directory, open_private_file, rename_over,
};
pub use private::{create_private_directory, create_private_file};
