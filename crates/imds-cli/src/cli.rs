//! The command line as a whole: every subcommand, global options, and what `imds PATH` is short
//! for.

use std::ffi::OsString;

use clap::{Args as _, CommandFactory as _, FromArgMatches as _, Parser, Subcommand};
use imds_model::printable;

use crate::commands::{
    aws_cli, categories, completions, credentials, doctor, dump, emulate, emulator, env, exec, external, get,
    identity, list, man, serve, token, tree, user_data, wait, watch,
};
use crate::report::Failure;
use crate::{examples, exit, missing, shortcuts, suggest};

/// Read, wait for and emulate the EC2 instance metadata service
///
/// A path instead of a subcommand is read: `imds latest/meta-data/instance-id`. Connection options
/// may also stand in front of the subcommand.
#[derive(Debug, Parser)]
#[command(name = "imds", version = imds_usage::version!(), max_term_width = 100)]
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
    /// Answer Auto Scaling lifecycle hooks from the instance (runs `imds-lifecycle`)
    Lifecycle(external::Args),
    /// Find and change which instances of a fleet still allow IMDSv1 (runs `imds-fleet`)
    Fleet(external::Args),
    /// Show which processes still talk to the service by IMDSv1 (runs `imds-trace`)
    Trace(external::Args),
    /// Find IMDSv1 requests in scripts and infrastructure code, and rewrite them (runs `imds-lint`)
    Lint(external::Args),
    Emulator(emulator::Args),
    Completions(completions::Args),
    Man(man::Args),
}

/// The subcommands by what they are for, as help lists them.
const GROUPS: [(&str, &[&str]); 6] = [
    ("Read", &["get", "list", "tree", "dump", "categories", "user-data", "env", "exec"]),
    ("Credentials and identity", &["token", "credentials", "identity"]),
    ("React", &["wait", "watch", "lifecycle"]),
    ("Emulate", &["emulate", "serve", "emulator"]),
    ("Diagnose and migrate", &["doctor", "trace", "lint", "fleet"]),
    ("Set up", &["aws-cli", "completions", "man", "help"]),
];

/// Runs the command line.
pub(crate) fn run(arguments: impl Iterator<Item = OsString>) -> Result<(), Failure> {
    let arguments = expand(arguments.collect());
    if let Some(args) = plain_get(&arguments) {
        return get::run(&args);
    }
    if arguments.len() > 1 && leading_options(&arguments) + 1 >= arguments.len() {
        return Err(Failure::usage("there is no subcommand").hint("`imds --help` lists the subcommands"));
    }
    let matches = command().try_get_matches_from(arguments).map_err(mistake)?;
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
        Command::Lifecycle(args) => external::run("imds-lifecycle", &args),
        Command::Fleet(args) => external::run("imds-fleet", &args),
        Command::Trace(args) => external::run("imds-trace", &args),
        Command::Lint(args) => external::run("imds-lint", &args),
        Command::Emulator(args) => emulator::run(&args),
        Command::Completions(args) => completions::run(&args, command()),
        Command::Man(args) => man::run(&args, command()),
    }
}

/// A word that is no subcommand may be a value, of which `clap` knows nothing.
fn mistake(error: clap::Error) -> Failure {
    use clap::error::{ContextKind, ContextValue, ErrorKind};
    if error.kind() != ErrorKind::InvalidSubcommand {
        return error.into();
    }
    let Some(ContextValue::String(word)) = error.get(ContextKind::InvalidSubcommand) else {
        return error.into();
    };
    let subcommands = command();
    let near = suggest::nearest(word, subcommands.get_subcommands().map(clap::Command::get_name));
    let is_value = shortcuts::NAMES.iter().any(|short| short.name == word) || missing::is_known(word);
    let failure = Failure::usage(format!("there is no subcommand `{}`", printable::brief(word)));
    let meant = match near {
        _ if is_value => format!("did you mean `imds get {word}`?"),
        Some(near) => format!("did you mean `imds {near}`?"),
        None if word == "version" => "`imds --version` prints the version".to_owned(),
        None => match missing::meant(word) {
            Some(path) => format!("did you mean `imds get {path}`?"),
            None => "`imds --help` lists the subcommands".to_owned(),
        },
    };
    failure.hint(meant)
}

/// The arguments of a `get` that is called as it should be. To put the whole tree together and
/// leave it unused would cost such a short process a third of its time (`cargo xtask bench`); all
/// else, mistakes and `--help` too, goes through the tree.
fn plain_get(arguments: &[OsString]) -> Option<get::Args> {
    let arguments = arguments.get(1..).filter(|rest| rest.first().is_some_and(|word| word == "get"))?;
    bare_get(&arguments[1..]).or_else(|| {
        let get = get::Args::augment_args(clap::Command::new("get"));
        get::Args::from_arg_matches(&get.try_get_matches_from(arguments).ok()?).ok()
    })
}

/// The arguments of a `get` of paths and nothing else, which needs no parser and touches none of
/// its pages.
fn bare_get(words: &[OsString]) -> Option<get::Args> {
    let path = |word: &OsString| word.to_str().map(str::to_owned);
    let paths = words.iter().map(path).collect::<Option<Vec<String>>>()?;
    if paths.iter().any(|path| path.is_empty() || path.starts_with('-')) {
        return None;
    }
    (!paths.is_empty()).then(|| get::Args::of_paths(paths))
}

