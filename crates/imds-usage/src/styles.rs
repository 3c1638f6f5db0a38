//! The colours of help and errors.

use clap::builder::styling::{AnsiColor, Styles};

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
