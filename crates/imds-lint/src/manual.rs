//! The manual page and the shell completions: both follow from the command line's declaration.

use std::io::{self, Write};

use clap::CommandFactory as _;

use crate::cli::Cli;

/// Writes the manual page, in roff.
///
/// # Errors
///
/// Returns an error if it cannot be written.
pub fn page(out: &mut dyn Write) -> io::Result<()> {
    let mut page = Vec::new();
    clap_mangen::Man::new(Cli::command()).render(&mut page)?;
    let page = String::from_utf8_lossy(&page).replace("\n.SH EXTRA\n", "\n.SH \"EXIT STATUS\"\n");
    out.write_all(page.as_bytes())
}

/// Writes the completions for a shell.
///
/// # Errors
///
/// Returns an error if they cannot be written.
pub fn completions(shell: imds_usage::Shell, out: &mut dyn Write) -> io::Result<()> {
    let script = imds_usage::completions(shell, Cli::command(), &|_, _| None);
    out.write_all(script.as_bytes())
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_page_has_every_option_and_the_exit_status() {
        let mut page = Vec::new();
        super::page(&mut page).unwrap();
        let page = String::from_utf8(page).unwrap();
        for part in [".SH \"EXIT STATUS\"", "\\-\\-fix", "\\-\\-baseline", "\\-\\-stdin\\-name"] {
            assert!(page.contains(part), "{part} in {page}");
        }
    }
}
