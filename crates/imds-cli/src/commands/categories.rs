//! `imds categories`: the catalogue, without asking anybody.

use clap::{Args as ClapArgs, ValueEnum};
use imds_model::{CATALOGUE, Category};
use regex_lite::Regex;
use serde_json::{Value, json};

use crate::report::Failure;
use crate::{output, tree_read};

/// List what the service is known to hold, without asking it
///
/// Columns: path, type, the schema version that shows it first, when it may change, and marks:
/// `secret`, `snowball` (a Snowball Edge device has it too), `conditional` or `retired`, `unlisted`
/// (not in the EC2 User Guide).
#[derive(ClapArgs, Debug)]
pub(crate) struct Args {
    /// Only paths that this regular expression matches
    #[arg(value_name = "REGEX", value_parser = tree_read::pattern)]
    pattern: Option<Regex>,

    /// Output format
    #[arg(long, short, visible_alias = "format", value_name = "FORMAT", value_enum, default_value_t)]
    output: Format,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Format {
    /// One line per category
    #[default]
    Text,
    /// An array of objects with everything that is known
    Json,
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let chosen = CATALOGUE
        .iter()
        .filter(|category| args.pattern.as_ref().is_none_or(|pattern| pattern.is_match(category.path())));
    match args.output {
        Format::Json => output::document(&format!("{:#}\n", chosen.copied().map(object).collect::<Value>())),
        Format::Text => output::text(&chosen.copied().map(line).collect::<String>()),
    }
}

fn line(category: Category) -> String {
    let mut marks = Vec::new();
    if category.presence().as_str() != "always" {
        marks.push(category.presence().as_str());
    }
    for (is_so, mark) in [
        (category.secret(), "secret"),
        (category.snowball(), "snowball"),
        (!category.documented(), "unlisted"),
    ] {
        if is_so {
            marks.push(mark);
        }
    }
    let since = category.since().unwrap_or("?");
    let line = format!(
        "{:<72}  {:<9}  {since:<10}  {:<7}  {}",
        category.path(),
        category.format(),
        category.mutability(),
        marks.join(",")
    );
    format!("{}\n", line.trim_end())
}

fn object(category: Category) -> Value {
    json!({
        "path": category.path(),
        "operation": category.operation(),
        "type": category.format().as_str(),
        "since": category.since(),
        "presence": category.presence().as_str(),
        "requires": category.requires(),
        "changes": category.mutability().as_str(),
        "secret": category.secret(),
        "snowball": category.snowball(),
        "documented": category.documented(),
        "summary": category.summary(),
        "example": category.example(),
    })
}
