//! `imds get`: values, byte for byte.

use clap::Args as ClapArgs;
use imds::{Client, ErrorKind, MetadataPath, Response};
use serde_json::{Map, Value};

use crate::connection::ConnectionArgs;
use crate::exit::Exit;
use crate::output::{self, ValueFormat};
use crate::query::Query;
use crate::render::{env, yaml};
use crate::report::Failure;
use crate::value;

/// Print the values at one or more paths
///
/// One value is printed byte for byte; a line end is added on a terminal only. Several values are printed one per
/// line, and none of them may then hold a line end.
///
/// Paths are written as the service has them (`/latest/meta-data/instance-id`) or short (`instance-id`).
#[derive(ClapArgs, Debug, Default)]
pub(crate) struct Args {
    /// Paths to read
    #[arg(value_name = "PATH", required_unless_present = "path_option")]
    paths: Vec<String>,

    /// Path to read (can be repeated)
    #[arg(id = "path_option", long = "path", value_name = "PATH")]
    path_options: Vec<String>,

    /// Print what this JMESPath expression finds in the value; with several paths, in an object of them
    #[arg(long, visible_alias = "select", value_name = "EXPRESSION")]
    query: Option<String>,

    /// Print in this format
    #[arg(long, visible_alias = "format", value_name = "FORMAT", value_enum, default_value_t)]
    output: ValueFormat,

    /// Print this in place of a value that does not exist
    #[arg(long, value_name = "VALUE")]
    default: Option<String>,

    /// End each value with NUL in place of a line end
    #[arg(short = '0', long, conflicts_with = "query")]
    null: bool,

    #[command(flatten)]
    connection: ConnectionArgs,
}

impl Args {
    /// The arguments of a call with paths and nothing else.
    pub(crate) fn of_paths(paths: Vec<String>) -> Self {
        Self { paths, ..Self::default() }
    }
}

/// A path as it was written, and what is there; `None` where nothing is.
type Found<'a> = (&'a str, Option<Response>);

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    if args.query.is_some() && args.output == ValueFormat::Env {
        return Err(Failure::usage("`--query` finds values without a name, which `--output env` needs"));
    }
    if args.null && args.output != ValueFormat::Text {
        return Err(Failure::usage("`--null` is for text output"));
    }
    let written: Vec<&str> = args.path_options.iter().chain(&args.paths).map(String::as_str).collect();
    // Whatever is wrong with the command line is told before anything is asked.
    let paths = written.iter().map(|path| path.parse()).collect::<Result<Vec<MetadataPath>, _>>()?;
    let query = args.query.as_deref().map(Query::parse).transpose()?;
    let client = args.connection.client()?;
    let mut found = Vec::with_capacity(paths.len());
    for (written, path) in written.into_iter().zip(&paths) {
        found.push((written, read(&client, path, args, paths.len() > 1)?));
    }
    match query {
        Some(query) => print_query(args, &query, &found),
        None => match args.output {
            ValueFormat::Text => print_text(args, &found),
            ValueFormat::Env => print_env(args, &paths, &found),
            ValueFormat::Json | ValueFormat::Yaml => print_document(args, &as_json(args, &found)?),
        },
    }
}

/// What is at the path. Nothing there is an error, unless there is a default or a `null` to show for it.
fn read(
    client: &Client,
    path: &MetadataPath,
    args: &Args,
    several: bool,
) -> Result<Option<Response>, Failure> {
    match client.get(path) {
        Ok(response) => Ok(Some(response)),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let shown_as_null = several && (args.output.has_null() || args.query.is_some());
            if args.default.is_some() || shown_as_null { Ok(None) } else { Err(error.into()) }
        }
        Err(error) => Err(error.into()),
    }
}

fn print_text(args: &Args, found: &[Found<'_>]) -> Result<(), Failure> {
    let default = args.default.as_deref().unwrap_or_default().as_bytes();
    let bytes =
        |response: &Option<Response>| response.as_ref().map_or(default.to_vec(), |r| r.bytes().to_vec());
    let (end, forbidden, name) = if args.null { (b'\0', b'\0', "NUL") } else { (b'\n', b'\n', "a line end") };
    if let ([(_, only)], false) = (found, args.null) {
        return match only {
            Some(response) => output::value(response.bytes()),
            None => output::value(default),
        };
    }
    let mut whole = Vec::new();
    for (written, response) in found {
        let value = bytes(response);
        if value.contains(&forbidden) {
            let hint = if args.null {
                "use `--output json`"
            } else {
                "use `--output json`, or `-0` for values ended by NUL"
            };
            return Err(Failure::usage(format!("the value of `{written}` holds {name}")).hint(hint));
        }
        whole.extend(value);
        whole.push(end);
    }
    output::write(&[&whole])
}

/// One value as itself, several as an object by path.
fn as_json(args: &Args, found: &[Found<'_>]) -> Result<Value, Failure> {
    let json = |response: &Option<Response>| match (response, &args.default) {
        (Some(response), _) => value::json_of(response),
        (None, Some(default)) => Ok(Value::String(default.clone())),
        (None, None) => Ok(Value::Null),
    };
    match found {
        [(_, only)] => json(only),
        several => {
            let mut object = Map::new();
            for (written, response) in several {
                object.insert((*written).to_owned(), json(response)?);
            }
            Ok(Value::Object(object))
        }
    }
}

fn print_query(args: &Args, query: &Query, found: &[Found<'_>]) -> Result<(), Failure> {
    let document = as_json(args, found)?;
    if let ([(written, Some(_))], Value::String(_)) = (found, &document) {
        return Err(Failure::told(
            Exit::Unexpected,
            format!("the value of `{written}` is not JSON, so `--query` cannot search it"),
        ));
    }
    let result = if let [(_, None)] = found { Value::Null } else { query.search(&document)? };
    if args.output.has_null() {
        return print_document(args, &result);
    }
    match (value::text_of(&result), &args.default) {
        (Some(text), _) => output::text(&format!("{text}\n")),
        (None, Some(default)) => output::text(&format!("{default}\n")),
        (None, None) => Err(Failure::told(Exit::NotFound, "the query found nothing")
            .hint("`--default VALUE` prints a value in its place; `--output json` prints `null`")),
    }
}

fn print_env(args: &Args, paths: &[MetadataPath], found: &[Found<'_>]) -> Result<(), Failure> {
    let default = args.default.as_deref().unwrap_or_default().as_bytes();
    let mut lines = String::new();
    for (path, (_, response)) in paths.iter().zip(found) {
        let value = response.as_ref().map_or(default, Response::bytes);
        lines.push_str(&env::line(&env::name_of(path), path, value)?);
    }
    output::text(&lines)
}

fn print_document(args: &Args, value: &Value) -> Result<(), Failure> {
    match args.output {
        ValueFormat::Yaml => output::text(&yaml::of(value)),
        _ => output::text(&format!("{value:#}\n")),
    }
}
