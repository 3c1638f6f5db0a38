//! `imds man`: the manual page.

use clap::Args as ClapArgs;

use crate::exit::Exit;
use crate::report::Failure;
use crate::{cli, output};

/// Print the manual page, in roff
///
/// `imds man | man -l -` shows it. With a subcommand's name, that command's own page.
#[derive(ClapArgs, Debug)]
pub(crate) struct Args {
    /// The subcommand whose page to print
    subcommand: Option<String>,
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let mut command = cli::command();
    command.build();
    if let Some(name) = &args.subcommand {
        let names =
            || command.get_subcommands().map(clap::Command::get_name).collect::<Vec<_>>().join("`, `");
        command = match command.find_subcommand(name) {
            Some(found) => found.clone(),
            None => return Err(Failure::usage(format!("subcommand `{name}` is none of `{}`", names()))),
        };
    }
    let mut page = Vec::new();
    clap_mangen::Man::new(command)
        .render(&mut page)
        .map_err(|error| Failure::told(Exit::Unexpected, "cannot write the manual page").caused_by(error))?;
    // The generator heads what follows the options with a word of its own; the field's is this one.
    let page = String::from_utf8_lossy(&page).replace("\n.SH EXTRA\n", "\n.SH \"EXIT STATUS\"\n");
    output::text(&page)
}
