//! `imds get`: values, byte for byte.

use clap::{ArgAction, ArgMatches, Args as ClapArgs, Command, FromArgMatches};
use imds::{Client, ErrorKind, MetadataPath};
use serde_json::{Map, Value};

use crate::connection::ConnectionArgs;
use crate::exit::Exit;
use crate::missing;
use crate::missing::{Takes, Typed};
use crate::output::{self, ValueFormat};
use crate::query::Query;
use crate::render::{env, yaml};
use crate::report::{self, Failure};
use crate::shortcuts::{Part, Wanted};
use crate::value;

/// Print the values at one or more paths
///
/// One value is printed byte for byte; on a terminal, a line feed is added. Several values are
/// printed one per line, and none of them may then contain a line feed.
///
/// A path is written as the service has it (`/latest/meta-data/instance-id`) or short
/// (`instance-id`). The words `region`, `az`, `account-id`, `vpc-id` and `role` stand for their
/// values. In a path, `@primary` stands for the MAC address of the primary network interface, and
/// `*` for every entry of a directory.
#[derive(ClapArgs, Debug, Default)]
pub(crate) struct Args {
    #[command(flatten)]
    paths: Paths,

    /// Print what this JMESPath expression finds in the value; with several paths, in an object of
    /// them
    #[arg(long, visible_alias = "select", value_name = "EXPRESSION")]
    query: Option<String>,

    /// Output format
    #[arg(long, short, visible_alias = "format", value_name = "FORMAT", value_enum, default_value_t)]
    output: ValueFormat,

    /// Print this instead of a value that does not exist
    #[arg(long, value_name = "VALUE")]
    default: Option<String>,

    /// Print role credentials even on a terminal, and secrets that only a `*` matches
    #[arg(long)]
    show_secrets: bool,

    /// End each value with NUL instead of a line feed
    #[arg(short = '0', long, conflicts_with = "query")]
    null: bool,

    #[command(flatten)]
    connection: ConnectionArgs,
}

/// The paths in the order of the command line, whether written with `--path` or without.
#[derive(Debug, Default)]
struct Paths(Vec<String>);

impl clap::Args for Paths {
    fn augment_args(command: Command) -> Command {
        command
            .arg(
                clap::Arg::new("paths")
                    .value_name("PATH")
                    .action(ArgAction::Append)
                    .num_args(1..)
                    .required_unless_present("path_option")
                    .help("Paths to read"),
            )
            .arg(
                clap::Arg::new("path_option")
                    .long("path")
                    .value_name("PATH")
                    .action(ArgAction::Append)
                    .help("Path to read (can be repeated)"),
            )
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for Paths {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut paths = Self::default();
        paths.update_from_arg_matches(matches)?;
        Ok(paths)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        let mut found: Vec<(usize, String)> = Vec::new();
        for id in ["paths", "path_option"] {
            let values = matches.get_many::<String>(id).into_iter().flatten().cloned();
            found.extend(matches.indices_of(id).into_iter().flatten().zip(values));
        }
        found.sort_by_key(|(index, _)| *index);
        self.0 = found.into_iter().map(|(_, path)| path).collect();
        Ok(())
    }
}

impl Args {
    /// The arguments of a call with paths and nothing else.
    pub(crate) fn of_paths(paths: Vec<String>) -> Self {
        Self { paths: Paths(paths), ..Self::default() }
    }
}

/// A value, with the name that it has in an object.
struct Found {
    name: String,
    /// Its name as a variable.
    variable: String,
    path: MetadataPath,
    part: Part,
    /// `None` if it does not exist.
    value: Option<Vec<u8>>,
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    if args.query.is_some() && args.output == ValueFormat::Env {
        return Err(Failure::usage("cannot print what `--query` finds with `--output env`: it has no name"));
    }
    if args.null && args.output != ValueFormat::Text {
        return Err(Failure::usage("cannot use `--null` with `--output`: it is for text"));
    }
    // Whatever is wrong with the command line is reported before a request is sent.
    let wanted = args.paths.0.iter().map(|path| Wanted::parse(path)).collect::<Result<Vec<_>, _>>()?;
    let query = args.query.as_deref().map(Query::parse).transpose()?;
    let client = args.connection.client()?;
    let is_single = matches!(&wanted[..], [only] if !only.is_many());
    let mut found = Vec::with_capacity(wanted.len());
    for word in &wanted {
        read(&client, word, args, is_single, &mut found)?;
    }
    match query {
        Some(query) => print_query(args, &query, &found, is_single),
        None => match args.output {
            ValueFormat::Text => print_text(args, &found, is_single),
            ValueFormat::Env => print_env(args, &found),
            ValueFormat::Json | ValueFormat::Yaml => print_document(args, &as_json(args, &found, is_single)?),
        },
    }
}

/// Reads what a word stands for. Nothing there is an error, unless there is a default or a `null`
/// to show for it.
fn read(
    client: &Client,
    wanted: &Wanted,
    args: &Args,
    is_single: bool,
    found: &mut Vec<Found>,
) -> Result<(), Failure> {
    let shown_as_null = !is_single && (args.output.has_null() || args.query.is_some());
    let mut last_missing = None;
    let before = found.len();
    let resolved = wanted.resolve(client, args.show_secrets)?;
    for path in &resolved.withheld {
        report::note(&format_args!("left out as secret: `{path}`; `--show-secrets` reads it"));
    }
    for path in resolved.paths {
        refuse_on_terminal(args, &path)?;
        let value = match client.get(&path) {
            Ok(response) => Some(wanted.part.of(&path, response.into_bytes())?),
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error.into()),
            // What a pattern matches need not exist: not every interface has every value.
            Err(error) if wanted.is_many() => {
                last_missing = Some(error);
                continue;
            }
            Err(_) if args.default.is_some() || shown_as_null => None,
            Err(error) => {
                let typed = Typed::by("get", Takes::Names);
                return Err(missing::explain(client, &typed, &wanted.written, &path, error.into()));
            }
        };
        let name = if wanted.is_many() { short_name(&path) } else { wanted.written.clone() };
        let variable = env::name_of(wanted.naming_path().as_ref().unwrap_or(&path));
        found.push(Found { name, variable, path, part: wanted.part, value });
    }
    if found.len() == before && wanted.is_many() && args.default.is_none() && !args.output.has_null() {
        return Err(match last_missing {
            Some(error) => error.into(),
            None => Failure::told(
                Exit::NotFound,
                format!("nothing matches `{}`", imds_model::printable::brief(&wanted.written)),
            ),
        });
    }
    Ok(())
}

