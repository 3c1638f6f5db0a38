//! The command line as a table: what can be typed at each point, without a word of any shell.

use clap::builder::ValueHint;
use clap::{Arg, ArgAction, Command};

/// A word that can be typed, and what it means.
pub(crate) type Word = (String, String);

/// What an argument takes.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Values {
    /// Nothing that can be listed.
    Any,
    /// These words, each with what it means.
    Words(Vec<(String, String)>),
    /// Paths of the metadata service, given without their tree, such as `placement/region`. They
    /// are also completed as `meta-data/...`, `latest/meta-data/...`, `/latest/meta-data/...`, and
    /// behind `NAME=`.
    Paths(Vec<String>),
    /// Both of these.
    Both(Box<Values>, Box<Values>),
    /// Files and directories.
    Files,
    /// Directories.
    Directories,
    /// A command, and behind it the command's own arguments.
    Command,
}

/// One subcommand, or the program itself.
pub(crate) struct Level {
    /// The words that lead to it: `imds`, `imds aws-cli install`.
    pub(crate) key: String,
    /// Other spellings of the last word.
    pub(crate) aliases: Vec<String>,
    pub(crate) subcommands: Vec<Word>,
    /// Options, each with what it does.
    pub(crate) options: Vec<Word>,
    /// What the value of an option is; options without a value are not in it.
    pub(crate) option_values: Vec<(Vec<String>, Values)>,
    /// What stands at each position; the last one again and again where it repeats.
    pub(crate) positions: Vec<Values>,
    pub(crate) last_repeats: bool,
    /// What stands behind `--`.
    pub(crate) behind: Option<Values>,
    /// The program whose arguments follow, where the subcommand runs another program.
    pub(crate) external: Option<String>,
}

/// Every level of a program.
pub(crate) struct Table {
    pub(crate) program: String,
    pub(crate) levels: Vec<Level>,
}

type Given<'g> = &'g dyn Fn(&[&str], &Arg) -> Option<Values>;

impl Table {
    pub(crate) fn of(mut command: Command, given: Given<'_>) -> Self {
        command.build();
        let program = command.get_name().to_owned();
        let mut levels = Vec::new();
        add(&command, &[&program], given, &mut levels);
        Self { program, levels }
    }

    /// The name of the program as part of a function's name.
    pub(crate) fn identifier(&self) -> String {
        self.program.replace('-', "_")
    }
}

fn add(command: &Command, path: &[&str], given: Given<'_>, levels: &mut Vec<Level>) {
    let mut level = Level {
        key: path.join(" "),
        aliases: command.get_all_aliases().map(str::to_owned).collect(),
        subcommands: Vec::new(),
        options: Vec::new(),
        option_values: Vec::new(),
        positions: Vec::new(),
        last_repeats: false,
        behind: None,
        external: None,
    };
    for argument in command.get_arguments().filter(|argument| !argument.is_hide_set()) {
        let values = given(path, argument).unwrap_or_else(|| declared(argument));
        if argument.is_trailing_var_arg_set() && command.is_disable_help_flag_set() {
            level.external = Some(path.join("-"));
        } else if argument.is_trailing_var_arg_set() {
            // A command, with or without `--` before it.
            level.behind = Some(Values::Command);
            level.positions.push(Values::Command);
        } else if argument.is_last_set() {
            level.behind = Some(Values::Command);
        } else if argument.is_positional() {
            let most = argument.get_num_args().map_or(1, |range| range.max_values());
            level.last_repeats = most > 1 || matches!(argument.get_action(), ArgAction::Append);
            level.positions.push(values);
        } else {
            add_option(&mut level, argument, values);
        }
    }
    let shown = || command.get_subcommands().filter(|subcommand| !subcommand.is_hide_set());
    for subcommand in shown() {
        level.subcommands.push((subcommand.get_name().to_owned(), line(subcommand.get_about())));
    }
    levels.push(level);
    for subcommand in shown().filter(|subcommand| subcommand.get_name() != "help") {
        let path: Vec<&str> = path.iter().copied().chain([subcommand.get_name()]).collect();
        add(subcommand, &path, given, levels);
    }
}

fn add_option(level: &mut Level, argument: &Arg, values: Values) {
    let mut spellings: Vec<String> = Vec::new();
    spellings.extend(argument.get_long().map(|long| format!("--{long}")));
    spellings
        .extend(argument.get_visible_aliases().unwrap_or_default().iter().map(|long| format!("--{long}")));
    spellings.extend(argument.get_short().map(|short| format!("-{short}")));
    let help = line(argument.get_help());
    level.options.extend(spellings.iter().map(|spelling| (spelling.clone(), help.clone())));
    if argument.get_action().takes_values() {
        level.option_values.push((spellings, values));
    }
}

/// What the declaration itself says of an argument.
fn declared(argument: &Arg) -> Values {
    let possible = argument.get_possible_values();
    if !possible.is_empty() {
        let shown = possible.iter().filter(|value| !value.is_hide_set());
        return Values::Words(
            shown.map(|value| (value.get_name().to_owned(), line(value.get_help()))).collect(),
        );
    }
    match argument.get_value_hint() {
        ValueHint::AnyPath | ValueHint::FilePath | ValueHint::ExecutablePath => Values::Files,
        ValueHint::DirPath => Values::Directories,
        ValueHint::CommandName | ValueHint::CommandString | ValueHint::CommandWithArguments => {
            Values::Command
        }
        _ => Values::Any,
    }
}

/// The first line of a help text, without styles.
fn line(help: Option<&clap::builder::StyledStr>) -> String {
    let text = help.map(ToString::to_string).unwrap_or_default();
    text.lines().next().unwrap_or_default().trim().to_owned()
}
