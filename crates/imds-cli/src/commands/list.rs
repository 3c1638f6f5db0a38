//! `imds list`: what a directory names.

use clap::{Args as ClapArgs, ValueEnum};
use imds::MetadataPath;
use imds_model::catalogue;
use regex_lite::Regex;
use serde_json::{Value, json};

use crate::connection::ConnectionArgs;
use crate::missing::{self, Takes, Typed};
use crate::report::Failure;
use crate::shortcuts::Wanted;
use crate::{output, tree_read};

/// List the entries of a directory
///
/// One name per line, as the service has it; a directory's name ends with `/`.
#[derive(ClapArgs, Debug)]
pub(crate) struct Args {
    /// Directory to list
    #[arg(value_name = "PATH", default_value = "meta-data/")]
    path: String,

    /// List only names that match this regular expression
    #[arg(short = 'E', long = "regexp", value_name = "REGEX", value_parser = tree_read::pattern)]
    pattern: Option<Regex>,

    /// Output format
    #[arg(long, short, visible_alias = "format", value_name = "FORMAT", value_enum, default_value_t)]
    output: Format,

    #[command(flatten)]
    connection: ConnectionArgs,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Format {
    /// One name per line
    #[default]
    Text,
    /// An array of objects with name, path and whether it is a directory
    Json,
}

/// Refuses a value, which lists nothing.
fn refuse_value(path: &MetadataPath) -> Result<(), Failure> {
    let Some(found) = catalogue::find(path).filter(|found| !found.category.is_directory()) else {
        return Ok(());
    };
    let kind = found.category.format();
    Err(Failure::usage(format!("cannot list `{path}`: it is a value ({kind}), not a directory"))
        .hint("`imds get` prints it"))
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let wanted = Wanted::parse_path(&args.path)?;
    wanted.fixed().map_or(Ok(()), refuse_value)?;
    let client = args.connection.client()?;
    let path = wanted.one(&client)?;
    refuse_value(&path)?;
    let typed = Typed::by("list", Takes::Directories);
    let mut entries = client
        .list(&path)
        .map_err(|error| missing::explain(&client, &typed, &args.path, &path, error.into()))?;
    entries.retain(|entry| args.pattern.as_ref().is_none_or(|pattern| pattern.is_match(&entry.name)));
    tree_read::note_pin(&path);
    if args.output == Format::Json {
        let entries: Vec<Value> = entries
            .iter()
            .map(|entry| json!({ "name": entry.name, "path": entry.path.as_str(), "directory": entry.is_directory }))
            .collect();
        return output::document(&format!("{:#}\n", Value::Array(entries)));
    }
    let mut text = String::new();
    for entry in entries {
        text.push_str(&entry.name);
        // `0=my-key` is listed without a slash, and so it stays.
        text.push_str(if entry.is_directory && !entry.name.contains('=') { "/\n" } else { "\n" });
    }
    output::text(&text)
}
