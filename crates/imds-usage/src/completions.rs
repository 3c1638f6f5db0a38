//! A completion script from a command line's declaration.

use clap::{Arg, Command, ValueEnum};

use crate::shell;
use crate::table::{Table, Values};

/// A shell that completions are written for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[non_exhaustive]
pub enum Shell {
    /// Bash 4.4 and later
    Bash,
    /// Fish 3.1 and later
    Fish,
    /// Zsh 5 and later
    Zsh,
}

/// Returns the completion script of a program.
///
/// `values` may say what an argument takes, where the declaration does not show it; it is given the
/// path of the subcommand, such as `["imds", "get"]`.
///
/// The script uses builtins of the shell only. Every text stands in single quotes, so that no help
/// text is ever expanded, and neither loading the script nor completing runs the program.
pub fn completions(
    shell: Shell,
    command: Command,
    values: &dyn Fn(&[&str], &Arg) -> Option<Values>,
) -> String {
    let table = Table::of(command, values);
    match shell {
        Shell::Bash => shell::bash::script(&table),
        Shell::Fish => shell::fish::script(&table),
        Shell::Zsh => shell::zsh::script(&table),
    }
}

/// Returns the names of a program's subcommands, as a manual page is asked for.
#[must_use]
pub fn subcommands(command: &Command) -> Values {
    let shown = command.get_subcommands().filter(|found| !found.is_hide_set() && found.get_name() != "help");
    Values::Words(
        shown
            .map(|found| {
                let about = found.get_about().map(ToString::to_string).unwrap_or_default();
                (found.get_name().to_owned(), about.lines().next().unwrap_or_default().to_owned())
            })
            .collect(),
    )
}
