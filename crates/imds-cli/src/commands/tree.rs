//! `imds tree`: a whole tree on the screen.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use clap::Args as ClapArgs;
use imds::{Client, MetadataPath};

use imds_model::{catalogue, printable};
use serde_json::Value;

use crate::connection::ConnectionArgs;
use crate::missing::{self, Takes, Typed};
use crate::output::{self, Format};
use crate::progress::Progress;
use crate::render::{Leaf, shell};
use crate::report::Failure;
use crate::shortcuts::Wanted;
use crate::tree_read::{self, Bounds, Selection};
use crate::{style, value};

/// Show what is below a directory as a tree
///
/// Reads directories only, and so no secret; with `--values` also what they hold. Secrets are
/// marked and never shown.
#[derive(ClapArgs, Debug)]
pub(crate) struct Args {
    /// Directory to begin with
    #[arg(value_name = "PATH", default_value = "/latest/")]
    path: String,

    /// Show the values
    #[arg(long)]
    values: bool,

    /// Show at most this many levels
    #[arg(long, value_name = "LEVELS", value_parser = clap::value_parser!(u16).range(1..))]
    depth: Option<u16>,

    /// Output format
    #[arg(long, short, visible_alias = "format", value_name = "FORMAT", value_enum, default_value_t)]
    output: Format,

    #[command(flatten)]
    connection: ConnectionArgs,
}

/// Entries by name, in the order of their names.
#[derive(Debug, Default)]
struct Node {
    entries: BTreeMap<String, Node>,
    note: Option<String>,
    is_secret: bool,
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let wanted = Wanted::parse_path(&args.path)?;
    wanted.fixed().map_or(Ok(()), refuse_value)?;
    let client = args.connection.client()?;
    let root = wanted.one(&client)?;
    refuse_value(&root)?;
    let depth = args.depth.map_or(usize::MAX, usize::from);
    let progress = Progress::start("reading");
    let read = if args.values {
        with_values(&client, &root, depth, &progress)
    } else {
        names(&client, &root, depth, &progress)
    };
    let typed = Typed::by("tree", Takes::Directories);
    let (tree, outcome) =
        read.map_err(|failure| missing::explain(&client, &typed, &args.path, &root, failure))?;
    drop(progress);
    tree_read::note_pin(&root);
    if args.output == Format::Json {
        output::document(&format!("{:#}\n", object(&tree)))?;
        return outcome;
    }
    let mut text = format!("{}\n", printable::escape(root.as_str()));
    draw(&mut text, &tree, "", style::is_wanted());
    output::write(&[text.as_bytes()])?;
    outcome
}

fn refuse_value(root: &MetadataPath) -> Result<(), Failure> {
    let is_value = !catalogue::is_directory(root) && catalogue::find(root).is_some();
    if is_value { Err(no_directory(root)) } else { Ok(()) }
}

fn no_directory(root: &MetadataPath) -> Failure {
    Failure::usage(format!("cannot show `{root}` as a tree: it is a value, not a directory"))
        .hint(format!("`imds get {}` prints it", shell::word(&root.below_version())))
}

type Read = (Node, Result<(), Failure>);

/// The tree by listings alone.
fn names(client: &Client, root: &MetadataPath, depth: usize, progress: &Progress) -> Result<Read, Failure> {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let bounds = Bounds::of(root);
    let (shared, counted, ticker) = (seen.clone(), bounds.clone(), progress.ticker());
    let walk = client.walk(root)?.filter(move |entry| {
        ticker.tick();
        if !counted.admit(&entry.path) {
            return false;
        }
        let level = counted.level(&entry.path);
        if level <= depth {
            shared.lock().unwrap_or_else(PoisonError::into_inner).push(entry.path.clone());
        }
        entry.is_directory && level < depth
    });
    let mut read = tree_read::collect(walk, root)?;
    let mut tree = Node::default();
    let paths = std::mem::take(&mut *seen.lock().unwrap_or_else(PoisonError::into_inner));
    for path in paths {
        let is_secret = tree_read::is_secret(&path);
        insert(&mut tree, root, path, is_secret.then(|| "(secret)".to_owned()), is_secret);
    }
    if std::mem::take(&mut read.leaves).iter().any(|leaf| leaf.path == *root) {
        return Err(no_directory(root));
    }
    Ok((tree, bounds.outcome().and(read.outcome())))
}

fn with_values(
    client: &Client,
    root: &MetadataPath,
    depth: usize,
    progress: &Progress,
) -> Result<Read, Failure> {
    let selection = Selection { pattern: None, secrets: false, depth };
    let mut read = tree_read::read(client, root, selection, progress)?;
    let mut tree = Node::default();
    for leaf in std::mem::take(&mut read.leaves) {
        if leaf.path == *root {
            return Err(no_directory(root));
        }
        let shown = shown(&leaf);
        insert(&mut tree, root, leaf.path, Some(shown), false);
    }
    for path in std::mem::take(&mut read.withheld) {
        insert(&mut tree, root, path, Some("(secret)".to_owned()), true);
    }
    Ok((tree, read.outcome()))
}

/// A value as one line of JSON, or its length where it is none or too long.
fn shown(leaf: &Leaf) -> String {
    const LONGEST: usize = 100;
    let line = value::typed(&leaf.path, &leaf.value).map(|typed| typed.value.to_string());
    match line.filter(|line| line.chars().count() <= LONGEST) {
        Some(line) => line,
        None => format!("({} bytes)", leaf.value.len()),
    }
}

fn insert(tree: &mut Node, root: &MetadataPath, path: MetadataPath, note: Option<String>, is_secret: bool) {
    let slash = if path.is_directory() { "/" } else { "" };
    let leaf = Leaf { path, value: Vec::new() };
    let names = leaf.names_below(root);
    let Some((last, above)) = names.split_last() else { return };
    let mut node = tree;
    for name in above {
        node = node.entries.entry(format!("{name}/")).or_default();
    }
    let node = node.entries.entry(format!("{last}{slash}")).or_default();
    node.note = note;
    node.is_secret = is_secret;
}

/// The tree as an object of objects; a value, or `null`, for each leaf.
fn object(node: &Node) -> Value {
    let entries = node.entries.iter().map(|(name, child)| {
        let value = match (&child.note, name.ends_with('/')) {
            (_, true) => object(child),
            (Some(note), _) => serde_json::from_str(note).unwrap_or_else(|_| note.as_str().into()),
            (None, _) => Value::Null,
        };
        (name.trim_end_matches('/').to_owned(), value)
    });
    Value::Object(entries.collect())
}

fn draw(text: &mut String, node: &Node, margin: &str, in_colour: bool) {
    let last = node.entries.len().saturating_sub(1);
    for (at, (name, child)) in node.entries.iter().enumerate() {
        let (branch, below) = if at == last { ("└── ", "    ") } else { ("├── ", "│   ") };
        let name = printable::escape(name);
        let note = child.note.as_ref().map(|note| format!(" = {}", printable::escape(note)));
        let (mut name, mut note) = (name.into_owned(), note.unwrap_or_default());
        if in_colour && child.is_secret {
            note = format!("{}{note}{}", style::SECRET, style::END);
        }
        if in_colour && name.ends_with('/') {
            name = format!("{}{name}{}", style::DIRECTORY, style::END);
        }
        text.push_str(&format!("{margin}{branch}{name}{note}\n"));
        draw(text, child, &format!("{margin}{below}"), in_colour);
    }
}
