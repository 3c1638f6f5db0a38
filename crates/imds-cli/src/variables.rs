//! Values as environment variables, for `env` and `exec`: which are meant, and what they hold.

use clap::Args as ClapArgs;
use imds::{Client, ErrorKind, MetadataPath};
use imds_model::{catalogue, printable};

use crate::exit::Exit;
use crate::missing::{self, Typed};
use crate::progress::Progress;
use crate::render::{Leaf, env};
use crate::report::Failure;
use crate::shortcuts::{Part, Wanted};
use crate::tree_read::{self, Selection};

/// What is taken where no path is given: what most scripts ask for, and every instance has.
const USUAL: [&str; 5] =
    ["instance-id", "instance-type", "placement/availability-zone", "placement/region", "local-ipv4"];

#[derive(ClapArgs, Debug)]
pub(crate) struct VariableArgs {
    /// Begin the name of each variable with this
    #[arg(long, value_name = "PREFIX", default_value = "", value_parser = prefix)]
    prefix: String,

    /// Leave out values that do not exist
    #[arg(long)]
    optional: bool,

    /// Take secrets in directories too; a secret that is named by itself is taken anyway
    #[arg(long)]
    show_secrets: bool,
}

fn prefix(text: &str) -> Result<String, String> {
    if text.is_empty() || env::is_name(text) {
        Ok(text.to_owned())
    } else {
        Err("it holds other characters than letters, digits and `_`, or begins with a digit".to_owned())
    }
}

/// A variable.
#[derive(Debug)]
pub(crate) struct Variable {
    pub(crate) name: String,
    pub(crate) leaf: Leaf,
}

impl VariableArgs {
    /// The variables that these words, `PATH` or `NAME=PATH`, stand for. `subcommand` and `behind`
    /// are the command line around them, for advice.
    pub(crate) fn read(
        &self,
        client: &Client,
        words: &[String],
        (subcommand, behind): (&str, &'static str),
    ) -> Result<Vec<Variable>, Failure> {
        let usual = USUAL.map(str::to_owned);
        let words = if words.is_empty() { &usual } else { words };
        // Whatever is wrong with the command line is reported before a request is sent.
        let asked = words.iter().map(|word| asked(word)).collect::<Result<Vec<_>, _>>()?;
        let mut variables = Vec::new();
        for (name, wanted) in asked {
            let path = wanted.one(client)?;
            let explain = |failure| {
                let typed = Typed::variable(subcommand, name, behind);
                missing::explain(client, &typed, &wanted.written, &path, failure)
            };
            if wanted.part == Part::Whole && catalogue::is_directory(&path) {
                self.read_directory(client, name, &path, &mut variables).map_err(explain)?;
                continue;
            }
            match client.get(&path) {
                Ok(response) => {
                    let naming = wanted.naming_path();
                    let own = env::name_of(naming.as_ref().unwrap_or(&path));
                    let name = name.map_or_else(|| format!("{}{own}", self.prefix), str::to_owned);
                    let mut leaf = Leaf::from(response);
                    leaf.value = wanted.part.of(&path, leaf.value)?;
                    variables.push(Variable { name, leaf });
                }
                Err(error) if self.optional && error.kind() == ErrorKind::NotFound => {}
                Err(error) => return Err(explain(error.into())),
            }
        }
        distinct(variables)
    }

    fn read_directory(
        &self,
        client: &Client,
        name: Option<&str>,
        path: &MetadataPath,
        variables: &mut Vec<Variable>,
    ) -> Result<(), Failure> {
        if let Some(name) = name {
            return Err(Failure::usage(format!(
                "variable `{name}` cannot hold `{path}`, which is a directory"
            )));
        }
        let selection = Selection { pattern: None, secrets: self.show_secrets, depth: usize::MAX };
        let progress = Progress::start("reading");
        let read = tree_read::read(client, path, selection, &progress);
        drop(progress);
        let mut tree = match read {
            Err(Failure::Imds { error, .. }) if self.optional && error.kind() == ErrorKind::NotFound => {
                return Ok(());
            }
            tree => tree?,
        };
        tree.note_withheld();
        let leaves = std::mem::take(&mut tree.leaves);
        // A command must not run with a part of what was asked for.
        tree.outcome()?;
        variables.extend(
            leaves
                .into_iter()
                .map(|leaf| Variable { name: format!("{}{}", self.prefix, env::name_of(&leaf.path)), leaf }),
        );
        Ok(())
    }
}

/// The name, if one is given, and the path of `PATH` or `NAME=PATH`.
fn asked(word: &str) -> Result<(Option<&str>, Wanted), Failure> {
    match word.split_once('=') {
        Some((name, path)) if env::is_name(name) => Ok((Some(name), Wanted::parse(path)?)),
        // A path may hold `=`, but not in its first segment.
        Some((name, _)) if !name.contains('/') => {
            Err(Failure::usage(format!("cannot set a variable `{}`", printable::brief(name)))
                .hint("a name has letters, digits and `_`, and does not begin with a digit"))
        }
        _ => Ok((None, Wanted::parse(word)?)),
    }
}

/// The variables, unless two of them have one name and different values.
fn distinct(mut variables: Vec<Variable>) -> Result<Vec<Variable>, Failure> {
    let mut kept: Vec<Variable> = Vec::with_capacity(variables.len());
    for variable in variables.drain(..) {
        match kept.iter().find(|other| other.name == variable.name) {
            Some(other) if other.leaf.path == variable.leaf.path => {}
            Some(other) => {
                let message = format!(
                    "`{}` and `{}` would both be variable `{}`",
                    other.leaf.path, variable.leaf.path, variable.name
                );
                return Err(
                    Failure::told(Exit::Usage, message).hint("name one of them yourself: `NAME=PATH`")
                );
            }
            None => kept.push(variable),
        }
    }
    Ok(kept)
}
