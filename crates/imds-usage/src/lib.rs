//! What every program of the project makes from the declaration of its command line: shell
//! completions that run nothing, manual pages, and the styles of its help.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::panic))]

mod completions;
mod manual;
mod pages;
mod shell;
mod table;

pub use completions::{Shell, completions, subcommands};
pub use manual::{Entry, Manual, examples_help, page};
pub use pages::{Given, Pages, UnknownSubcommand, with_examples};
pub use table::Values;

use clap::builder::styling::{AnsiColor, Styles};

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

/// The styles of help and errors on a terminal. `clap` leaves them out where stdout is no terminal
/// or `NO_COLOR` is set.
#[must_use]
pub fn styles() -> Styles {
    Styles::styled()
        .header(AnsiColor::Green.on_default().bold())
        .usage(AnsiColor::Green.on_default().bold())
        .literal(AnsiColor::Cyan.on_default().bold())
        .placeholder(AnsiColor::Cyan.on_default())
}