/// The command tree, which help, manual pages and completions are made from.
pub(crate) fn command() -> clap::Command {
    let command = Cli::command().styles(imds_usage::styles()).disable_help_subcommand(false);
    // The program's own help has them between its groups and the exit codes.
    let of_subcommands = |name: &str| if name.is_empty() { &[] } else { examples::of(name) };
    let command = imds_usage::with_examples(command, &of_subcommands);
    let text = format!(
        "{}\n\n{}\n\n{}",
        groups(&command),
        imds_usage::examples_help(examples::of("")),
        exit::help()
    );
    command
        .help_template("{about-with-newline}\n{usage-heading} {usage}\n\n{after-help}\n\nOptions:\n{options}")
        .after_help(text.clone())
        .after_long_help(text)
}

/// The list of subcommands in groups.
fn groups(command: &clap::Command) -> String {
    let mut text = String::new();
    for (title, names) in GROUPS {
        text.push_str(&format!("{title}:\n"));
        for name in names {
            let about = match command.find_subcommand(name) {
                Some(subcommand) => subcommand.get_about().map(ToString::to_string).unwrap_or_default(),
                None => "Show this help, or that of a subcommand".to_owned(),
            };
            text.push_str(&format!("  {name:<12} {about}\n"));
        }
        text.push('\n');
    }
    text.trim_end().to_owned()
}

/// Options that may stand in front of the subcommand, and whether a value follows.
const GLOBAL: [(&str, bool); 8] = [
    ("--endpoint", true),
    ("--endpoint-url", true),
    ("--endpoint-mode", true),
    ("--profile", true),
    ("--timeout", true),
    ("--output", true),
    ("--imds-v1", false),
    ("--verbose", false),
];

/// Puts options that stand in front of the subcommand behind it, and `get` in front of a first word
/// that is a path, as the `imds` script of EKS images and `aws-ec2-imdsv2-get` are called.
fn expand(mut arguments: Vec<OsString>) -> Vec<OsString> {
    let leading = leading_options(&arguments);
    if leading > 0 && arguments.len() > leading + 1 {
        arguments[1..].rotate_left(leading);
        // Now: subcommand and the rest, then the options. They go right behind the subcommand, and
        // behind what it does where it does several things.
        let at = arguments.len() - leading;
        let is_action =
            |word: &OsString| ["show", "verify", "status", "clear"].iter().any(|action| word == action);
        let behind = if at > 2 && arguments.get(2).is_some_and(is_action) { 3 } else { 2 };
        arguments[behind..].rotate_left(at - behind);
    }
    let is_path = |word: &OsString| {
        let bytes = word.as_encoded_bytes();
        bytes.contains(&b'/') && !bytes.starts_with(b"-")
    };
    if arguments.get(1).is_some_and(is_path) {
        arguments.insert(1, "get".into());
    }
    arguments
}

/// The number of words in front of the subcommand that are global options and their values.
fn leading_options(arguments: &[OsString]) -> usize {
    let mut count = 0;
    while let Some(word) = arguments.get(count + 1) {
        let text = word.to_string_lossy();
        count += match text.strip_prefix('-').filter(|rest| !rest.is_empty() && !rest.starts_with('-')) {
            Some(shorts) => match short_options(shorts) {
                Some(words) => words,
                None => break,
            },
            None => {
                let name = text.split('=').next().unwrap_or_default();
                let Some((_, takes_value)) = GLOBAL.iter().find(|(option, _)| *option == name) else { break };
                if *takes_value && name.len() == text.len() { 2 } else { 1 }
            }
        };
    }
    count
}

/// The number of words that short options take, such as `v`, `vv`, `vojson` or `vo` with a value
/// behind it.
fn short_options(shorts: &str) -> Option<usize> {
    let rest = shorts.trim_start_matches('v');
    match rest.strip_prefix('o') {
        None => rest.is_empty().then_some(1),
        Some("") => Some(2),
        Some(_) => Some(1),
    }
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
        let grouped: Vec<&str> = GROUPS.iter().flat_map(|(_, names)| *names).copied().collect();
        for subcommand in command().get_subcommands() {
            assert!(grouped.contains(&subcommand.get_name()), "{}", subcommand.get_name());
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
        assert_eq!(expanded(&["imds", "-v", "get", "a", "b"]), "imds get -v a b");
        assert_eq!(expanded(&["imds", "-v", "--timeout", "5", "get", "a"]), "imds get -v --timeout 5 a");
        assert_eq!(expanded(&["imds", "--endpoint=http://x", "list"]), "imds list --endpoint=http://x");
        assert_eq!(expanded(&["imds", "-v", "latest/user-data"]), "imds get latest/user-data -v");
        assert_eq!(expanded(&["imds", "-vv", "get", "a"]), "imds get -vv a");
        assert_eq!(expanded(&["imds", "-vo", "json", "get", "a"]), "imds get -vo json a");
        assert_eq!(expanded(&["imds", "-ojson", "a/b"]), "imds get a/b -ojson");
        assert_eq!(expanded(&["imds", "-vx", "get", "a"]), "imds -vx get a");
        assert_eq!(expanded(&["imds", "-v"]), "imds -v");
        assert_eq!(expanded(&["imds", "--timeout", "5"]), "imds --timeout 5");
        assert_eq!(expanded(&["imds", "--timeout"]), "imds --timeout");
        assert_eq!(expanded(&["imds"]), "imds");
    }
}
