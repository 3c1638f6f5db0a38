//! `imds completions`: what a shell completes.

use clap::builder::PossibleValuesParser;
use clap::{Args as ClapArgs, Command};
use clap_complete::Shell;
use imds_model::CATALOGUE;

use crate::report::Failure;
use crate::{cli, output};

/// Print the completions for a shell
#[derive(ClapArgs, Debug)]
pub(crate) struct Args {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut with_paths(cli::command()), "imds", &mut script);
    output::write(&[&script])
}

/// The command tree with the catalogue's paths where a path is asked for. For completion only: any other path is as good.
fn with_paths(mut command: Command) -> Command {
    // Subcommands put their arguments together late; only then can these be changed.
    command.build();
    let paths = || {
        let listed = CATALOGUE.iter().filter(|category| category.documented() && !category.has_labels());
        PossibleValuesParser::new(listed.map(|category| short(category.path())))
    };
    for (subcommand, argument) in
        [("get", "paths"), ("list", "path"), ("tree", "path"), ("dump", "path"), ("wait", "path")]
    {
        command = command.mut_subcommand(subcommand, |command| {
            command.mut_arg(argument, |argument| argument.value_parser(paths()))
        });
    }
    command
}

/// The path as people type it: without `meta-data/`, unless nothing would be left.
fn short(path: &'static str) -> &'static str {
    path.strip_prefix("meta-data/").filter(|rest| !rest.is_empty()).unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_completed_where_a_path_is_asked_for() {
        let command = with_paths(cli::command());
        for (subcommand, argument) in [("get", "paths"), ("list", "path"), ("wait", "path")] {
            let found = command.find_subcommand(subcommand).unwrap();
            let argument = found.get_arguments().find(|found| found.get_id() == argument).unwrap();
            let values: Vec<_> =
                argument.get_possible_values().iter().map(|value| value.get_name().to_owned()).collect();
            assert!(values.iter().any(|value| value == "placement/region"), "{subcommand}: {values:?}");
            assert!(values.iter().all(|value| !value.contains('<')));
        }
    }
}
