//! The manual page and the completions: both follow from the command line's declaration.

use std::io::{self, Write};

use clap::CommandFactory as _;

use crate::cli::Cli;

const NAME: &str = "imds-trace";

/// Writes the manual page, in roff.
pub(crate) fn page(out: &mut dyn Write) -> io::Result<()> {
    let mut command = Cli::command();
    command.build();
    let mut page = Vec::new();
    clap_mangen::Man::new(command).render(&mut page)?;
    // The generator heads what follows the options with a word of its own.
    let page = String::from_utf8_lossy(&page).replace("\n.SH EXTRA\n", "\n.SH \"EXIT STATUS\"\n");
    out.write_all(page.as_bytes())
}

/// Writes the completions for a shell.
pub(crate) fn completions(shell: clap_complete::Shell, out: &mut dyn Write) -> io::Result<()> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), NAME, &mut script);
    out.write_all(&script)
}
