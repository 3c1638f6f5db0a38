//! `imds dump`: every value below a path.

use std::path::{Path, PathBuf};

use clap::{Args as ClapArgs, ValueEnum};
use imds::MetadataPath;
use regex_lite::Regex;

use crate::connection::ConnectionArgs;
use crate::exit::Exit;
use crate::missing::{self, Takes, Typed};
use crate::progress::Progress;
use crate::render::{env, json, snapshot, yaml};
use crate::report::Failure;
use crate::shortcuts::Wanted;
use crate::tree_read::{self, Selection, TreeRead};
use crate::{output, value};

/// Print every value below a path
///
/// Secrets (role credentials, user data, identity signatures) are left out and named on stderr,
/// unless `--show-secrets` asks for them. A value that cannot be read is named on stderr; the rest
/// is printed, and the exit code says why: 4, 6, 5 or 1, the first of these that applies.
#[derive(ClapArgs, Debug)]
pub(crate) struct Args {
    /// Where to begin: a directory, or a single value
    #[arg(value_name = "PATH", default_value = "/latest/")]
    path: String,

    /// Only values whose path, as in `meta-data/placement/region`, this regular expression matches
    #[arg(short = 'E', long = "regexp", value_name = "REGEX", value_parser = tree_read::pattern)]
    pattern: Option<Regex>,

    /// Output format
    #[arg(long, short, visible_alias = "format", value_name = "FORMAT", value_enum, default_value_t)]
    output: Format,

    /// Print secrets too
    #[arg(long)]
    show_secrets: bool,

    /// Print nothing if any value cannot be read
    #[arg(long)]
    strict: bool,

    /// Write everything to this file, secrets too, for `imds serve --instance FILE` to serve again
    ///
    /// The file is made anew and readable for its owner only. Nothing is printed.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["output", "show_secrets", "pattern"])]
    snapshot: Option<PathBuf>,

    #[command(flatten)]
    connection: ConnectionArgs,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Format {
    /// One object, nested as the paths are
    #[default]
    Json,
    /// One line per value: path, ` = `, JSON
    #[value(alias = "text")]
    Flat,
    /// One line per value: NAME="value", for shells and systemd
    Env,
    /// One YAML document, nested as the paths are
    Yaml,
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let wanted = Wanted::parse_path(&args.path)?;
    let secrets = args.show_secrets || args.snapshot.is_some();
    if let Some(root) = wanted.fixed().filter(|root| root.is_secret() && !secrets) {
        return Err(Failure::usage(format!("cannot dump `{root}`: it is a secret"))
            .hint("`--show-secrets` prints it"));
    }
    let client = args.connection.client()?;
    let root = wanted.one(&client)?;
    let selection = Selection { pattern: args.pattern.clone(), secrets, depth: usize::MAX };
    let progress = Progress::start("reading");
    let tree = tree_read::read(&client, &root, selection, &progress).map_err(|failure| {
        missing::explain(&client, &Typed::by("dump", Takes::Paths), &args.path, &root, failure)
    })?;
    drop(progress);
    tree_read::note_pin(&root);
    if args.strict && !tree.is_whole() {
        return tree.outcome();
    }
    match &args.snapshot {
        Some(file) => write_snapshot(file, &snapshot::of(&tree.leaves, &tree.key_names))?,
        None => print(args.output, &tree, &root)?,
    }
    tree.note_withheld();
    tree.outcome()
}

fn print(format: Format, tree: &TreeRead, root: &MetadataPath) -> Result<(), Failure> {
    if format == Format::Env {
        let values = tree.leaves.iter().map(|leaf| (env::name_of(&leaf.path), &leaf.path, &*leaf.value));
        return output::text(&env::lines(values)?);
    }
    for leaf in tree.leaves.iter().filter(|leaf| json::of_leaf(leaf).malformed) {
        value::note_malformed(&leaf.path);
    }
    match format {
        Format::Json => output::document(&format!("{:#}\n", json::nested(&tree.leaves, root))),
        Format::Yaml => {
            let marks: String =
                tree.withheld.iter().map(|path| format!("# left out as secret: {path}\n")).collect();
            output::document(&(yaml::of(&json::nested(&tree.leaves, root)) + &marks))
        }
        Format::Flat | Format::Env => output::text(&json::flat(&tree.leaves)),
    }
}

/// Writes the snapshot by the rules of `imds-files`: a regular file is replaced by rename, so that
/// a reader sees a whole snapshot or none; a pipe or a device is written through.
fn write_snapshot(file: &Path, text: &str) -> Result<(), Failure> {
    imds_files::write_output(file, imds_files::Mode::Private, text.as_bytes())
        .map_err(|error| Failure::told(Exit::Unexpected, error.to_string()))
}
