//! The command line as a whole: every subcommand, and what `imds PATH` is short for.

use std::ffi::OsString;

use clap::{Args as _, CommandFactory as _, FromArgMatches as _, Parser, Subcommand};

use crate::commands::{
    aws_cli, categories, completions, credentials, doctor, dump, emulate, emulator, env, exec, fleet, get,
    identity, lifecycle, lint, list, man, serve, token, trace, tree, user_data, wait, watch,
};
use crate::report::Failure;

/// Read, wait for and emulate the EC2 instance metadata service
///
/// A path in place of a subcommand is read: `imds latest/meta-data/instance-id`.
#[derive(Debug, Parser)]
#[command(name = "imds", version, max_term_width = 100, after_help = crate::exit::HELP)]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Get(get::Args),
    List(list::Args),
    Tree(tree::Args),
    Dump(dump::Args),
    Categories(categories::Args),
    UserData(user_data::Args),
    Env(env::Args),
    Exec(exec::Args),
    Wait(wait::Args),
    Token(token::Args),
    Credentials(credentials::Args),
    Identity(identity::Args),
    Doctor(doctor::Args),
    AwsCli(aws_cli::Args),
    Watch(watch::Args),
    Serve(serve::Args),
    Emulate(emulate::Args),
    Lifecycle(lifecycle::Args),
    Fleet(fleet::Args),
    Lint(lint::Args),
    Trace(trace::Args),
    Emulator(emulator::Args),
    Completions(completions::Args),
    Man(man::Args),
}

/// Runs the command line.
pub(crate) fn run(arguments: impl Iterator<Item = OsString>) -> Result<(), Failure> {
    let arguments = expand(arguments.collect());
    if let Some(args) = plain_get(&arguments) {
        return get::run(&args);
    }
    let matches = command().try_get_matches_from(arguments)?;
    match Cli::from_arg_matches(&matches)?.command {
        Command::Get(args) => get::run(&args),
        Command::List(args) => list::run(&args),
        Command::Tree(args) => tree::run(&args),
        Command::Dump(args) => dump::run(&args),
        Command::Categories(args) => categories::run(&args),
        Command::UserData(args) => user_data::run(&args),
        Command::Env(args) => env::run(&args),
        Command::Exec(args) => exec::run(&args),
        Command::Wait(args) => wait::run(&args),
        Command::Token(args) => token::run(&args),
        Command::Credentials(args) => credentials::run(&args),
        Command::Identity(args) => identity::run(&args),
        Command::Doctor(args) => doctor::run(&args),
        Command::AwsCli(args) => aws_cli::run(&args),
        Command::Watch(args) => watch::run(&args),
        Command::Serve(args) => serve::run(&args),
        Command::Emulate(args) => emulate::run(&args),
        Command::Lifecycle(args) => lifecycle::run(&args),
        Command::Fleet(args) => fleet::run(&args),
        Command::Lint(args) => lint::run(&args),
        Command::Trace(args) => trace::run(&args),
        Command::Emulator(args) => emulator::run(&args),
        Command::Completions(args) => completions::run(&args),
        Command::Man(args) => man::run(&args),
    }
}

/// The arguments of a `get` that is called as it should be. To put the whole tree together and leave it unused would
/// cost such a short process a third of its time (`cargo xtask bench`); all else, mistakes and `--help` too, goes
/// through the tree.
fn plain_get(arguments: &[OsString]) -> Option<get::Args> {
    let arguments = arguments.get(1..).filter(|rest| rest.first().is_some_and(|word| word == "get"))?;
    bare_get(&arguments[1..]).or_else(|| {
        let get = get::Args::augment_args(clap::Command::new("get"));
        get::Args::from_arg_matches(&get.try_get_matches_from(arguments).ok()?).ok()
    })
}

/// The arguments of a `get` of paths and nothing else, which needs no parser and touches none of its pages.
fn bare_get(words: &[OsString]) -> Option<get::Args> {
    let path = |word: &OsString| word.to_str().map(str::to_owned);
    let paths = words.iter().map(path).collect::<Option<Vec<String>>>()?;
    if paths.iter().any(|path| path.is_empty() || path.starts_with('-')) {
        return None;
    }
    (!paths.is_empty()).then(|| get::Args::of_paths(paths))
}

/// The command tree, which help, man page and completions are made from.
pub(crate) fn command() -> clap::Command {
    Cli::command()
}

/// Puts `get` in front of a first word that is a path, as the `imds` script of EKS images and
/// `aws-ec2-imdsv2-get` are called.
fn expand(mut arguments: Vec<OsString>) -> Vec<OsString> {
    let is_path = |word: &OsString| {
        let bytes = word.as_encoded_bytes();
        bytes.contains(&b'/') && !bytes.starts_with(b"-")
    };
    if arguments.get(1).is_some_and(is_path) {
        arguments.insert(1, "get".into());
    }
    arguments
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tree_is_sound() {
        command().debug_assert();
    }

    #[test]
    fn help_says_what_each_subcommand_is_for() {
        let help = command().render_help().to_string();
        for subcommand in command().get_subcommands() {
            let about = subcommand.get_about().map(ToString::to_string).unwrap_or_default();
            let (name, line) = (subcommand.get_name(), help.lines().find(|line| line.ends_with(&about)));
            assert!(
                !about.is_empty() && line.is_some_and(|line| line.trim_start().starts_with(name)),
                "{name}"
            );
        }
    }

    #[test]
    fn a_bare_get_is_what_the_parser_makes_of_it() {
        for words in [&["a"][..], &["a", "b/c"], &["a b", "ü"], &["get"], &["help"]] {
            let words: Vec<OsString> = words.iter().map(OsString::from).collect();
            let typed = [&["imds".into(), "get".into()], &*words].concat();
            let parsed = Cli::from_arg_matches(&command().try_get_matches_from(typed).unwrap()).unwrap();
            let Command::Get(parsed) = parsed.command else { panic!("{words:?} is a get") };
            assert_eq!(format!("{:?}", bare_get(&words).unwrap()), format!("{parsed:?}"));
        }
        for words in [&[][..], &[""], &["a", "-v"], &["--path", "a"], &["--", "a"], &["-0", "a"]] {
            let words: Vec<OsString> = words.iter().map(OsString::from).collect();
            assert!(bare_get(&words).is_none(), "{words:?}");
        }
    }

    #[test]
    fn a_path_is_short_for_get() {
        let expanded = |words: &[&str]| {
            let words = expand(words.iter().map(OsString::from).collect());
            words.into_iter().map(|word| word.into_string().unwrap()).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(expanded(&["imds", "latest/user-data", "-v"]), "imds get latest/user-data -v");
        assert_eq!(expanded(&["imds", "/latest/"]), "imds get /latest/");
        assert_eq!(expanded(&["imds", "get", "a/b"]), "imds get a/b");
        assert_eq!(expanded(&["imds", "--x=a/b"]), "imds --x=a/b");
        assert_eq!(expanded(&["imds"]), "imds");
    }
}
