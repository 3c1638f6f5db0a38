//! `imds dump`: every value below a path.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use clap::{Args as ClapArgs, ValueEnum};
use imds::MetadataPath;
use regex_lite::Regex;

use crate::connection::ConnectionArgs;
use crate::exit::Exit;
use crate::render::{self, Leaf, json, snapshot, yaml};
use crate::report::Failure;
use crate::tree_read::{self, Selection, TreeRead};
use crate::{output, value};

/// Print every value below a path
///
/// Secrets (role credentials, user data, identity signatures) are left out and named on stderr, unless
/// `--show-secrets` asks for them. A value that cannot be read is named on stderr; the rest is printed, and the exit
/// code is 4 or 6.
#[derive(ClapArgs, Debug)]
pub(crate) struct Args {
    /// Where to begin: a directory, or a single value
    #[arg(value_name = "PATH", default_value = "/latest/")]
    path: String,

    /// Only values whose path, as in `meta-data/placement/region`, this regular expression matches
    #[arg(short = 'E', long = "regexp", value_name = "REGEX", value_parser = tree_read::pattern)]
    pattern: Option<Regex>,

    /// Print in this format
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t)]
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
    Flat,
    /// One line per value: NAME="value", for shells and systemd
    Env,
    /// One YAML document, nested as the paths are
    Yaml,
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let root: MetadataPath = args.path.parse()?;
    let secrets = args.show_secrets || args.snapshot.is_some();
    let client = args.connection.client()?;
    let tree = tree_read::read(&client, &root, Selection { pattern: args.pattern.clone(), secrets })?;
    tree_read::note_pin(&root);
    if args.strict && !tree.failures.is_empty() {
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
        return output::text(&env_lines(&tree.leaves)?);
    }
    for leaf in tree.leaves.iter().filter(|leaf| json::of_leaf(leaf).malformed) {
        value::note_malformed(&leaf.path);
    }
    match format {
        Format::Json => output::text(&format!("{:#}\n", json::nested(&tree.leaves, root))),
        Format::Yaml => {
            let marks: String =
                tree.withheld.iter().map(|path| format!("# left out as secret: {path}\n")).collect();
            output::text(&(yaml::of(&json::nested(&tree.leaves, root)) + &marks))
        }
        Format::Flat | Format::Env => output::text(&json::flat(&tree.leaves)),
    }
}

fn env_lines(leaves: &[Leaf]) -> Result<String, Failure> {
    let mut lines = String::new();
    let mut named: BTreeMap<String, &MetadataPath> = BTreeMap::new();
    for leaf in leaves {
        let name = render::env::name_of(&leaf.path);
        lines.push_str(&render::env::line(&name, &leaf.path, &leaf.value)?);
        if let Some(other) = named.insert(name.clone(), &leaf.path) {
            let message = format!("`{other}` and `{}` would both be variable `{name}`", leaf.path);
            return Err(Failure::usage(message).hint("`imds env NAME=PATH` names a variable"));
        }
    }
    Ok(lines)
}

/// Writes beside the file and renames, so that a reader sees a whole snapshot or none.
fn write_snapshot(file: &Path, text: &str) -> Result<(), Failure> {
    let mut beside = file.as_os_str().to_owned();
    beside.push(format!(".{}.tmp", std::process::id()));
    let beside = PathBuf::from(beside);
    let mut options = std::fs::OpenOptions::new();
    let written = options
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&beside)
        .and_then(|mut file| file.write_all(text.as_bytes()))
        .and_then(|()| std::fs::rename(&beside, file));
    written.map_err(|error| {
        // What is left of a failed attempt holds secrets.
        let _ = std::fs::remove_file(&beside);
        Failure::told(Exit::Unexpected, format!("cannot write `{}`", file.display())).caused_by(error)
    })
}
