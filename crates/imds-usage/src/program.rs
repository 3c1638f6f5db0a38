//! A program, by its declaration and by what its pages and completions say beyond it.

use clap::{Arg, Command};

use crate::completions::{Shell, completions, subcommands};
use crate::manual::Manual;
use crate::pages::{Pages, UnknownSubcommand, with_examples};
use crate::styles::styles;
use crate::table::Values;

/// A program, by its declaration and by what its pages and completions say beyond it.
#[derive(Clone, Copy, Debug)]
pub struct Program {
    /// Makes the declaration of the command line.
    pub declaration: fn() -> Command,
    /// What `--version` prints behind the name: [`version!`](crate::version).
    pub version: &'static str,
    /// What the page of a subcommand says; `""` is the program itself.
    pub manual: fn(&str) -> Manual<'static>,
    /// What an argument takes, where the declaration does not show it.
    pub values: fn(&[&str], &Arg) -> Option<Values>,
}

impl Program {
    /// Returns the declaration, with styles, and with examples in every help.
    #[must_use]
    pub fn command(&self) -> Command {
        with_examples((self.declaration)().styles(styles()), &|subcommand| (self.manual)(subcommand).examples)
    }

    /// Returns the manual page of a subcommand in roff; that of the program, without one.
    ///
    /// # Errors
    /// Returns an error if there is no such subcommand.
    pub fn page(&self, subcommand: &[String]) -> Result<String, UnknownSubcommand> {
        self.pages().page(subcommand)
    }

    /// Returns the completion script for a shell. An argument called `subcommand` takes the names
    /// of the program's subcommands.
    #[must_use]
    pub fn completions(&self, shell: Shell) -> String {
        let values = |path: &[&str], argument: &Arg| {
            let own = (self.values)(path, argument);
            own.or_else(|| (argument.get_id() == "subcommand").then(|| subcommands(&(self.declaration)())))
        };
        completions(shell, (self.declaration)(), &values)
    }

    /// Returns what is wrong with the pages, for a test: see [`Pages::problems`].
    #[must_use]
    pub fn problems(&self) -> Vec<String> {
        self.pages().problems()
    }

    fn pages(&self) -> Pages<'_> {
        Pages::new((self.declaration)(), self.version, &self.manual)
    }
}
