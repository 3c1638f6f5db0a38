//! The manual page and the completions: both follow from the command line's declaration.

use std::io::{self, Write};

use clap::CommandFactory as _;

use crate::cli::Cli;

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
pub(crate) fn completions(shell: imds_usage::Shell, out: &mut dyn Write) -> io::Result<()> {
    let script = imds_usage::completions(shell, Cli::command(), &|_, _| None);
    out.write_all(script.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_has_every_option_and_subcommand() {
        let mut page = Vec::new();
        super::page(&mut page).unwrap();
        let page = String::from_utf8(page).unwrap();
        assert!(page.contains(".SH \"EXIT STATUS\""), "{page}");
        let command = Cli::command();
        for argument in command.get_arguments().filter(|argument| !argument.is_hide_set()) {
            let long = argument.get_long().unwrap_or("help").replace('-', "\\-");
            assert!(page.contains(&format!("\\fB\\-\\-{long}\\fR")), "{long}: {page}");
        }
        for subcommand in ["advise", "completions", "man"] {
            assert!(page.contains(&format!("imds\\-trace\\-{subcommand}(1)")), "{subcommand}: {page}");
        }
    }

    #[test]
    fn every_shell_completes_the_options() {
        use clap::ValueEnum as _;
        for shell in imds_usage::Shell::value_variants() {
            let mut script = Vec::new();
            completions(*shell, &mut script).unwrap();
            assert!(String::from_utf8(script).unwrap().contains("fail-on-v1"), "{shell:?}");
        }
    }
}
