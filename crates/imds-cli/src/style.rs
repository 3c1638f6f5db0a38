//! Colours, for people at a terminal.

use std::io::IsTerminal as _;

use imds::{Environment as _, SystemEnvironment};

use crate::system;

/// Whether stdout is a terminal that shows colours: `NO_COLOR` (no-color.org) and a `dumb` terminal
/// turn them off.
pub(crate) fn is_wanted() -> bool {
    let variable = |name: &str| SystemEnvironment.variable(name).filter(|value| !value.is_empty());
    std::io::stdout().is_terminal()
        && variable("NO_COLOR").is_none()
        && system::enable_colours(variable("TERM").as_deref())
}

/// Bold blue, as `ls` shows a directory.
pub(crate) const DIRECTORY: &str = "\u{1b}[1;34m";
/// Yellow.
pub(crate) const SECRET: &str = "\u{1b}[33m";
/// Back to normal.
pub(crate) const END: &str = "\u{1b}[0m";
