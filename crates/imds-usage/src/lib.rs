//! What every program of the project makes from the declaration of its command line: shell
//! completions that run nothing, manual pages, and the styles of its help.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::panic))]

mod completions;
mod manual;
mod pages;
mod program;
mod shell;
mod styles;
mod table;

pub use completions::{Shell, completions, subcommands};
pub use manual::{Entry, Manual, examples_help, page};
pub use pages::{Given, Pages, UnknownSubcommand, with_examples};
pub use program::Program;
pub use styles::styles;
pub use table::Values;

/// Returns what `--version` prints behind the program's name: what the packager set in
/// `IMDS_VERSION` (version, commit, date and target), or the crate's version.
#[macro_export]
macro_rules! version {
    () => {
        match option_env!("IMDS_VERSION") {
            Some(version) => version,
            None => env!("CARGO_PKG_VERSION"),
        }
    };
}
