//! The manual page, and what shells complete: both follow from the command line's declaration.

use std::io::{self, Write};

use clap::CommandFactory as _;

use crate::cli::Cli;

const NAME: &str = "imds-lifecycle";

/// Writes the manual page, in roff. What there is to say is said of `run`, so it is that one's page
/// under the program's name.
pub(crate) fn page(out: &mut dyn Write) -> io::Result<()> {
    let mut command = Cli::command();
    command.build();
    let about = command.get_about().cloned().unwrap_or_default();
    let run = command.find_subcommand("run").cloned().unwrap_or(command);
    let run = run.name(NAME).display_name(NAME).bin_name(format!("{NAME} run")).about(about);
    let run = run.version(env!("CARGO_PKG_VERSION"));
    let mut page = Vec::new();
    clap_mangen::Man::new(run).render(&mut page)?;
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
    fn the_page_has_every_option_and_what_becomes_of_a_restart() {
        let mut page = Vec::new();
        super::page(&mut page).unwrap();
        let page = String::from_utf8(page).unwrap();
        assert!(
            page.contains(concat!(".TH imds-lifecycle 1  \"imds-lifecycle ", env!("CARGO_PKG_VERSION"))),
            "{page}"
        );
        assert!(page.contains("imds\\-lifecycle \\- Answer Auto Scaling lifecycle hooks"), "{page}");
        let command = Cli::command();
        for argument in command.find_subcommand("run").unwrap().get_arguments() {
            let long = argument.get_long().unwrap_or("help").replace('-', "\\-");
            assert!(page.contains(&format!("\\fB\\-\\-{long}\\fR")), "{long}: {page}");
        }
        for text in [".SH \"EXIT STATUS\"", "RUNTIME_DIRECTORY", "STATE_DIRECTORY"] {
            assert!(page.contains(text), "{text}: {page}");
        }
        assert!(!page.contains("keep\\-hook"), "{page}");
    }

    #[test]
    fn every_shell_completes_the_options() {
        use clap::ValueEnum as _;
        for shell in imds_usage::Shell::value_variants() {
            let mut script = Vec::new();
            completions(*shell, &mut script).unwrap();
            assert!(String::from_utf8(script).unwrap().contains("on-failure"), "{shell:?}");
        }
    }
}