/// Role credentials are not printed on a terminal, as by `imds credentials`: shoulders, scroll-back
/// and recordings keep them.
fn refuse_on_terminal(args: &Args, path: &MetadataPath) -> Result<(), Failure> {
    let are_credentials = path.is_secret() && path.below_version().starts_with("meta-data/i");
    if are_credentials && !args.show_secrets && output::is_terminal() {
        return Err(Failure::usage("cannot print credentials on a terminal")
            .hint("use `--show-secrets`, or let another program read them: `imds credentials | ...`"));
    }
    Ok(())
}

/// A path as people type it.
fn short_name(path: &MetadataPath) -> String {
    let below = path.below_version();
    below.strip_prefix("meta-data/").unwrap_or(&below).to_owned()
}

fn print_text(args: &Args, found: &[Found], is_single: bool) -> Result<(), Failure> {
    let default = args.default.as_deref().unwrap_or_default().as_bytes();
    let bytes = |found: &Found| found.value.clone().unwrap_or_else(|| default.to_vec());
    let (end, forbidden, name) =
        if args.null { (b'\0', b'\0', "NUL") } else { (b'\n', b'\n', "a line feed") };
    if let ([only], true, false) = (found, is_single, args.null) {
        return output::value(only.value.as_deref().unwrap_or(default));
    }
    let mut whole = Vec::new();
    for found in found {
        let value = bytes(found);
        if value.contains(&forbidden) {
            let hint = if args.null {
                "use `--output json`"
            } else {
                "use `--output json`, or `-0` for values ended by NUL"
            };
            let shown = imds_model::printable::brief(&found.name);
            return Err(Failure::usage(format!("the value of `{shown}` holds {name}")).hint(hint));
        }
        whole.extend(value);
        whole.push(end);
    }
    if args.null { output::write(&[&whole]) } else { output::values(&whole) }
}

/// One value as itself, several as an object by path.
fn as_json(args: &Args, found: &[Found], is_single: bool) -> Result<Value, Failure> {
    let json = |found: &Found| match (&found.value, &args.default) {
        (Some(value), _) if found.part != Part::Whole => Ok(String::from_utf8_lossy(value).into()),
        (Some(value), _) => value::json_of(&found.path, value),
        (None, Some(default)) => Ok(Value::String(default.clone())),
        (None, None) => Ok(Value::Null),
    };
    match found {
        [only] if is_single => json(only),
        several => {
            let mut object = Map::new();
            for found in several {
                object.insert(found.name.clone(), json(found)?);
            }
            Ok(Value::Object(object))
        }
    }
}

fn print_query(args: &Args, query: &Query, found: &[Found], is_single: bool) -> Result<(), Failure> {
    let document = as_json(args, found, is_single)?;
    if let ([Found { name, value: Some(_), .. }], Value::String(_), true) = (found, &document, is_single) {
        let shown = imds_model::printable::brief(name);
        return Err(Failure::told(
            Exit::Unexpected,
            format!("the value of `{shown}` is not JSON, so `--query` cannot search it"),
        ));
    }
    let is_absent = matches!(found, [Found { value: None, .. }] if is_single);
    let result = if is_absent { Value::Null } else { query.search(&document)? };
    if args.output.has_null() {
        return print_document(args, &result);
    }
    match (value::text_of(&result), &args.default) {
        (Some(text), _) => output::text(&format!("{text}\n")),
        (None, Some(default)) => output::text(&format!("{default}\n")),
        (None, None) => Err(Failure::told(Exit::NotFound, "the query found nothing")
            .hint("`--default VALUE` prints a value instead; `--output json` prints `null`")),
    }
}

fn print_env(args: &Args, found: &[Found]) -> Result<(), Failure> {
    let default = args.default.as_deref().unwrap_or_default().as_bytes();
    let values = found
        .iter()
        .map(|found| (found.variable.clone(), &found.path, found.value.as_deref().unwrap_or(default)));
    output::text(&env::lines(values)?)
}

fn print_document(args: &Args, value: &Value) -> Result<(), Failure> {
    match args.output {
        ValueFormat::Yaml => output::document(&yaml::of(value)),
        _ => output::document(&format!("{value:#}\n")),
    }
}
